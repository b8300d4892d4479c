"""What a reader over HTTP receives: events with their cursors, and the status if a stream can't be read."""

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
"""The header with which a reader names its position."""

HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""No proxy may store the answer, nor buffer it."""

_STATUSES: Final[tuple[tuple[type[JournalError], int], ...]] = (
    (BadCursor, 400),
    (UnknownStream, 404),
    (ForeignCursor, 404),
    (ExpiredStream, 410),
)


def status_of(error: JournalError) -> int | None:
    """The status of the answer to a reader; None if the error is not the reader's."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), None)


def numbered(cursor: str, frame: bytes) -> bytes:
    """A frame with the cursor behind it, which an ``EventSource`` sends when it reconnects."""
    return b"id: %s\n%s" % (cursor.encode(), frame)


def error_event(message: str) -> bytes:
    """The event at the end of a stream that is not complete, in the API's format."""
    return sse.encode("error", {"type": "error", "error": {"type": "api_error", "message": message}})
