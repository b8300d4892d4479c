import json
from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._gateway import errors

API = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def said(event: bytes) -> Any:
    """The JSON of an event."""
    assert event.startswith(b"event: error\ndata: ")
    assert event.endswith(b"\n\n")
    return json.loads(event.removeprefix(b"event: error\ndata: "))


@pytest.mark.parametrize(
    ("kind", "status"),
    [(Kind.RESET, 502), (Kind.CONNECT, 502), (Kind.TLS_VERIFY, 502), (Kind.SILENT, 504), (Kind.STALLED, 504)],
)
def test_a_proxy_says_502_or_504(kind: Kind, status: int) -> None:
    """504 where time ran out, 502 for whatever else happened without a response."""
    assert errors.status_of(Failure(kind, Phase.HEADERS)) == status


def test_pages_have_the_apis_shape() -> None:
    """So that clients of the API read them."""
    assert json.loads(errors.page(529, "too many")) == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "resilient-stream: too many"},
    }


def test_the_apis_own_event_is_handed_on() -> None:
    """As it came, with one blank line behind it."""
    frame = b'event: error\r\ndata: {"type":"error"}'
    for end in (b"", b"\r\n\r\n", b"\n\n"):
        failure = Failure(Kind.OVERLOADED, Phase.BODY, in_band=True, frame=frame + end)
        assert errors.event(failure, "gave up") == frame + b"\n\n"


def test_the_apis_own_words_are_handed_on() -> None:
    """Where a later attempt was answered with a status, its JSON is the event."""
    assert said(errors.event(Failure(Kind.OVERLOADED, Phase.HEADERS, body=API), "gave up")) == API


@pytest.mark.parametrize("body", [None, "<html>", {"error": "text"}, {"detail": {}}])
def test_what_is_not_the_apis_is_said_in_its_shape(body: Any) -> None:
    """An error page of something in between is not."""
    failure = Failure(Kind.SILENT, Phase.HEADERS, body=body)
    assert said(errors.event(failure, "gave up")) == {
        "type": "error",
        "error": {"type": "timeout_error", "message": "resilient-stream gave up"},
    }
