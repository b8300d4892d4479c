"""How long the API has asked to wait."""

from __future__ import annotations

from math import inf

import pytest

from resilient_stream._core.health.hold import NOTHING, Asked, Hold


def heard(*others: Asked) -> Hold:
    """What a process knows that was asked for nothing itself."""
    hold = Hold()
    hold.hear(others)
    return hold


def test_nobody_was_asked_for_anything() -> None:
    """Neither this process, nor others, nor some that have only been served."""
    assert Hold().end == heard().end == heard(NOTHING).end == heard(Asked(served=5.0)).end == -inf


def test_the_longest_wait_counts() -> None:
    """Whoever was asked for it."""
    hold = heard(Asked(10.0, 1.0), Asked(30.0, 2.0), Asked(20.0, 3.0))
    assert hold.end == 30.0
    hold.put(4.0, 50.0)
    assert hold.end == 54.0


@pytest.mark.parametrize(("sent", "end"), [(0.9, 30.0), (1.0, 30.0), (1.1, -inf)])
def test_a_later_request_ends_what_others_were_asked_for(sent: float, end: float) -> None:
    """Whether this process, the other one or a third was served; not an earlier request."""
    hold = heard(Asked(30.0, 1.0))
    hold.lift(sent)
    third = heard(Asked(30.0, 1.0), Asked(served=sent))
    assert hold.end == heard(Asked(30.0, 1.0, sent)).end == third.end == end


def test_another_process_ends_what_this_one_was_asked_for() -> None:
    """With a later request, as long as it is heard of."""
    hold = Hold()
    hold.put(1.0, 29.0)
    hold.hear([Asked(served=1.1)])
    assert hold.end == -inf
    hold.hear([Asked(served=0.9)])
    assert hold.end == 30.0


def test_what_is_told_is_ones_own() -> None:
    """Nothing that was heard comes back as news."""
    hold = heard(Asked(30.0, 1.0, 0.5))
    assert hold.asked == NOTHING
    hold.put(2.0, 3.0)
    hold.lift(1.5)
    assert hold.asked == Asked(5.0, 2.0, 1.5)
    assert hold.asked.shifted(100.0) == Asked(105.0, 102.0, 101.5)
