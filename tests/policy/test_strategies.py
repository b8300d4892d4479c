"""A policy's numbers as tenacity's strategies."""

from __future__ import annotations

import random

import pytest
from tenacity.wait import wait_base

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.verdict import History
from resilient_stream._policy.strategies import (
    StreamState,
    ask_wait,
    retry_if_kind,
    stop_after_away,
    stop_after_barren,
    wait_full_jitter,
)

CUT = Failure(Kind.RESET, Phase.BODY)
ERROR = ConnectionError("cut")


def state(attempts: int = 3, barren: int = 0, unreachable: int = 0, away: float = 0.0) -> StreamState:
    """What a strategy is asked about."""
    return StreamState(CUT, History(1.0, 5.0, attempts, barren, unreachable, away), ERROR)


class Numbers(wait_base):
    """Waits as long as its state's number says."""

    def __call__(self, retry_state: object) -> float:
        """The number."""
        assert isinstance(retry_state, StreamState)
        return float(retry_state.attempt_number)


@pytest.mark.parametrize(("barren", "unreachable", "number"), [(0, 0, 1), (2, 0, 2), (2, 3, 5)])
def test_a_wait_counts_from_the_last_progress(barren: int, unreachable: int, number: int) -> None:
    """Its strategy has a state of its own; all others see how many requests were sent."""
    asked = state(7, barren, unreachable)
    assert ask_wait(Numbers(), asked) == number
    assert asked.attempt_number == 7
    later = asked.since_progress()
    assert (later.failure, later.history, later.outcome_timestamp) == (CUT, asked.history, 5.0)
    assert later.outcome is not None
    assert later.outcome.exception() is ERROR


def test_a_state_has_tenacitys_attributes_on_the_streams_clock() -> None:
    """Strategies of tenacity's own work on it."""
    made = state()
    assert (made.start_time, made.outcome_timestamp, made.attempt_number) == (1.0, 5.0, 3)
    assert made.seconds_since_start == 4.0


@pytest.mark.parametrize(("barren", "stops"), [(2, False), (3, True), (4, True)])
def test_attempts_that_bring_nothing_are_counted(barren: int, stops: bool) -> None:
    """The limit is reached with it, not behind it."""
    assert stop_after_barren(3)(state(barren=barren)) is stops


@pytest.mark.parametrize(
    ("unreachable", "away", "stops"), [(0, 99.0, False), (1, 9.9, False), (1, 10.0, True), (5, 0.0, True)]
)
def test_a_network_that_is_away_is_waited_for_so_long(unreachable: int, away: float, stops: bool) -> None:
    """By time, and by number where no time passes."""
    assert stop_after_away(10.0, 5)(state(unreachable=unreachable, away=away)) is stops


def test_the_listed_kinds_are_retried_unless_the_server_decides() -> None:
    """What the server says about this request outranks the list."""
    asked = retry_if_kind(frozenset({Kind.RESET}))
    assert asked(state())
    refused = StreamState(Failure(Kind.RESET, Phase.BODY, should_retry=False), state().history, ERROR)
    assert not asked(refused)


def test_the_ceiling_of_a_backoff_doubles_to_its_maximum() -> None:
    """And every wait below it may come."""
    made = wait_full_jitter(random.Random(7), 1.0, 8.0)
    highest = [
        max(made(StreamState(CUT, state().history, ERROR, number)) for _ in range(300))
        for number in (1, 3, 9)
    ]
    assert highest == pytest.approx([1.0, 4.0, 8.0], rel=0.05)
