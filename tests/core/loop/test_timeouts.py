"""The clocks of a body. Times are numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.timeouts import Clocks

SILENT = Failure(Kind.SILENT, Phase.BODY)


def test_patience_is_what_the_tightest_clock_leaves() -> None:
    """Before the first event, after it, and after pings."""
    clocks = Clocks(first_event=50, silence=30, stall=70)
    assert (clocks.patience, clocks.slack) == (30, -1)
    clocks.read(25, 0)
    assert (clocks.patience, clocks.limit) == (25, 50)
    clocks.read(20, 1)
    assert (clocks.patience, clocks.limit, clocks.slack) == (30, 70, 40)
    clocks.read(60, 1)
    assert (clocks.patience, clocks.slack) == (10, -20)
    clocks.read(60, 1)
    assert clocks.patience == 0


seconds = st.integers(1, 100)
reads = st.lists(st.tuples(st.integers(0, 120), st.booleans()), max_size=20)


@given(seconds, seconds, seconds, st.integers(0, 100), reads)
def test_a_clock_fires_when_it_has_run_out_and_not_before(
    first: int, silence: int, stall: int, head: int, reads_: Any
) -> None:
    """Whatever comes when: no read outlasts silence, no time without events its limit, and one of them is why."""
    clocks = Clocks(first, silence, stall)
    head = min(head, first)
    clocks.headed(head)
    without, seen, pinged = float(head), False, False
    for number, (takes, event) in enumerate(reads_):
        limit = stall if seen else first
        patience = clocks.patience
        assert patience <= silence and without + patience <= limit
        if takes >= patience:
            fired = clocks.fired(SILENT)
            name = fired.detail[fired.detail.index("(") + 1 : -1]
            used = {"silence_timeout": silence, "stall_timeout": stall, "first_event_timeout": first}[name]
            assert used == (patience if name == "silence_timeout" else without + patience)
            assert (fired.kind is Kind.STALLED) <= (pinged and name != "silence_timeout")
            assert (
                sum(
                    after == 2 * before
                    for before, after in zip((first, silence, stall), told(clocks), strict=True)
                )
                >= 1
            )
            return
        clocks.read(takes, number + 1 if event else clocks.events)
        without, seen, pinged = (0.0, True, False) if event else (without + takes, seen, pinged or takes > 0)
        assert clocks.waited < clocks.limit


def test_events_may_be_told_of_later() -> None:
    """Those that took the short way end a wait as soon as they are counted, and their number again does not."""
    clocks = Clocks(50, 30, 70)
    clocks.read(20, 1)
    clocks.read(20, 1)
    clocks.count(1)
    assert clocks.waited == 20
    clocks.count(5)
    assert clocks.waited == 0


@given(seconds, seconds, reads)
def test_while_there_is_slack_no_event_changes_the_patience(silence: int, stall: int, reads_: Any) -> None:
    """So the short way need not ask."""
    clocks = Clocks(100, silence, stall)
    for number, (takes, event) in enumerate(reads_):
        clocks.read(takes, number + 1 if event else clocks.events)
        before, slack = clocks.patience, clocks.slack
        waited = clocks.waited
        clocks.count(clocks.events + 1)
        assert slack < 0 or clocks.patience == before
        clocks.events, clocks.waited = clocks.events - 1, waited
        if slack >= 0:
            clocks.waited += slack
            assert clocks.patience == before
            clocks.waited = waited


def told(clocks: Clocks) -> tuple[float, float, float]:
    """The three clocks."""
    return clocks.first_event, clocks.silence, clocks.stall


def test_an_attempt_begins_anew() -> None:
    """What was waited for in the last attempt does not count in the next."""
    clocks = Clocks(50, 30, 70)
    clocks.read(20, 3)
    clocks.read(20, 3)
    clocks.restart()
    assert (clocks.waited, clocks.limit) == (0, 50)


@pytest.mark.parametrize(
    ("clocks", "seen", "waited", "kind", "doubled", "detail"),
    [
        (Clocks(50, 30, 70), False, 0, Kind.SILENT, (50, 60, 70), "no byte for 30 s (silence_timeout)"),
        (Clocks(50, 30, 70), True, 0, Kind.SILENT, (50, 60, 70), "no byte for 30 s (silence_timeout)"),
        (Clocks(50, 30, 70), True, 50, Kind.STALLED, (50, 30, 140), "no event for 70 s (stall_timeout)"),
        (
            Clocks(50, 30, 70),
            False,
            40,
            Kind.STALLED,
            (100, 30, 70),
            "no event for 50 s (first_event_timeout)",
        ),
        (Clocks(20, 30, 70), False, 0, Kind.SILENT, (40, 30, 70), "no byte for 20 s (first_event_timeout)"),
        (Clocks(30, 30, 70), False, 0, Kind.SILENT, (60, 60, 70), "no byte for 30 s (silence_timeout)"),
        (
            Clocks(50, 30, 70),
            False,
            20,
            Kind.STALLED,
            (100, 30, 70),
            "no event for 50 s (first_event_timeout)",
        ),
    ],
)
def test_the_clock_that_fired_is_twice_as_patient(
    clocks: Clocks, waited: float, kind: Kind, doubled: tuple[float, ...], detail: str, *, seen: bool
) -> None:
    """That clock and no other, or both where both ran out; a silence after pings is a stall."""
    clocks.events, clocks.waited = int(seen), waited
    failure = clocks.fired(SILENT)
    assert (failure.kind, failure.detail) == (kind, detail)
    assert (clocks.first_event, clocks.silence, clocks.stall) == doubled


@pytest.mark.parametrize(
    ("events", "waited", "kind"), [(0, 0.0, Kind.SILENT), (1, 50.0, Kind.STALLED), (0, 40.0, Kind.STALLED)]
)
def test_no_clock_grows_beyond_four_times_its_length(events: int, waited: float, kind: Kind) -> None:
    """However often it fires: sixteen attempts that fall silent take hours, not months."""
    clocks = Clocks(50, 30, 70)
    for _ in range(20):
        clocks.restart()
        clocks.events = events
        clocks.waited = clocks.limit - clocks.silence + 1 if waited else 0.0
        assert clocks.fired(SILENT).kind is kind
    grown = {clocks.first_event / 50, clocks.silence / 30, clocks.stall / 70}
    assert max(grown) == 4.0
    assert min(grown) == 1.0


def test_a_stall_noticed_on_a_ping_is_a_stall() -> None:
    """Whatever the silence clock says."""
    clocks = Clocks(50, 30, 70)
    clocks.read(51, 0)
    failure = clocks.fired(Failure(Kind.STALLED, Phase.BODY))
    assert (failure.kind, clocks.first_event, clocks.silence, clocks.stall) == (Kind.STALLED, 100, 30, 70)


def test_no_response_is_the_first_clocks() -> None:
    """Before the head, only the first event is waited for."""
    clocks = Clocks(50, 30, 70)
    failure = clocks.fired(Failure(Kind.SILENT, Phase.HEADERS))
    assert (failure.kind, failure.detail) == (Kind.SILENT, "no response for 50 s (first_event_timeout)")
    assert (clocks.first_event, clocks.silence, clocks.stall) == (100, 30, 70)


def test_the_end_of_a_message_is_waited_for_a_second() -> None:
    """From its stop reason on, by the time spent reading; neither pings nor events lengthen it."""
    clocks = Clocks(first_event=50, silence=30, stall=70)
    clocks.read(25, 1)
    clocks.end()
    assert (clocks.patience, clocks.limit, clocks.slack) == (1.0, 1.0, -1)
    clocks.read(0.25, 1)
    clocks.end()
    clocks.read(0.25, 2)
    assert (clocks.patience, clocks.waited) == (0.5, 0.5)
    clocks.restart()
    assert (clocks.patience, clocks.limit) == (30, 50)


def test_a_shorter_silence_is_kept_to_behind_the_stop_reason() -> None:
    """The policy may be less patient still."""
    clocks = Clocks(first_event=50, silence=0.5, stall=70)
    clocks.end()
    assert clocks.patience == 0.5
