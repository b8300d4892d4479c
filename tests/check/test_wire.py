from __future__ import annotations

import pytest

from resilient_stream._check.wire import Answered
from resilient_stream.testing import sse_events

USER = b'{"messages": [{"role": "user", "content": "?"}]}'
CONTINUED = b'{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "a"}]}'


@pytest.mark.parametrize(("request_body", "continues"), [(USER, False), (CONTINUED, True), (b"[]", False)])
def test_a_continuation_has_an_assistant_turn(request_body: bytes, continues: bool) -> None:
    """What has no assistant turn, or is no request at all, is no continuation."""
    assert Answered(request_body, 200, {}, b"", cut=False).continues is continues


def test_events_are_read_from_whole_frames_alone() -> None:
    """A frame that was cut, one without JSON and one whose JSON is no object have no event; CRLF is a line's end."""
    frames = sse_events("Hello")
    body = b"".join(frames) + b": comment\n\ndata: nonsense\n\ndata: 7\n\ndata: {"
    read = [event["type"] for event in Answered(b"{}", 200, {}, body, cut=True).events()]
    assert read == [
        event["type"]
        for event in Answered(b"{}", 200, {}, b"".join(frames).replace(b"\n", b"\r\n"), cut=False).events()
    ]
    assert read[0] == "message_start"
    assert read[-1] == "message_stop"
