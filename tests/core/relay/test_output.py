"""What is handed over, what waits, and under which index."""

from __future__ import annotations

from resilient_stream._core.relay.held_block import HeldBlock
from resilient_stream._core.relay.output import Output
from resilient_stream._core.turn.transcript import Turn
from resilient_stream._core.wire.events import Event, read
from tests.support.consumer import consume
from tests.support.contents import text
from tests.support.streams import PING, block_start, block_stop, start, text_delta


def way() -> Output:
    """A way out, with one block begun."""
    out = Output(Turn())
    for one in (start(), block_start(0, text("")), text_delta(0, "a")):
        out.hand(read(one))
    return out


def test_what_is_handed_over_is_recorded_and_taken_once() -> None:
    """The turn knows what the consumer gets, and the bytes are given once."""
    out = way()
    assert [block.text for block in out.turn.blocks] == ["a"]
    assert consume(out.take()).blocks == [text("a")]
    assert out.take() == b""
    out.hand(read(block_stop(0)))
    assert out.take() == block_stop(0)


def test_what_waits_is_handed_over_in_order() -> None:
    """Content flushes what waits, in its order; what is no content stands behind what waits."""
    out = way()
    out.take()
    out.in_order(read(PING))
    assert out.take() == PING
    out.wait(read(text_delta(0, "b")))
    out.in_order(read(PING))
    assert out.take() == b""
    assert out.turn.blocks[0].text == "a"
    out.content(read(text_delta(0, "c")))
    assert out.take() == text_delta(0, "b") + PING + text_delta(0, "c")
    assert out.turn.blocks[0].text == "abc"


def test_what_is_dropped_never_was() -> None:
    """An attempt that dies leaves nothing of what waited."""
    out = way()
    out.take()
    out.wait(read(text_delta(0, "b")))
    out.drop()
    out.flush()
    assert out.take() == b""
    assert out.turn.blocks[0].text == "a"


def test_a_block_left_open_is_closed_before_the_next() -> None:
    """No two blocks are open at once."""
    out = way()
    out.hand(read(block_start(1, text(""))))
    out.close_open_block()
    out.close_open_block()
    heard = consume(out.take())
    assert len(heard.blocks) == 2
    assert heard.types.count("content_block_stop") == 2


def test_blocks_are_placed_behind_those_that_wait_too() -> None:
    """Indices rise by one, whatever upstream calls a block."""
    out = way()
    out.place_behind(0)
    event = read(block_start(0, text("")))
    assert out.placed(event).data["index"] == 1
    out.wait(out.placed(event))
    out.place_behind(1)
    assert out.placed(read(block_start(1, text("")))).data["index"] == 2


def test_a_block_can_go_on_in_the_last() -> None:
    """A continuation's first text goes into the block that is open; an event in place stays as it is."""
    out = way()
    out.place_in_last(3)
    assert (
        out.placed(read(text_delta(3, "b"))).frame
        == Event.of(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "b"}}
        ).frame
    )
    out.place_in_last(0)
    event = read(text_delta(0, "b"))
    assert out.placed(event) is event


def test_only_an_empty_block_is_dropped() -> None:
    """A block that waits goes only if there is nothing in it; what stands before it stays."""
    out = way()
    out.wait(read(text_delta(0, " ")))
    out.wait(read(block_start(1, text(""))))
    out.wait(read(text_delta(1, "")))
    assert out.drop_empty_block()
    assert len(out.waiting) == 1
    out.place_behind(1)
    assert out.placed(read(block_start(1, text("")))).data["index"] == 1
    out.wait(read(block_start(1, text(""))))
    out.wait(read(text_delta(1, " ")))
    assert not out.drop_empty_block()
    assert len(out.waiting) == 3


def test_a_held_block_that_waits_says_something() -> None:
    """What waits behind a message's start is nothing only where all of it is blank text."""
    out = way()
    out.wait(read(start()))
    assert out.nothing_said is not None
    out.wait_whole(HeldBlock(read(block_start(0, {"type": "tool_use", "id": "t", "name": "n", "input": {}}))))
    assert out.nothing_said is None
