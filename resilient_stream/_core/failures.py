"""The closed catalogue of ways in which a stream can die.

A failure has a *kind* (what went wrong), a *phase* (how far the request had come) and says
whether it came *in band* (told by the API inside a body that had begun with status 200) or was
noticed from outside. The kinds are the same in every adapter, sync and async, so a policy, a
report and a dashboard speak of one thing. They are recognised by exception type, cause chain and
``error.type``; never by the text of a message, which differs between the sync and the async side,
between TLS and plain sockets, and between operating systems.

Three classes matter to whoever decides what to do next:

* *connection* kinds: nobody refused anything, the wire broke. Asking again at once is right.
* *overload* kinds: the API is there and asks for patience.
* *final* kinds: asking again can only fail again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeGuard

FAILURES_PAGE: Final = "docs/failures.md"
"""The page of the documentation that has a section for each kind. Exceptions, log records and the gateway's
errors name it, so a new address of the documentation is changed here alone."""


class Kind(StrEnum):
    """What went wrong. The string values appear in reports, spans and policies."""

    CONNECT = "connect"
    """No connection: refused, unreachable, name not found, proxy refused, timed out, pool empty."""
    TLS_VERIFY = "tls_verify"
    """The server's certificate was refused."""
    CLOSED = "closed"
    """The peer closed the connection before the body was complete, or broke the HTTP framing."""
    RESET = "reset"
    """The connection was reset or broke while reading or writing."""
    SILENT = "silent"
    """No byte arrived for too long."""
    STALLED = "stalled"
    """Bytes arrived, but nothing except pings and comments for too long."""
    TRUNCATED = "truncated"
    """The body ended cleanly before a stop reason."""
    CORRUPT = "corrupt"
    """Bytes that are not what they should be: bad UTF-8, bad JSON, bad compression."""
    PROTOCOL = "protocol"
    """Well-formed, but not the stream of one message; or a 200 that is no event stream."""
    OVERLOADED = "overloaded"
    """Status 529, or ``overloaded_error``."""
    RATE_LIMITED = "rate_limited"
    """Status 429, or ``rate_limit_error``."""
    API_ERROR = "api_error"
    """Any other trouble of the server's own: other 5xx, 409, 425, ``api_error``."""
    TIMEOUT_ERROR = "timeout_error"
    """Status 504 or 408, or ``timeout_error``: the server gave up waiting."""
    REJECTED = "rejected"
    """The request itself is refused: other 4xx, a redirect loop, a spend cap."""
    BUDGET = "budget"
    """A limit of the policy's own forbids another attempt."""
    CANCELLED = "cancelled"
    """The consumer closed the stream or was cancelled."""

    @property
    def page(self) -> str:
        """The section of the documentation about this kind: what happened, and what to do."""
        return f"{FAILURES_PAGE}#{self.value}"


class Phase(StrEnum):
    """How far the attempt had come when it failed."""

    CONNECT = "connect"
    HEADERS = "headers"
    BODY = "body"


