"""The kinds of failures of a stream; the list is closed.

A failure has a *kind* (what went wrong) and a *phase* (how far the request had come). It is *in band* if the
API reported it inside a body that had begun with status 200. The kinds are the same in every adapter, sync
and async, so that policies, reports and dashboards use the same words. They are recognised by exception type,
cause chain and ``error.type``, never by the text of a message, which differs between sync and async, between
TLS and plain sockets, and between operating systems.

A policy treats three classes of kinds differently:

* *connection* kinds: the connection broke. The next request may follow at once.
* *overload* kinds: the API answers that it can't serve the request now. The next request has to wait.
* *final* kinds: another request would fail in the same way.
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
    """Bytes that are not valid: bad UTF-8, bad JSON, bad compression."""
    PROTOCOL = "protocol"
    """Well-formed, but not the stream of one message; or a 200 that is not an event stream."""
    OVERLOADED = "overloaded"
    """Status 529, or ``overloaded_error``."""
    RATE_LIMITED = "rate_limited"
    """Status 429, or ``rate_limit_error``."""
    API_ERROR = "api_error"
    """Any other error of the server: other 5xx, 409, 425, ``api_error``."""
    TIMEOUT_ERROR = "timeout_error"
    """Status 504 or 408, or ``timeout_error``: the server gave up waiting."""
    REJECTED = "rejected"
    """The request itself is refused: other 4xx, a redirect loop, a spend cap."""
    BUDGET = "budget"
    """A limit of the policy forbids another attempt."""
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
    """Seconds the server asked to wait; None if it sent no usable value."""
    should_retry: bool | None = None
    """The server's ``x-should-retry``, which overrides every rule of the policy."""
    request_id: str | None = None
    given_up: bool = False
    """Another layer of the library, nearer to the API, has given up."""
    body: Any = field(default=None, repr=False, compare=False)
    undecodable: bool = False
    """The body could not be decoded, or its content encoding may be the reason why nothing could be read. The
    request may be sent again without a content encoding."""
    frame: bytes = field(default=b"", repr=False, compare=False)
    """The bytes of the event with an in-band error; empty if there was none, or if it is too long to keep."""

    @property
    def said(self) -> Any:
        """The API's answer: JSON, or text if it was not JSON; None if it was too long to keep."""
        body = self.body
        return body["unreadable"] if isinstance(body, dict) and "unreadable" in body else body


SPEND_CAPS: Final = frozenset({"contract_spend_limit_reached", "enforced_spend_limit_reached"})
"""``error.details.error_code`` of a 429 after which waiting does not help."""


_ERROR_STATUS: Final = re.compile(r"[45]\d\d", re.ASCII)
_WORD: Final = re.compile(r"[\w./:-]{1,80}", re.ASCII)


def kind_of_status(status: int, error_code: str | None = None) -> Kind:
    """The kind that an HTTP status stands for.

    408 and 504 are timeouts of the server. 409 (lock) and 425 (too early) are temporary, like other 5xx; the
    SDK retries 409 too.
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
"""``error.type`` to the status it has outside a stream [platform docs, "Errors"]. Other types count as errors
of the server."""


def error_in(said: object) -> object:
    """The error in an answer, where gateways put it: under ``error``, as the first of several, or inside
    another error; or the answer itself, if it has no ``error`` or its type is that of an error. None if
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
    """The kind of an in-band error, by its ``error`` object; an unreadable one is an `API_ERROR`."""
    details = error.get("details") if isinstance(error, Mapping) else None
    code = details.get("error_code") if isinstance(details, Mapping) else None
    return kind_of_status(status_of_error(error), code if is_word(code) else None)


def status_of_error(error: object) -> int:
    """The status that an in-band error has outside a stream; 500 if it names none."""
    return named_status(error) or 500


def named_status(error: object) -> int | None:
    """The status that an in-band error names: that of its type. If the type is not the API's, gateways may
    send a status as ``code``, ``status`` or ``statusCode``, as digits or a number."""
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
    """Whether a value from outside is a technical word that may appear in logs and exceptions."""
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


class Flaw(Exception):
    """Raised inside the core when a failure is noticed. It never leaves the machine."""

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
    """A reply ended normally without any content."""

    def __init__(self, stop_reason: str, detail: str = "the continuation brought nothing") -> None:
        super().__init__(Kind.PROTOCOL, detail)
        self.stop_reason = stop_reason
        self.answer = list[Any]()
        """The events of an empty answer, which is delivered if no further request is possible."""
