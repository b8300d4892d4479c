"""What may follow what in the stream of one message."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._core.failures import Flaw, Kind
from resilient_stream._core.wire.event_order import Grammar
from resilient_stream._core.wire.events import Event, read
from tests.support.contents import text
from tests.support.golden import GOLDEN
from tests.support.streams import block_start, block_stop, ending, start, text_delta

HELLO: Any = {"type": "message_start", "message": {}}
OPEN: Any = {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}
GROW: Any = {"type": "content_block_delta", "index": 0, "delta": {}}
CLOSE: Any = {"type": "content_block_stop", "index": 0}
END: Any = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}


def checked(*events: Any) -> Grammar:
    """A grammar that has taken these events."""
    grammar = Grammar()
    for event in events:
        grammar.check(Event.of(event))
    return grammar


@pytest.mark.parametrize("name", GOLDEN)
def test_whole_streams_are_grammatical(name: str) -> None:
    """Golden streams pass."""
    grammar = Grammar()
    for one in GOLDEN[name].split(b"\n\n")[:-1]:
        grammar.check(read(one + b"\n\n"))
    assert grammar.opening is not None
    assert grammar.stop_reason is not None


@pytest.mark.parametrize(
    "events",
    [
        [HELLO, HELLO],
        [{"type": "message_start"}],
        [{"type": "message_start", "message": []}],
        [OPEN],
        [HELLO, OPEN, OPEN | {"index": 1}],
        [HELLO, OPEN | {"index": 1}],
        [HELLO, OPEN | {"index": False}],
        [HELLO, OPEN | {"index": 0.0}],
        [HELLO, OPEN | {"content_block": None}],
        [HELLO, OPEN | {"content_block": {"type": ["text"]}}],
        [HELLO, OPEN, CLOSE, END, OPEN | {"index": 1}],
        [HELLO, GROW],
        [HELLO, OPEN, GROW | {"index": 1}],
        [HELLO, OPEN, GROW | {"index": 0.0}],
        [HELLO, OPEN, GROW | {"delta": None}],
        [HELLO, CLOSE],
        [HELLO, OPEN, CLOSE, CLOSE],
        [END],
        [HELLO, OPEN, END | {"delta": {}}],
        [HELLO, OPEN, END | {"delta": {"stop_reason": None}}],
        [HELLO, {"type": "message_delta"}],
        [HELLO, END | {"usage": 1}],
    ],
)
def test_an_event_out_of_place_is_a_flaw(events: list[Any]) -> None:
    """What would break the consumer above is told before it is handed over."""
    checked(*events[:-1])
    with pytest.raises(Flaw) as caught:
        checked(*events)
    assert caught.value.failure.kind is Kind.PROTOCOL


def test_a_stop_reason_may_come_inside_a_block() -> None:
    """As it does where ``max_tokens`` ends a tool call."""
    assert checked(HELLO, OPEN, END).stop_reason == "end_turn"


def test_an_end_without_a_reason_is_truncated() -> None:
    """A message_stop alone does not make a message complete."""
    with pytest.raises(Flaw) as caught:
        checked(HELLO, END | {"delta": {"stop_reason": None}}, {"type": "message_stop"})
    assert caught.value.failure.kind is Kind.TRUNCATED


def test_unknown_events_may_come_anywhere() -> None:
    """The API may add event types."""
    grammar = checked(
        {"type": "a"}, HELLO, {"type": "a"}, OPEN, {"type": "a", "index": 7}, CLOSE, END, {"type": "a"}
    )
    assert (grammar.index, grammar.open, grammar.stop_reason) == (0, None, "end_turn")


def test_the_open_block_is_known() -> None:
    """From its start to its stop."""
    grammar = Grammar()
    for one, is_open in [
        (start(), False),
        (block_start(0, text("")), True),
        (text_delta(0, "a"), True),
        (block_stop(0), False),
        (ending(), False),
    ]:
        grammar.check(read(one))
        assert (grammar.open is not None) is is_open
