"""Memory stays within a small multiple of the text."""

from __future__ import annotations

import tracemalloc
from itertools import chain, repeat

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.states import Read, Send, Wait
from tests.support.contents import CALL, text
from tests.support.machines import machine
from tests.support.streams import PING, STOP, block_start, block_stop, delta, ending, start, text_delta

PIECE = "The tide comes in \U0001f30a, \u6f6e\u6c50, and goes out.\n" * 5
PIECES = 3000


@pytest.mark.parametrize("joined", [1, 7], ids=["event by event", "several in a chunk"])
def test_a_long_stream_takes_little_more_than_its_text(joined: int) -> None:
    """At most three times the text's bytes, in a stream that is read and thrown away."""
    frames = [text_delta(0, PIECE)] * PIECES
    chunks = [b"".join(frames[at : at + joined]) for at in range(0, PIECES, joined)]
    made = machine()
    tracemalloc.start()
    try:
        made.start(0.0)
        action = made.head(0.0, 200, None)
        for chunk in (start(), block_start(0, text("")), *chunks, block_stop(0), ending(), STOP):
            if not (isinstance(action, Read) and action.slack >= 0 and made.quick(chunk)):
                action = made.data(0.0, chunk, 0.0)
                made.take()
        made.end(0.0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert made.ledger.outcome == "completed"
    assert made.turn.characters == len(PIECE) * PIECES
    assert peak < 3 * len(PIECE.encode()) * PIECES


@pytest.mark.parametrize(("size", "times"), [(1, 3), (4, 3), (20, 3), (400, 4)])
def test_a_call_that_is_held_takes_little_more_than_its_bytes(size: int, times: int) -> None:
    """At most three times what came on the wire, and four, while it is read and handed over, where pieces are large."""
    piece = delta(0, type="input_json_delta", partial_json="x" * size)
    count = 4 * 2**20 // len(piece)
    opening = [
        start(),
        block_start(0, CALL | {"input": {}}),
        delta(0, type="input_json_delta", partial_json='{"a":"'),
    ]
    closing = [delta(0, type="input_json_delta", partial_json='"}'), block_stop(0)]
    made, handed = machine(), 0
    tracemalloc.start()
    try:
        made.start(0.0)
        made.head(0.0, 200, None)
        for chunk in chain(opening, repeat(piece, count), closing):
            made.data(0.0, chunk, 0.0)
            handed += len(made.take())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert handed == len(piece) * count + sum(map(len, (*opening, *closing)))
    assert made.turn.blocks[0].param()["input"] == {"a": "x" * size * count}
    assert peak < times * handed


@pytest.mark.parametrize(
    "frame",
    [PING, b":\n\n", text_delta(0, ""), text_delta(0, " ")],
    ids=["ping", "comment", "empty", "blank"],
)
def test_what_precedes_content_takes_little_memory(frame: bytes) -> None:
    """However long it goes on, only so much of it waits."""
    made = machine()
    tracemalloc.start()
    try:
        made.start(0.0)
        made.head(0.0, 200, None)
        made.data(0.0, start() + block_start(0, text("")), 0.0)
        for _ in range(30_000):
            made.data(0.0, frame, 0.0)
            made.take()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * 2**20


def test_waiting_blocks_take_little_more_than_bytes() -> None:
    """Also while they are read and handed over, when the one in front is closed."""
    piece = text_delta(1, "x" * 20)
    count = 4 * 2**20 // len(piece)
    opening = [start(), block_start(0, text("")), text_delta(0, "a"), block_start(1, text(""))]
    made, handed = machine(), 0
    tracemalloc.start()
    try:
        made.start(0.0)
        made.head(0.0, 200, None)
        for chunk in chain(opening, repeat(piece, count), [block_stop(0), block_stop(1)]):
            made.data(0.0, chunk, 0.0)
            handed += len(made.take())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert made.turn.blocks[1].text == "x" * 20 * count
    assert peak < 3 * handed
    assert handed == len(piece) * count + sum(map(len, opening)) + len(block_stop(0)) + len(block_stop(1))


def test_a_text_that_broke_off_is_there_once() -> None:
    """The request that asks for the rest shares it with the turn, which keeps no other copy."""
    made = machine()
    made.start(0.0)
    made.head(0.0, 200, None)
    made.data(
        0.0, start() + block_start(0, text("")) + text_delta(0, "The tide comes in, and goes out.") * 9, 0.0
    )
    action = made.fault(0.0, Failure(Kind.RESET, Phase.BODY))
    if isinstance(action, Wait):
        action = made.waited(0.0)
    assert isinstance(action, Send)
    assert action.plan.body is not None
    (said,) = [
        block["text"]
        for message in action.plan.body["messages"]
        if message["role"] == "assistant"
        for block in message["content"]
    ]
    assert said == "The tide comes in, and goes out." * 9
    assert said is made.turn.blocks[0].text
    assert not made.turn.blocks[0].raw
