"""What is sent over the socket, as values.

An :class:`Answer` is a status, headers, and a body in parts. A part is either ``bytes`` (one event of the
stream, one chunk on the wire) or a :data:`Step`. ``frame`` turns it into a :data:`Script`, the exact bytes
and pauses in their order, which the server plays without interpreting them. A fault is therefore a function
on these two values, and can be tested without a socket.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Literal

Framing = Literal["chunked", "length", "close", "none"]
"""What marks the end of the body: 0-chunk, Content-Length, end of connection, or no body at all."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes unchanged, outside any framing."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Send nothing for this many seconds; less if the client hangs up or the server is closed."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reset:
    """Break the connection with a TCP RST."""


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection with a TCP FIN."""


Step = Send | Wait | Reset | Close
Part = bytes | Step
Script = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer before framing.

    ``length`` is the Content-Length to announce if it is to differ from the true one. ``pace`` is the pause
    in seconds before each part. ``message`` is the whole message that the parts stream.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: tuple[Part, ...] = ()
    framing: Framing = "chunked"
    length: int | None = None
    pace: float = 0.0
    number: int = 0
    message: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def size(self) -> int:
        """The number of body bytes."""
        return sum(len(part) for part in self.body if isinstance(part, bytes))

    def with_headers(self, headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> Answer:
        """The same answer with these headers added or replaced."""
        new = {name.lower(): value for name, value in dict(headers).items()}
        kept = tuple((name, value) for name, value in self.headers if name not in new)
        return replace(self, headers=kept + tuple(new.items()))

    def instead(self, status: int, content_type: str | None, body: bytes) -> Answer:
        """Another status and body under the same request id; a plain body of known length."""
        named = () if content_type is None else (("content-type", content_type),)
        request_id = tuple(pair for pair in self.headers if pair[0] == "request-id")
        parts = (body,) if body else ()
        return replace(
            self, status=status, headers=named + request_id, body=parts, framing="length", pace=0.0
        )


def split(body: tuple[Part, ...], offset: int) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """The body before and from ``offset``, counted in body bytes; a part in the middle is cut."""
    left = offset
    for index, part in enumerate(body):
        if not isinstance(part, bytes):
            continue
        if left <= 0:
            return body[:index], body[index:]
        if left < len(part):
            return (*body[:index], part[:left]), (part[left:], *body[index + 1 :])
        left -= len(part)
    return body, ()


def head(answer: Answer) -> bytes:
    """The response head with the header fields that the framing needs."""
    known = {status.value: status.phrase for status in HTTPStatus}
    lines = [f"HTTP/1.1 {answer.status} {known.get(answer.status, 'Unnamed')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if answer.framing == "chunked":
        lines.append("transfer-encoding: chunked")
    elif answer.framing == "length":
        lines.append(f"content-length: {answer.size if answer.length is None else answer.length}")
    elif answer.framing == "close":
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def frame(answer: Answer) -> Script:
    """The script that sends this answer over HTTP/1.1.

    A body whose last part ends the connection is not changed. Any other gets the end that its framing needs.
    """
    script: list[Step] = [Send(head(answer))]
    for part in answer.body:
        if not isinstance(part, bytes):
            script.append(part)
            continue
        if answer.pace:
            script.append(Wait(answer.pace))
        script.append(Send(chunk(part) if answer.framing == "chunked" else part))
    if isinstance(script[-1], (Reset, Close)):
        return tuple(script)
    if answer.framing == "chunked":
        script.append(Send(b"0\r\n\r\n"))
    elif answer.framing == "close":
        script.append(Close())
    return tuple(script)


def status_of(script: Script) -> int | None:
    """The final status that a script sends; None if it sends none."""
    return _final_head(b"".join(step.data for step in script if isinstance(step, Send)))[0]


def without_body(script: Script) -> Script:
    """The script of the answer to a HEAD request: the connection ends behind the final head."""
    steps: list[Step] = []
    said = b""
    for step in script:
        status, _ = _final_head(said)
        if status is not None and not isinstance(step, (Close, Reset)):
            continue
        if isinstance(step, Send):
            before = len(said)
            said += step.data
            status, end = _final_head(said)
            steps.append(step if status is None else Send(said[before:end]))
        else:
            steps.append(step)
    return tuple(steps)


def _final_head(said: bytes) -> tuple[int | None, int]:
    """The status of the head that is not informational, and where that head ends; None if it never comes."""
    at = 0
    while said.startswith(b"HTTP/1.1 ", at) and (end := said.find(b"\r\n\r\n", at)) >= 0:
        code, at = int(said[at + 9 : at + 12]), end + 4
        if code >= 200 or code == 101:
            return code, at
    return None, at
