"""What comes behind a complete message has an end."""

from __future__ import annotations

import pytest

from resilient_stream._core.loop.draining import DRAIN_PATIENCE, LONGEST_DRAINED, Draining
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Action, Drain, Finish
from tests.support.contents import text
from tests.support.machines import machine
from tests.support.streams import PING, message

WHOLE = message([text("Hi.")])


def drained() -> tuple[Machine, Action]:
    """A machine whose message is complete, and what it asks for."""
    made = machine()
    made.start(0.0)
    made.head(0.0, 200, None)
    action = made.data(1.0, WHOLE, 1.0)
    assert made.take() == WHOLE
    return made, action


def test_all_reads_together_have_a_second() -> None:
    """Pings that come five times a second do not make it longer; each is handed on while it lasts."""
    made, action = drained()
    for read in range(1, 5):
        action = made.data(1.0 + read * 0.2, PING, 0.2)
        assert isinstance(action, Drain)
        assert action.patience == pytest.approx(DRAIN_PATIENCE - read * 0.2)
        assert made.take() == PING
    assert made.data(2.0, PING, 0.2) == Finish()
    assert made.ledger.outcome == "completed"


def test_the_consumers_time_is_its_own() -> None:
    """Only what the reads took counts."""
    made, _ = drained()
    assert made.data(1000.0, PING, 0.1) == Drain(DRAIN_PATIENCE - 0.1)
    assert made.end(2000.0) == Finish()


def test_a_flood_ends_at_once() -> None:
    """What comes faster than any clock can tell is counted by its bytes."""
    made, action = drained()
    sent = 0
    while isinstance(action, Drain):
        action = made.data(1.0, PING * 100, 0.0)
        sent += len(PING) * 100
    assert LONGEST_DRAINED < sent <= LONGEST_DRAINED + len(PING) * 100


@pytest.mark.parametrize("what", [b"x", b"event: x\ndata: {", b"data: " + b"[" * 1000])
def test_nothing_that_comes_is_a_failure(what: bytes) -> None:
    """Neither half an event nor one without an end."""
    made, action = drained()
    while isinstance(action, Drain):
        action = made.data(1.0, what, 0.01)
    assert made.ledger.outcome == "completed"
    assert made.take() == b""


def test_there_is_patience_left_until_it_is_over() -> None:
    """A read is never asked for with none."""
    one = Draining()
    while not one.over:
        assert one.patience > 0
        one.read(1, 0.3)
    assert one.seconds >= DRAIN_PATIENCE
