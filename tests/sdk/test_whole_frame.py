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
from tests.support.surfaces import asking
from tests.support.worlds import HASTY, TEXT, stand_in

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
    "1" * 5000,
    "[" * 100_000,
)
"""Data that is JSON, and data that is not."""


@given(st.sampled_from(JSON) | st.text())
def test_the_json_of_an_event_is_what_the_sdk_makes_of_it(data: str) -> None:
    """And so is what is said of data that is no JSON."""

    def parsed(event: Any) -> Any:
        try:
            return repr(event.json())
        except (ValueError, RecursionError) as error:
            return type(error), str(error), getattr(error, "pos", None), type(error.__context__)

    made: Any = event_class(ServerSentEvent)
    assert parsed(made("a", data)) == parsed(ServerSentEvent(event="a", data=data))


class WithProperty(ServerSentEvent):
    """It has one more property."""

    @property
    def received_at(self) -> float:
        """When it came."""
        return 0.0


class WithAttribute(ServerSentEvent):
    """It has one more attribute."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.received_at = 0.0


class WithTruth(ServerSentEvent):
    """It says whether it is empty."""

    def __bool__(self) -> bool:
        return bool(self._data)


class Slotted:
    """It has no place for other attributes."""

    __slots__ = ("_data", "_event", "_raw")

    def __init__(self, *, event: str, data: str, raw: list[str] | None = None, **_: Any) -> None:
        self._event, self._data, self._raw = event, data, raw

    @property
    def event(self) -> str:
        """The first line."""
        return self._event

    @property
    def data(self) -> str:
        """The second line."""
        return self._data

    def json(self) -> Any:
        """The data, parsed."""
        return json.loads(self._data)


def made_by_a_function(**fields: Any) -> ServerSentEvent:
    """The SDK's event, where it is no class."""
    return ServerSentEvent(**fields)


@pytest.mark.parametrize("later", [WithProperty, WithAttribute, WithTruth, Slotted, made_by_a_function])
def test_an_event_of_the_sdk_that_is_another_is_left_to_it(
    later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a later release changes in it is not lost, and breaks nothing: the SDK's decoder stays."""
    assert event_class(later) is None
    monkeypatch.setattr("anthropic._streaming.ServerSentEvent", later)
    with stand_in(None) as server, anthropic.Anthropic(api_key="k", base_url=server.url) as bare:
        client = resilient(bare, HASTY)
        with client.messages.stream(**asking()) as stream:
            assert stream.get_final_text() == TEXT
        assert type(client._make_sse_decoder()) is SSEDecoder


def test_an_event_does_not_show_its_data() -> None:
    """It is a part of the reply, and a log of variables would have it."""
    made: Any = event_class(ServerSentEvent)
    assert "secret" not in repr(made("a", "secret"))
    assert "secret" not in str(made("a", "secret"))
