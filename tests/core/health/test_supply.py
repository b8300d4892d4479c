"""The retries that may be sent now."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.health.supply import FIRST_PROBE, RETURNED, Supply


def empty(now: float = 0.0, *, reserve: float = 3.0) -> Supply:
    """One whose tokens were all taken at that time."""
    supply = Supply(reserve, 0.5, 60.0)
    while supply.tokens >= 1:
        assert supply.take(now, 0, 8.0)
    return supply


@given(st.integers(0, 50))
def test_the_reserve_is_there_at_first(reserve: int) -> None:
    """So many retries may be sent before anything was served, and then a probe is due only after a while."""
    supply = Supply(float(reserve), 0.5, 60.0)
    taken = 0
    while supply.tokens >= 1:
        assert supply.take(0.0, 0, 8.0)
        taken += 1
    assert taken == reserve
    assert supply.take(0.0, 0, 8.0) is (reserve == 0), "nothing was sent before: the probe is due"


@pytest.mark.parametrize("ahead", range(5))
def test_a_token_is_left_for_each_that_comes_before(ahead: int) -> None:
    """Whoever is first finds one, however many ask meanwhile."""
    supply = Supply(3.0, 0.5, 60.0)
    assert supply.take(0.0, ahead, 8.0) is (ahead < 3)


def test_replies_refill_the_supply() -> None:
    """A reply to a retry puts back two, one to a first request the ratio. Served retries double with each round; never more are kept than the reserve."""
    supply = empty(reserve=4.0)
    supply.began(1.0, paid=True)
    assert supply.tokens == RETURNED == 2.0
    supply.began(1.0, paid=False)
    assert supply.tokens == 2.5
    for _ in range(10):
        supply.began(1.0, paid=True)
    assert supply.tokens == 4.0


def test_without_a_reserve_a_reply_still_pays_for_two() -> None:
    """A budget that gives nothing of its own recovers as any other."""
    supply = Supply(0.0, 0.0, 60.0)
    supply.began(0.0, paid=True)
    supply.began(0.0, paid=True)
    assert supply.tokens == 2.0


@pytest.mark.parametrize("longest", [0.0, 0.1, 2.0, 8.0, 120.0])
def test_probes_are_ever_more_seldom_up_to_the_longest_wait(longest: float) -> None:
    """One after half a second, then after twice as long each time; never rarer than the asker would ask alone."""
    supply, now, sent = empty(), 0.0, list[float]()
    for _ in range(60_000):
        now += 0.05
        if supply.take(now, 0, longest):
            sent.append(now)
    pauses = [after - before for before, after in zip([0.0, *sent], sent, strict=False)]
    expected = [
        min(FIRST_PROBE * 2.0 ** min(number, 99), max(longest, FIRST_PROBE)) for number in range(len(pauses))
    ]
    assert pauses == pytest.approx(expected, abs=0.06)
    assert len(pauses) > 20


def test_a_served_reply_ends_the_probing() -> None:
    """Whoever is served, what was learned in the outage is forgotten: the next probe would be the first."""
    supply = empty()
    for now in (1.0, 3.0, 6.0):
        supply.take(now, 0, 8.0)
    assert supply.pause(8.0) == 4.0
    supply.began(7.0, paid=False)
    assert (supply.tokens, supply.pause(8.0)) == (0.5, FIRST_PROBE)


def test_only_the_first_probes() -> None:
    """However long ago the last retry was: who comes later leaves the probe to the first."""
    supply = empty()
    assert not supply.take(100.0, 1, 8.0)
    assert supply.take(100.0, 0, 8.0)


def test_pauses_end_their_growth() -> None:
    """A thousand probes in a row overflow nothing."""
    supply = empty()
    supply.probes = 5000
    assert supply.pause(1e9) == 1e9


@pytest.mark.parametrize(("after", "left"), [(60.0, 0), (60.1, 3)])
def test_a_quiet_supply_is_full_again(after: float, left: int) -> None:
    """After the window without a retry or a reply; not earlier."""
    supply = empty(5.0)
    supply.rest(5.0 + after)
    assert supply.tokens == left
