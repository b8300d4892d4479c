"""What may follow what in the stream of one message, and in which order it goes on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from resilient_stream._core.failures import Flaw, Kind
from resilient_stream._core.wire import event_order
from resilient_stream._core.wire.event_order import NO_REASON_AT_STOP, Grammar
from resilient_stream._core.wire.events import read
from tests.support.contents import text
from tests.support.golden import GOLDEN
from tests.support.streams import (
    STOP,
    Json,
    block_start,
    block_stop,
    ending,
    frame,
    start,
    text_delta,
)


def taken(grammar: Grammar, frames: Iterable[bytes]) -> list[bytes]:
    """What goes on of these frames."""
    return [event.frame for one in frames for event in grammar.take(read(one))]


def told(*frames: bytes) -> list[str]:
    """What goes on of these frames, in short."""
    return [short(read(one).data) for one in taken(Grammar(), frames)]


def short(event: Json) -> str:
    """An event in a few letters: its index, and what it does."""
    match event["type"]:
        case "content_block_start":
            return f"{event['index']}["
        case "content_block_delta":
            return f"{event['index']}{event['delta']['text']}"
        case "content_block_stop":
            return f"{event['index']}]"
        case other:
            return str(other)


def opens(label: Any) -> bytes:
    """A text block begins under this index; without one if it is "absent"."""
    return indexed({"type": "content_block_start", "index": label, "content_block": text("")})


def grows(label: Any, said: str) -> bytes:
    """It goes on."""
    delta = {"type": "text_delta", "text": said}
    return indexed({"type": "content_block_delta", "index": label, "delta": delta})


def ends(label: Any) -> bytes:
    """It is complete."""
    return indexed({"type": "content_block_stop", "index": label})


def indexed(event: Json) -> bytes:
    """A frame, its index left out where that is "absent"."""
    return frame({name: value for name, value in event.items() if value != "absent"})


@pytest.mark.parametrize("name", GOLDEN)
def test_whole_streams_go_on_as_they_came(name: str) -> None:
    """Golden streams are in order; no frame is changed, and none waits."""
    grammar, frames = Grammar(), [one + b"\n\n" for one in GOLDEN[name].split(b"\n\n")[:-1]]
    for one in frames:
        assert taken(grammar, [one]) == [one]
    assert grammar.opening is not None
    assert grammar.stop_reason is not None


@pytest.mark.parametrize(
    "frames",
    [
        [start(), start(id="another")],
        [start(), opens(0), start()],
        [opens(0)],
        [start(), opens(0), block_start(0, text("x"))],
        [start(), opens(0), opens(2)],
        [start(), opens(0), ends(0), ending(), opens(1)],
        [start(), grows(0, "a")],
        [start(), opens(0), grows(1, "a")],
        [start(), opens(0), ends(0), grows(0, "a")],
        [start(), opens(0), opens(1), grows("absent", "a")],
        [start(), opens(0), opens(1), ends(1), grows(1, "a")],
        [start(), ends(0)],
        [start(), opens(0), ends(1)],
        [start(), opens(7), ends(7), opens(9), grows(0, "a")],
        [ending()],
    ],
)
def test_an_event_out_of_place_is_a_flaw(frames: list[bytes]) -> None:
    """Where an event belongs is not guessed: something before it may be missing, or come twice."""
    grammar = Grammar()
    taken(grammar, frames[:-1])
    with pytest.raises(Flaw) as caught:
        taken(grammar, frames[-1:])
    assert caught.value.failure.kind is Kind.PROTOCOL


def test_an_end_without_a_reason_is_truncated() -> None:
    """A message_stop alone does not make a message complete, whatever follows it."""
    for after in (None, STOP, opens(0), grows(0, "a"), ends(0)):
        grammar = Grammar()
        assert taken(grammar, [start(), opens(0), ending(None)]) != []
        assert taken(grammar, [STOP]) == []
        assert grammar.waits
        with pytest.raises(Flaw) as caught:
            grammar.end() if after is None else taken(grammar, [after])
        assert (caught.value.failure.kind, caught.value.failure.detail) == (
            Kind.TRUNCATED,
            NO_REASON_AT_STOP,
        )
        assert not grammar.waits
        grammar.end()


def test_a_stop_that_comes_too_early_waits_for_the_reason() -> None:
    """They go on in the order in which they should have come; other events don't wait."""
    usage = frame({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 3}})
    told_early = told(start(), STOP, frame({"type": "novel"}), usage, ending())
    assert told_early == ["message_start", "novel", "message_delta", "message_delta", "message_stop"]


@pytest.mark.parametrize("label", [0, None, "absent"])
def test_a_second_stop_stops_nothing(label: Any) -> None:
    """Nor does that of a block before, while another is open."""
    assert told(start(), opens(0), ends(0), ends(label), opens(1), ends(1)) == [
        "message_start",
        "0[",
        "0]",
        "1[",
        "1]",
    ]
    overlapping = [start(), opens(0), opens(1), ends(1), ends(1), ends(0), ends(0)]
    assert told(*overlapping) == ["message_start", "0[", "0]", "1[", "1]"]
    assert told(start(), opens(0), ends(0), opens(1), ends(0), grows(1, "a"))[-1] == "1a"


def test_the_same_start_twice_is_one() -> None:
    """While its block is open."""
    assert told(start(), opens(0), opens(0), grows(0, "a")) == ["message_start", "0[", "0a"]


