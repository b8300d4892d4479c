"""Faults before the body: no headers, part of them, another status, another protocol."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any, ClassVar, Literal, Self

from resilient_stream.testing.transcript import compact
from resilient_stream.testing.wire import Answer, Close, Script, Send, Wait, frame, head

from .base import STALL, Fault, ending, with_body

ERROR_TYPES: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""``error.type`` by status; any other is an ``api_error``."""

HTML = b"<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>\r\n"

EARLY_HINTS = (
    b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
)


def error_body(
    error: str, message: str, request_id: str | None = None, details: Mapping[str, Any] | None = None
) -> bytes:
    """The API's error object."""
    told = {"type": error, "message": message} | ({"details": details} if details else {})
    return compact({"type": "error", "error": told, "request_id": request_id}).encode()


@dataclass(frozen=True, slots=True)
class Status(Fault):
    """Another status, with the API's error object or a body of your own.

    ``fate`` says whether the body comes ``whole``, is cut by a FIN before its announced length
    (``cut``), or stalls halfway (``stall``).
    """

    early: ClassVar[bool] = True

    code: int
    error: str | None = None
    message: str = "The stand-in was configured to send this."
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content_type: str = "application/json"
    fate: Literal["whole", "cut", "stall"] = "whole"

    @classmethod
    def html(cls, code: int = 502) -> Self:
        """A proxy's page under a status; under 200 it is a captive portal."""
        return cls(code, body=HTML, content_type="text/html")

    def edit(self, answer: Answer) -> Answer:
        """The status instead of the answer."""
        error = self.error or ERROR_TYPES.get(self.code, "api_error")
        body = self.body
        if body is None:
            body = error_body(error, self.message, dict(answer.headers).get("request-id"))
        told = answer.instead(self.code, self.content_type, body).with_headers(self.headers)
        if self.code == 204:
            return replace(told, framing="none", body=())
        if self.fate == "whole":
            return told
        half = (body[: len(body) // 2],)
        return with_body(
            replace(told, length=len(body)), half, ending("fin" if self.fate == "cut" else "stall")
        )


@dataclass(frozen=True, slots=True)
class RetryAfter(Fault):
    """A status with a waiting time, in one of the spellings in use.

    ``seconds`` and ``ms`` are sent unchanged, ``date`` as an HTTP date so many seconds from now, ``text``
    verbatim.
    """

    early: ClassVar[bool] = True

    code: int = 429
    seconds: float | None = None
    ms: float | None = None
    date: float | None = None
    text: str | None = None
    clock: Callable[[], float] = time.time

    def edit(self, answer: Answer) -> Answer:
        """The status with its header."""
        headers: list[tuple[str, str]] = []
        if self.ms is not None:
            headers.append(("retry-after-ms", f"{self.ms:g}"))
        if self.seconds is not None:
            headers.append(("retry-after", f"{self.seconds:g}"))
        elif self.date is not None:
            headers.append(("retry-after", formatdate(self.clock() + self.date, usegmt=True)))
        elif self.text is not None:
            headers.append(("retry-after", self.text))
        return Status(self.code, headers=tuple(headers)).edit(answer)


@dataclass(frozen=True, slots=True)
class CutHead(Fault):
    """The connection ends or stalls before the response head is complete.

    ``sent`` says what is sent of it: ``nothing``, ``half``, ``informational`` (103 and 100 only) or ``whole``
    (the head without a byte of the body).
    """

    early: ClassVar[bool] = True

    how: Literal["fin", "rst", "stall"] = "fin"
    sent: Literal["nothing", "half", "informational", "whole"] = "nothing"
    seconds: float = STALL

    def script(self, answer: Answer) -> Script:
        """Part of the head, and the end."""
        full = head(answer)
        said = {"nothing": b"", "half": full[: len(full) // 2], "informational": EARLY_HINTS, "whole": full}
        data = said[self.sent]
        steps = tuple(step for step in ending(self.how, self.seconds) if not isinstance(step, bytes))
        return (Send(data), *steps) if data else steps


@dataclass(frozen=True, slots=True)
class Raw(Fault):
    """These bytes instead of an answer, then a FIN."""

    early: ClassVar[bool] = True

    data: bytes = b"SSH-2.0-OpenSSH_9.2\r\n"

    def script(self, answer: Answer) -> Script:
        """The bytes and a FIN."""
        return (Send(self.data), Close())


SWITCHING = Raw(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
"""A switch of protocols that nobody asked for."""


@dataclass(frozen=True, slots=True)
class Informational(Fault):
    """103 Early Hints and 100 Continue before the answer."""

    def script(self, answer: Answer) -> Script:
        """The informational heads, then the answer."""
        return (Send(EARLY_HINTS), *frame(answer))


@dataclass(frozen=True, slots=True)
class Late(Fault):
    """The answer, after ``seconds`` without one byte."""

    seconds: float = 0.1

    def script(self, answer: Answer) -> Script:
        """A pause, then the answer."""
        return (Wait(self.seconds), *frame(answer))


@dataclass(frozen=True, slots=True)
class HugeHead(Fault):
    """A response head of more than ``size`` bytes."""

    size: int = 256 * 1024

    def edit(self, answer: Answer) -> Answer:
        """The answer with a long header field."""
        return answer.with_headers({"x-padding": "p" * self.size})


@dataclass(frozen=True, slots=True)
class Redirect(Fault):
    """A redirect, to a good answer or (``loop``) to itself for ever."""

    early: ClassVar[bool] = True

    code: int = 307
    loop: bool = False

    def edit(self, answer: Answer) -> Answer:
        """The redirect instead of the answer."""
        target = f"/loop/{self.code}" if self.loop else f"/redirected/{answer.number}"
        return answer.instead(self.code, None, b"").with_headers({"location": target})


@dataclass(frozen=True, slots=True)
class Unstreamed(Fault):
    """Status 200 with the whole message as JSON, although a stream was requested."""

    def edit(self, answer: Answer) -> Answer:
        """The message in one piece."""
        return answer.instead(200, "application/json", compact(answer.message).encode())
