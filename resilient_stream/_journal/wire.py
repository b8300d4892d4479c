"""What a reader over HTTP gets: events with their numbers, and the status of what can't be read."""

from __future__ import annotations

from typing import Final

from resilient_stream._core.wire import sse
from resilient_stream.errors import (
    BadCursor,
    ExpiredStream,
    ForeignCursor,
    JournalError,
    UnknownStream,
)

CURSOR: Final = "last-event-id"
"""The header with which a reader says where it was."""

HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""No proxy may keep the answer, nor hold it back."""

_STATUSES: Final[tuple[tuple[type[JournalError], int], ...]] = (
    (BadCursor, 400),
    (UnknownStream, 404),
    (ForeignCursor, 404),
    (ExpiredStream, 410),
)


def status_of(error: JournalError) -> int | None:
    """The status of an answer to a reader; None where it is no fault of his."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), None)


def numbered(cursor: str, frame: bytes) -> bytes:
    """A frame with the place behind it, which an ``EventSource`` comes back with."""
    return b"id: %s\n%s" % (cursor.encode(), frame)


def error_event(message: str) -> bytes:
    """The event with which a stream ends that is not complete, in the API's shape."""
    return sse.encode("error", {"type": "error", "error": {"type": "api_error", "message": message}})