@pytest.mark.parametrize("label", [0, 1])
def test_a_block_is_known_by_its_place_too(label: int) -> None:
    """A host that gives a start another index than what follows, as the SDK reads it; or all blocks the same."""
    assert told(start(), opens(0), ends(0), opens(0), grows(label, "a"), ends(label)) == [
        "message_start",
        "0[",
        "0]",
        "1[",
        "1a",
        "1]",
    ]
    assert told(start(), opens(7), grows(0, "a"), ends(0)) == ["message_start", "0[", "0a", "0]"]


def test_the_same_message_start_twice_is_one() -> None:
    """Before anything else has come, a frame that is sent again says nothing new."""
    assert told(start(), start(), opens(0)) == ["message_start", "0["]


def test_usage_may_be_told_at_any_time() -> None:
    """A message_delta without a stop reason goes on at once, be a block open or not."""
    assert told(start(), ending(None), opens(0), ending(None), grows(0, "a"))[1:] == [
        "message_delta",
        "0[",
        "message_delta",
        "0a",
    ]


def test_a_stop_reason_may_come_inside_a_block() -> None:
    """As it does where ``max_tokens`` ends a tool call; the block may be closed behind it."""
    assert told(start(), opens(0), ending(), ends(0))[1:] == ["0[", "message_delta", "0]"]


def test_unknown_events_may_come_anywhere() -> None:
    """The API may add event types."""
    novel = frame({"type": "a", "index": 7})
    assert told(novel, start(), novel, opens(0), novel, ends(0), ending(), novel, STOP).count("a") == 4


@pytest.mark.parametrize(
    "labels", [(1, 2), (0, 7), (3, 1), (-1, 4), ("absent", "absent"), (None, None), ("0", "1"), (False, 1.0)]
)
def test_indices_rise_by_one(labels: tuple[Any, Any]) -> None:
    """Whatever they were: with gaps where blocks were filtered out, in another order, missing, no numbers."""
    first, second = labels
    frames = [opens(first), grows(first, "a"), ends(first), opens(second), grows(second, "b"), ends(second)]
    assert told(start(), *frames)[1:] == ["0[", "0a", "0]", "1[", "1b", "1]"]


def test_blocks_that_overlap_come_one_after_the_other() -> None:
    """A block that begins while another is open waits until that is closed, and then goes on as it comes."""
    grammar = Grammar()
    assert len(taken(grammar, [start(), opens(0), grows(0, "a")])) == 3
    assert taken(grammar, [opens(1), grows(1, "x"), opens(2), grows(2, "p"), ends(2)]) == []
    assert len(list(grammar.behind())) == 2
    assert taken(grammar, [grows(0, "b")]) == [text_delta(0, "b")]
    closing = taken(grammar, [ends(0)])
    assert [short(read(one).data) for one in closing] == ["0]", "1[", "1x"]
    assert taken(grammar, [grows(1, "y")]) == [text_delta(1, "y")]
    closing = taken(grammar, [ends(1)])
    assert [short(read(one).data) for one in closing] == ["1]", "2[", "2p", "2]"]
    assert (grammar.open, grammar.index, list(grammar.behind())) == (None, 2, [])


def test_the_end_of_the_message_closes_an_open_block() -> None:
    """So that what waits behind it comes before the stop reason; the last stays as the API left it."""
    frames = [opens(0), grows(0, "a"), opens(1), grows(1, "b"), opens(2), ends(2), ending()]
    assert told(start(), *frames)[1:] == ["0[", "0a", "0]", "1[", "1b", "1]", "2[", "2]", "message_delta"]
    assert told(start(), opens(0), opens(1), ending())[1:] == ["0[", "0]", "1[", "message_delta"]


def test_overlapping_blocks_keep_their_own_indices_behind_a_gap() -> None:
    """The next index is that behind the last, wherever the indices began."""
    frames = [opens(4), opens(5), grows(5, "b"), grows(4, "a"), ends(5), ends(4)]
    assert told(start(), *frames)[1:] == ["0[", "0a", "0]", "1[", "1b", "1]"]


def test_blocks_that_wait_behind_an_open_one_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many bytes; those that have gone on do not count."""
    monkeypatch.setattr(event_order, "LONGEST_BEHIND", 2000)
    grammar, piece = Grammar(), text_delta(2, "x" * 100)
    taken(grammar, [start(), block_start(0, text("")), block_start(1, text(""))])
    taken(grammar, [text_delta(1, "x" * 100)] * 8)
    taken(grammar, [block_stop(0), block_start(2, text("")), *[piece] * 8])
    with pytest.raises(Flaw, match="more than 2000 bytes behind") as raised:
        taken(grammar, [piece] * 3)
    assert raised.value.failure.kind is Kind.PROTOCOL


def test_content_of_a_message_start_comes_as_blocks() -> None:
    """Ahead of all others, as the SDK puts it there; the message_start itself has none."""
    grammar = Grammar()
    out = taken(grammar, [start(content=[text("a"), {"type": "text"}]), opens(0), grows(0, "b")])
    assert [short(read(one).data) for one in out[1:]] == ["0[", "0]", "1[", "1]", "2[", "2b"]
    assert read(out[0]).data["message"]["content"] == []
    assert read(out[3]).data["content_block"] == {"type": "text", "text": ""}


def test_the_open_block_is_known() -> None:
    """From its start to its stop; its type also at its stop."""
    grammar = Grammar()
    for one, is_open in [
        (start(), False),
        (block_start(5, text("")), True),
        (text_delta(5, "a"), True),
        (block_stop(5), False),
        (ending(), False),
    ]:
        for _ in grammar.take(read(one)):
            assert (grammar.open is not None) is is_open
            assert grammar.kind == ("" if grammar.index < 0 else "text")
    assert (grammar.index, grammar.label) == (0, 5)
