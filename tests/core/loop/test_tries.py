"""What the attempts of a stream have come to."""

from __future__ import annotations

import pytest

from resilient_stream._core.failures import RETRYABLE_KINDS, Failure, Kind, Phase
from resilient_stream._core.loop.tries import Tries

REFUSED = Failure(Kind.CONNECT, Phase.CONNECT)
CUT = Failure(Kind.RESET, Phase.BODY)


def told(tries: Tries, now: float = 100.0) -> tuple[int, int, int, float]:
    """What a policy is told of the attempts."""
    history = tries.history(1.0, now)
    assert (history.started, history.now) == (1.0, now)
    return history.attempts, history.barren, history.unreachable, history.away


def test_requests_and_barren_attempts_are_counted() -> None:
    """More that is kept begins the row anew; as much as before, or less, does not."""
    tries = Tries()
    grown = [tries.count(1.0, CUT, kept) for kept in (0, 5, 5, 4, 5, 9)]
    assert grown == [False, True, False, False, True, True]
    tries = Tries()
    rows = []
    for kept in (0, 5, 5, 5):
        tries.count(1.0, CUT, kept)
        rows.append(told(tries))
    assert rows == [(1, 1, 0, 0.0), (2, 0, 0, 0.0), (3, 1, 0, 0.0), (4, 2, 0, 0.0)]


def test_a_first_failure_to_connect_is_an_attempt() -> None:
    """Without any connection before it, because the address may be wrong."""
    tries = Tries()
    assert not any(tries.count(at, REFUSED, 0) for at in (1.0, 2.0))
    assert told(tries) == (2, 2, 0, 0.0)


@pytest.mark.parametrize("kind", sorted(RETRYABLE_KINDS - {Kind.CONNECT}))
def test_behind_any_connection_it_is_time_that_counts(kind: Kind) -> None:
    """Whatever the attempt died of: the time since the first of a row began, until something connects again."""
    tries = Tries()
    tries.count(1.0, Failure(kind, Phase.HEADERS), 0)
    assert not any(tries.count(at, REFUSED, 0) for at in (20.0, 30.0))
    assert told(tries) == (1, 1, 2, 80.0)
    assert tries.count(101.0, CUT, 1)
    assert told(tries) == (2, 0, 0, 0.0)
    assert not tries.count(102.0, REFUSED, 1)
    assert told(tries, 104.0) == (2, 0, 1, 2.0)


BAD = Failure(Kind.CORRUPT, Phase.BODY, detail="invalid JSON")


@pytest.mark.parametrize(
    ("second", "kept", "events", "repeated"),
    [
        (BAD, 0, 3, True),
        (Failure(Kind.CORRUPT, Phase.BODY, detail="invalid JSON", request_id="req_2"), 0, 3, True),
        (BAD, 0, 4, False),
        (BAD, 5, 3, False),
        (Failure(Kind.CORRUPT, Phase.BODY, detail="invalid UTF-8"), 0, 3, False),
        (Failure(Kind.PROTOCOL, Phase.BODY, detail="invalid JSON"), 0, 3, False),
    ],
)
def test_what_is_broken_twice_in_the_same_way_is_noticed(
    second: Failure, kept: int, events: int, *, repeated: bool
) -> None:
    """The same kind and detail at the same place, with nothing new in between."""
    tries = Tries()
    tries.count(0.0, BAD, 0, 3)
    assert (tries.repeated, tries.died_of(second)) == (
        False,
        second.kind is BAD.kind and second.detail == BAD.detail,
    )
    tries.count(1.0, second, kept, events)
    assert tries.repeated is repeated


@pytest.mark.parametrize("kind", sorted(RETRYABLE_KINDS - {Kind.CORRUPT, Kind.PROTOCOL, Kind.TRUNCATED}))
def test_trouble_that_passes_is_no_broken_reply(kind: Kind) -> None:
    """A host that is overloaded twice may be well the third time."""
    tries = Tries()
    for now in range(3):
        tries.count(now, Failure(kind, Phase.BODY, detail="x"), 0, 3)
        assert not tries.repeated


@pytest.mark.parametrize("events", [0, 1, 2])
def test_a_body_that_ends_before_any_content_is_no_broken_reply(events: int) -> None:
    """There is nothing in it to be broken; with content, it is broken at a place."""
    tries = Tries()
    for now in range(3):
        tries.count(now, Failure(Kind.TRUNCATED, Phase.BODY), 0, events)
        assert not tries.repeated
    for now in range(2):
        tries.count(now, Failure(Kind.TRUNCATED, Phase.BODY), 0, 3, spoke=True)
    assert tries.repeated
