"""A block that is held: its frames, and what they make."""

from __future__ import annotations

import pytest

from resilient_stream._core.relay.held_block import LONGEST_HELD, HeldBlock
from resilient_stream._core.turn.transcript import Block
from resilient_stream._core.wire.events import Event, read
from tests.support.contents import CALL, CITED, THOUGHT
from tests.support.streams import PING, Json, block, delta, frame


@pytest.mark.parametrize("content", [CALL, THOUGHT, CITED])
def test_it_is_the_block_that_its_events_make(content: Json) -> None:
    """Whatever came among them, the frames are all there in order, and the block is that of the events."""
    frames = block(0, content)
    start, *rest = map(read, frames)
    held = HeldBlock(start)
    for event in rest:
        held.add(event)
        held.add(read(PING))
        held.add(read(frame({"type": "novel"})))
    among = PING + frame({"type": "novel"})
    assert held.frames == frames[0] + b"".join(one + among for one in frames[1:])
    assert held.block.param() == Block.of([start, *rest]).param()
    assert held.block.closed


def test_it_has_a_limit() -> None:
    """Far beyond what a model writes into one call."""
    start, *_ = map(read, block(0, CALL))
    held = HeldBlock(start)
    piece = read(delta(0, type="input_json_delta", partial_json="x" * 2**20))
    for _ in range(LONGEST_HELD // len(piece.frame)):
        held.add(piece)
    assert not held.too_long
    held.add(piece)
    assert held.too_long
    assert len(held.frames) < LONGEST_HELD + 2 * len(piece.frame)


def test_what_it_keeps_of_an_event_is_its_bytes() -> None:
    """Nothing of the event itself is kept."""
    start, step, *_ = map(read, block(0, CALL))
    held = HeldBlock(start)
    held.add(Event(step.type, step.data, b"x"))
    assert held.frames.endswith(b"x")
