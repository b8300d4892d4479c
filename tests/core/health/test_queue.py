"""The streams that wait for their turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.health.queue import GRACE, HEAD_START, Place, Queue


def joined(queue: Queue, now: float = 0.0, *, begun: bool = False, due: float = 1e9) -> Place:
    """A new place in the queue."""
    place = Place(begun, due)
    queue.join(now, place)
    return place


def order(queue: Queue, places: list[Place], now: float) -> list[Place]:
    """Those who get a turn, one after the other."""
    left, turns = list(places), []
    while left:
        [first] = [place for place in left if queue.ahead(now, place) == 0]
        queue.leave(first)
        left.remove(first)
        turns.append(first)
    return turns


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_streams_that_have_begun_go_first(begun: list[bool]) -> None:
    """Otherwise first come, first served. Within one moment exactly one is first, and the order is that of joining in each of the two lines."""
    queue = Queue()
    places = [joined(queue, begun=one) for one in begun]
    expected = [place for place in places if place.begun] + [place for place in places if not place.begun]
    assert order(queue, places, 0.0) == expected
    assert len(queue) == 0


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), min_size=1, max_size=20))
def test_nobody_starves(joins: list[tuple[bool, float]]) -> None:
    """One that has brought nothing goes before those that came more than a head start later, even if they have
    begun."""
    queue = Queue()
    joins.sort(key=lambda one: one[1])
    places = [joined(queue, since, begun=begun) for begun, since in joins]
    turns = order(queue, places, 200.0)
    for number, place in enumerate(turns):
        if not place.begun:
            assert all(other.since <= place.since + HEAD_START for other in turns[:number] if other.begun)


def test_how_many_come_before_is_never_too_few() -> None:
    """Places given up in the middle are counted, at most as many as there are others."""
    queue = Queue()
    places = [joined(queue) for _ in range(5)]
    assert [queue.ahead(0.0, place) for place in places] == [0, 1, 2, 3, 4]
    for place in places[1:4]:
        queue.leave(place)
    assert queue.ahead(0.0, places[4]) == 1


@pytest.mark.parametrize(("late", "keeps"), [(GRACE, True), (GRACE + 0.1, False)])
def test_who_does_not_ask_again_loses_the_place(late: float, *, keeps: bool) -> None:
    """A stream that nobody reads holds up nobody for long, and has to stand in line again."""
    queue = Queue()
    lost, next_one = joined(queue, due=10.0), joined(queue)
    assert queue.ahead(10.0 + late, next_one) == keeps
    queue.join(20.0, lost)
    lost.due = 20.0
    assert (queue.ahead(20.0, lost), lost.since) == ((0, 0.0) if keeps else (1, 20.0))


def test_a_place_is_given_up_once() -> None:
    """Leaving twice is leaving."""
    queue = Queue()
    one = joined(queue)
    queue.leave(one)
    queue.leave(one)
    assert len(queue) == 0
