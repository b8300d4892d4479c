"""An event of a whole frame is the SDK's event, made and parsed in less time."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest
from anthropic._streaming import ServerSentEvent, SSEDecoder
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream import resilient
from resilient_stream._sdk.whole_frame import event_class
from tests.support.worlds import ASK, HASTY, TEXT, USER_TURN_MODEL, stand_in

JSON = (
    '{"a": [1, "b"]}',
    ' {"a": 1}\n',
    "[NaN, 1e999, 1]",
    '"\\ud800"',
    "",
    " ",
    "{",
    "[1] 2",
    "\ufeff{}",
    "no",
)
"""Data that is JSON, and data that is not."""


@given(st.sampled_from(JSON) | st.text())
def test_the_json_of_an_event_is_what_the_sdk_makes_of_it(data: str) -> None:
    """And so is what is said of data that is no JSON."""

    def parsed(event: Any) -> tuple[str, Any]:
        try:
            return repr(event.json()), None
        except json.JSONDecodeError as error:
            return str(error), (error.doc, error.pos)

    made: Any = event_class(ServerSentEvent)
    assert parsed(made("a", data)) == parsed(ServerSentEvent(event="a", data=data))


def test_an_event_of_the_sdk_that_has_more_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a later release adds to it is not lost: the SDK's decoder stays."""

    class Later(ServerSentEvent):
        @property
        def received_at(self) -> float:
            return 0.0

    assert event_class(Later) is None
    monkeypatch.setattr("anthropic._streaming.ServerSentEvent", Later)
    asked: dict[str, Any] = {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK}
    with stand_in(None) as server, anthropic.Anthropic(api_key="k", base_url=server.url) as bare:
        client = resilient(bare, HASTY)
        with client.messages.stream(**asked) as stream:
            assert stream.get_final_text() == TEXT
        assert type(client._make_sse_decoder()) is SSEDecoder


def test_an_event_does_not_show_its_data() -> None:
    """It is a part of the reply, and a log of variables would have it."""
    made: Any = event_class(ServerSentEvent)
    assert "secret" not in repr(made("a", "secret"))
    assert "secret" not in str(made("a", "secret"))
