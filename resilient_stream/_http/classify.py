"""Classifies exceptions and responses as failures.

Exceptions are recognised by type and cause chain, never by their text: messages differ between sync and
async, TLS and plain sockets, and are often empty. The chain of an async timeout contains the
``CancelledError`` that caused it, so this module ignores cancellations. A real cancellation is not an
`Exception`, and does not get here.
"""

from __future__ import annotations

import math
import sys
import traceback
from collections.abc import Iterator, Mapping
from typing import Any, Final

from resilient_stream._core.failures import Failure, Kind, Phase, is_word, kind_of_status
from resilient_stream._core.interruption import interrupts
from resilient_stream._core.wire.safe_json import identifier

from .dialect import CORE, HTTP, classes

Row = tuple[type[BaseException], Kind, Phase | None]
"""The kind and the phase of an exception's class. None stands for the phase in which it was raised."""

_NAMES: Final[tuple[tuple[tuple[str, ...], str, Kind, Phase | None], ...]] = (
    (("h2.exceptions",), "H2Error", Kind.CLOSED, None),
    (("ssl",), "SSLCertVerificationError", Kind.TLS_VERIFY, Phase.CONNECT),
    (HTTP, "TooManyRedirects", Kind.REJECTED, Phase.HEADERS),
    (HTTP, "UnsupportedProtocol", Kind.REJECTED, Phase.CONNECT),
    (HTTP, "LocalProtocolError", Kind.REJECTED, None),
    (HTTP, "ConnectTimeout", Kind.CONNECT, Phase.CONNECT),
    (HTTP, "PoolTimeout", Kind.CONNECT, Phase.CONNECT),
    (HTTP, "ConnectError", Kind.CONNECT, Phase.CONNECT),
    (HTTP, "ProxyError", Kind.CONNECT, Phase.CONNECT),
    (HTTP, "TimeoutException", Kind.SILENT, None),
    (HTTP, "RemoteProtocolError", Kind.CLOSED, None),
    (HTTP, "DecodingError", Kind.CORRUPT, None),
    (CORE, "ConnectionNotAvailable", Kind.CLOSED, None),
    (HTTP, "NetworkError", Kind.RESET, None),
    (("ssl",), "SSLError", Kind.RESET, None),
    (("builtins",), "ConnectionError", Kind.RESET, None),
)
"""Packages, and the name of one of their exceptions. The first row that matches any exception of the chain
decides.

If the other side broke the rules of HTTP/2 or closed the connection, httpcore passes h2's exception on as it
is, or as if this side had made the mistake.
"""


def of_exception(error: BaseException, phase: Phase, *more: Row) -> Failure | None:
    """The failure that an exception stands for; None if it is not a failure of the transport.

    Args:
        error: the exception.
        phase: how far the request had come.
        more: rows for the adapter's own exceptions, used if none of the transport's is among them.
    """
    links = list(chain(error))
    for kind_of_exception, kind, where in (*_rows(), *more):
        for link in links:
            if isinstance(link, kind_of_exception):
                undecodable = kind is Kind.CORRUPT
                return Failure(kind, where or phase, detail=type(link).__name__, undecodable=undecodable)
    if phase is Phase.BODY and isinstance(error, OSError):
        return Failure(Kind.RESET, phase, detail=type(error).__name__)
    return None


def _rows() -> Iterator[Row]:
    """The rows of the packages that are imported."""
    for packages, name, kind, phase in _NAMES:
        for found in classes(packages, name):
            yield found, kind, phase


def _is_over(held: BaseException) -> bool:
    """Whether an exception of h2 means that a connection or a stream is over, and not that this side tried to
    send something invalid.

    The other side is to blame if the exception was raised over received data. For a connection that has
    ended, h2 raises a class of its own, or an exception with a cause: the transition that its table of states
    does not have.
    """
    h2 = sys.modules.get("h2.exceptions")
    received = (frame.f_code.co_name for frame, _ in traceback.walk_tb(held.__traceback__))
    return (
        type(held) is not getattr(h2, "ProtocolError", None)
        or held.__cause__ is not None
        or "receive_data" in received
    )


def interruption(error: BaseException) -> BaseException | None:
    """The exception with which somebody interrupted a call, if ``error`` is one or was made from one by the
    HTTP packages or the SDK; None if the call itself failed."""
    return next(filter(interrupts, chain(error)), None)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception, those it was made from, and the members of groups, each once.

    A context counts only after ``raise ... from``: then it is the exception that was translated. Any other
    context is whatever was being handled at the time, for instance by the user's own ``except`` around the
    call.
    """
    waiting, seen = [error], set[int]()
    while waiting:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        context = link.__context__ if link.__suppress_context__ else None
        origins = [each for each in (link.__cause__, context) if each is not None]
        if isinstance(link, classes(CORE, "LocalProtocolError")):
            # It holds h2's exception, which may be more precise.
            held = [each for each in link.args if isinstance(each, Exception)]
            origins = [each for each in (*origins, *held) if _is_over(each)]
        waiting += origins
        if isinstance(link, BaseExceptionGroup):
            waiting += link.exceptions


def of_status(status: int, headers: Mapping[str, str], body: object, wall: float) -> Failure:
    """The failure that an error response stands for.

    Args:
        status: the HTTP status.
        headers: the response's headers, names in lower case.
        body: its JSON, or text, or None.
        wall: seconds since the epoch, for dates in ``retry-after``.
    """
    error = body.get("error") if isinstance(body, Mapping) else None
    error = error if isinstance(error, Mapping) else {}
    details = error.get("details")
    code = details.get("error_code") if isinstance(details, Mapping) else None
    kind = error.get("type")
    should_retry = {"true": True, "false": False}.get(headers.get("x-should-retry", ""))
    return Failure(
        kind_of_status(status, code if isinstance(code, str) else None),
        Phase.HEADERS,
        detail=kind if is_word(kind) else f"status {status}",
        status=status,
        retry_after=retry_after(headers, wall),
        should_retry=should_retry,
        request_id=identifier(headers.get("request-id")),
        body=body,
    )


def retry_after(headers: Mapping[str, str], wall: float) -> float | None:
    """Seconds the server asks to wait: ``retry-after-ms``, else ``retry-after`` in seconds or as a date [RFC
    9110, 10.2.3; the SDK's order]. None for a missing, invalid, zero or past value."""
    seconds = _number(headers.get("retry-after-ms"))
    if seconds is not None:
        seconds /= 1000
    else:
        seconds = _number(headers.get("retry-after"))
    if seconds is None:
        seconds = _seconds_until(headers.get("retry-after", ""), wall)
    return seconds if seconds is not None and seconds > 0 else None


def _seconds_until(date: str, wall: float) -> float | None:
    from email.utils import mktime_tz, parsedate_tz  # for a date only; most servers name the seconds

    try:
        parsed = parsedate_tz(date)
        return mktime_tz(parsed) - wall if parsed else None
    except (ValueError, OverflowError):  # a date beyond the calendar
        return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


AWS_EVENT_STREAM: Final = "application/vnd.amazon.eventstream"
"""The framing of the older Bedrock client."""


def content_type_of(response: Any) -> str:
    """A response's media type, without parameters."""
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def without_body(response: Any) -> Failure | None:
    """The failure of a successful response without a body, by its status; None for any other.

    The first bytes of a body decide what is in it, because many gateways label a valid event stream wrongly.
    """
    status, request_id = response.status_code, identifier(response.headers.get("request-id"))
    if status not in (204, 205):
        return None
    return Failure(
        Kind.PROTOCOL, Phase.HEADERS, detail=f"status {status}", status=status, request_id=request_id
    )