CONNECTION_KINDS: Final = frozenset(
    {
        Kind.CONNECT,
        Kind.CLOSED,
        Kind.RESET,
        Kind.SILENT,
        Kind.STALLED,
        Kind.TRUNCATED,
        Kind.CORRUPT,
        Kind.PROTOCOL,
    }
)
OVERLOAD_KINDS: Final = frozenset({Kind.OVERLOADED, Kind.RATE_LIMITED, Kind.API_ERROR, Kind.TIMEOUT_ERROR})
FINAL_KINDS: Final = frozenset({Kind.TLS_VERIFY, Kind.REJECTED, Kind.BUDGET, Kind.CANCELLED})
RETRYABLE_KINDS: Final = CONNECTION_KINDS | OVERLOAD_KINDS


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure of one attempt.

    ``detail`` is a short technical word (an exception's class, an ``error.type``, a header), never
    content. ``body`` is what the API said, kept for the exception that may be raised from it; it
    stays out of ``repr``.
    """

    kind: Kind
    phase: Phase
    in_band: bool = False
    detail: str = ""
    status: int | None = None
    retry_after: float | None = None
    """Seconds the server asked to wait; None when it said nothing usable."""
    should_retry: bool | None = None
    """The server's ``x-should-retry``; it outranks every rule of ours."""
    request_id: str | None = None
    given_up: bool = False
    """Another layer of the library, further in, has done what it could."""
    body: Any = field(default=None, repr=False, compare=False)
    undecodable: bool = False
    """The body's content encoding could not be undone, or may be why nothing of it could be read; a body
    without one may be asked for."""
    frame: bytes = field(default=b"", repr=False, compare=False)
    """The event that told of an in-band error, as it came; empty where none did, or one too long to keep."""

    @property
    def said(self) -> Any:
        """What the API said: JSON, or the text where it was none; None where it was too long to keep."""
        body = self.body
        return body["unreadable"] if isinstance(body, dict) and "unreadable" in body else body


SPEND_CAPS: Final = frozenset({"contract_spend_limit_reached", "enforced_spend_limit_reached"})
"""``error.details.error_code`` of a 429 that no waiting cures."""


_ERROR_STATUS: Final = re.compile(r"[45]\d\d", re.ASCII)
_WORD: Final = re.compile(r"[\w./:-]{1,80}", re.ASCII)


def kind_of_status(status: int, error_code: str | None = None) -> Kind:
    """The kind that an HTTP status stands for.

    408 and 504 are timeouts of the server's; 409 (lock) and 425 (too early) pass like other 5xx,
    as the SDK's own retry rules have it for 409.
    """
    if status == 529:
        return Kind.OVERLOADED
    if status == 429:
        return Kind.REJECTED if error_code in SPEND_CAPS else Kind.RATE_LIMITED
    if status in (408, 504):
        return Kind.TIMEOUT_ERROR
    if status in (409, 425) or status >= 500:
        return Kind.API_ERROR
    return Kind.REJECTED


STATUS_OF_ERROR_TYPE: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""``error.type`` to the status it has outside a stream [platform docs, "Errors"]. A type not listed is
trouble of the server's."""


def error_in(said: object) -> object:
    """The error in what was said, wherever gateways put it: under ``error``, as the first of several or
    inside of another; or all that was said, where it has no ``error`` or its type is an error's. None where
    nothing can be read."""
    if not isinstance(said, Mapping):
        return None
    kind, error = said.get("type"), said.get("error")
    if error is None or (is_word(kind) and kind in STATUS_OF_ERROR_TYPE):
        return said
    if isinstance(error, list) and error:
        error = error[0]
    inner = error.get("error") if isinstance(error, Mapping) else None
    return inner if isinstance(inner, Mapping) and inner else error


def kind_of_error(error: object) -> Kind:
    """The kind of an in-band error, by its ``error`` object; an unreadable one is the server's trouble."""
    details = error.get("details") if isinstance(error, Mapping) else None
    code = details.get("error_code") if isinstance(details, Mapping) else None
    return kind_of_status(status_of_error(error), code if is_word(code) else None)


def status_of_error(error: object) -> int:
    """The status that an in-band error would have had outside a stream; 500 where it names none."""
    return named_status(error) or 500


def named_status(error: object) -> int | None:
    """The status that an in-band error names: that of its type. Where the type is not the API's, gateways may
    give it as ``code``, ``status`` or ``statusCode``, in digits or as a number."""
    if not isinstance(error, Mapping):
        return None
    name = error.get("type")
    if is_word(name) and name in STATUS_OF_ERROR_TYPE:
        return STATUS_OF_ERROR_TYPE[name]
    for given in (error.get("code"), error.get("status"), error.get("statusCode")):
        if isinstance(given, int | str) and _ERROR_STATUS.fullmatch(digits := str(given)):
            return int(digits)
    return None


def is_word(value: object) -> TypeGuard[str]:
    """Whether something from outside is a technical word: fit for logs and the text of an exception."""
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


class Flaw(Exception):
    """Raised inside the core where a failure is noticed; it never leaves the machine."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        phase: Phase = Phase.BODY,
        in_band: bool = False,
        body: Any = None,
        frame: bytes = b"",
        undecodable: bool = False,
    ) -> None:
        super().__init__(detail)
        self.failure = Failure(
            kind,
            phase,
            in_band=in_band,
            detail=detail,
            body=body,
            frame=frame,
            undecodable=undecodable,
        )


class Barren(Flaw):
    """A reply ended, formally well, without bringing anything."""

    def __init__(self, stop_reason: str, detail: str = "the continuation brought nothing") -> None:
        super().__init__(Kind.PROTOCOL, detail)
        self.stop_reason = stop_reason
        self.answer = list[Any]()
        """The events of an answer of nothing, which must do where nothing else can be asked."""
