"""Memory stays within a small multiple of the text."""

from __future__ import annotations

import tracemalloc

import pytest

from resilient_stream._core.loop.states import Read
from tests.support.contents import text
from tests.support.machines import machine
from tests.support.streams import STOP, block_start, block_stop, ending, start, text_delta

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
            if not (isinstance(action, Read) and action.fast and made.fast(chunk, 0.0)):
                action = made.data(0.0, chunk, 0.0)
                made.take()
        made.end(0.0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert made.ledger.outcome == "completed"
    assert made.turn.characters == len(PIECE) * PIECES
    assert peak < 3 * len(PIECE.encode()) * PIECES
