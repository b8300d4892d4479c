"""What a reader over HTTP gets."""

from __future__ import annotations

import json

import pytest

from resilient_stream import errors
from resilient_stream._journal.wire import error_event, numbered, status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.BadCursor("x"), 400),
        (errors.ForeignCursor("x"), 404),
        (errors.UnknownStream("x"), 404),
        (errors.ExpiredStream("x"), 410),
        (errors.JournalUnavailable("x"), None),
        (errors.WriterGone("x"), None),
    ],
)
def test_what_can_not_be_read_has_a_status(error: errors.JournalError, status: int | None) -> None:
    """None where it is no fault of the reader's."""
    assert status_of(error) == status


def test_an_event_has_its_place() -> None:
    """In the line before it."""
    assert numbered("tag-7", b"event: x\ndata: {}\n\n") == b"id: tag-7\nevent: x\ndata: {}\n\n"


def test_an_error_is_an_event_of_the_api() -> None:
    """Its message can't end the line."""
    name, data = error_event("a\nb").split(b"\n")[:2]
    assert name == b"event: error"
    assert json.loads(data.removeprefix(b"data: "))["error"] == {"type": "api_error", "message": "a\nb"}
