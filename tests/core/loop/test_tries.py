"""What the attempts of a stream have come to."""

from __future__ import annotations

import pytest

from resilient_stream._core.failures import RETRYABLE_KINDS, Failure, Kind, Phase
from resilient_stream._core.loop.tries import Tries

REFUSED = Failure(Kind.CONNECT, Phase.CONNECT)
CUT = Failure(Kind.RESET, Phase.BODY)


def told(tries: Tries, now: float = 100.0) -> tuple[int, int, int, float]:
    """What a policy is told of the attempts."""
    history = tries.history(1.0, now, overspent=False, elsewhere=True)
    assert (history.started, history.now, history.overspent, history.elsewhere) == (1.0, now, False, True)
    return history.attempts, history.barren, history.unreachable, history.away


def counted(*failures: tuple[float, Failure | None, bool]) -> Tries:
    """Attempts that began then, ended so, and brought something or not."""
    tries = Tries()
    for started, failure, progress in failures:
        tries.count(started, failure, progress=progress)
    return tries


def test_requests_are_counted_and_those_in_a_row_that_brought_nothing() -> None:
    """Progress begins the row anew; the attempt that is whole counts, too."""
    down = Failure(Kind.OVERLOADED, Phase.HEADERS)
    assert told(counted((1.0, down, False), (2.0, CUT, False))) == (2, 2, 0, 0.0)
    assert told(counted((1.0, down, False), (2.0, CUT, True))) == (2, 0, 0, 0.0)
    assert told(counted((1.0, CUT, True), (2.0, None, False))) == (2, 1, 0, 0.0)


def test_without_any_connection_a_failure_to_connect_is_an_attempt() -> None:
    """The address may be wrong."""
    assert told(counted((1.0, REFUSED, False), (2.0, REFUSED, False))) == (2, 2, 0, 0.0)


@pytest.mark.parametrize("kind", sorted(RETRYABLE_KINDS - {Kind.CONNECT}))
def test_behind_any_connection_it_is_time_that_counts(kind: Kind) -> None:
    """Whatever the attempt died of: the time since the first of a row began, until something connects again."""
    tries = counted((1.0, Failure(kind, Phase.HEADERS), False))
    tries.count(20.0, REFUSED, progress=False)
    tries.count(30.0, REFUSED, progress=False)
    assert told(tries) == (1, 1, 2, 80.0)
    tries.count(101.0, CUT, progress=True)
    assert told(tries) == (2, 0, 0, 0.0)
    tries.count(102.0, REFUSED, progress=False)
    assert told(tries, 104.0) == (2, 0, 1, 2.0)
