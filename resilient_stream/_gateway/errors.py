"""How the gateway reports a failure: JSON and events in the API's format, with messages for any language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from resilient_stream._core.failures import Failure, Kind
from resilient_stream._core.wire import sse

from .headers import Headers

TIMEOUTS: Final = frozenset({Kind.SILENT, Kind.STALLED, Kind.TIMEOUT_ERROR})

NAMES: Final = {
    400: "invalid_request_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "invalid_request_error",
    410: "not_found_error",
    413: "request_too_large",
    502: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""``error.type`` for the statuses that the gateway sends [platform docs, "Errors"]."""

FINAL: Final = (b"x-should-retry", b"false")
"""Tells the official SDKs not to retry, because the gateway has done so."""


class GaveUp(Exception):
    """A stream has failed, and nothing more will be tried."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure.kind))
        self.failure = failure


class Refused(Exception):
    """A request that the gateway answers itself.

    Args:
        status: of the answer.
        message: for the client.
        close: whether the connection ends with the answer, because the request was not read to its end.
    """

    def __init__(self, status: int, message: str, *, close: bool = False) -> None:
        super().__init__(message)
        self.status, self.message, self.close = status, message, close


def status_of(failure: Failure) -> int:
    """The status for a failure without a response, as far as a proxy can express it."""
    return 504 if failure.kind in TIMEOUTS else 502


def page(status: int, message: str) -> bytes:
    """The JSON of an error, in the API's format."""
    error = {"type": NAMES[status], "message": f"resilient-stream: {message}"}
    return json.dumps({"type": "error", "error": error}).encode()


def headers_of(content: bytes, kind: bytes = b"application/json") -> Headers:
    """The headers of a response that the gateway has written itself."""
    return [(b"content-type", kind), (b"content-length", b"%d" % len(content))]


def event(failure: Failure, message: str) -> bytes:
    """The event with which a failed stream ends: the API's own if there is one.

    Args:
        failure: why.
        message: what to say if the API has reported nothing.
    """
    if failure.frame:
        return failure.frame.rstrip(b"\r\n") + b"\n\n"
    if isinstance(failure.body, Mapping) and isinstance(failure.body.get("error"), Mapping):
        return sse.encode("error", failure.body)
    error = {"type": NAMES[status_of(failure)], "message": f"resilient-stream {message}"}
    return sse.encode("error", {"type": "error", "error": error})
