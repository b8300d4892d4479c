"""The one view that the streams on an account have of their API."""

from __future__ import annotations

import math

import pytest

from resilient_stream._core.failures import OVERLOAD_KINDS, Kind
from resilient_stream._core.health.health import MOST_MODELS, SOONEST, Health
from resilient_stream._core.health.view import Claim, Later


def claim(model: str = "m", *, begun: bool = False, elsewhere: bool = False) -> Claim:
    """A stream's, whose policy waits 8 s at most."""
    return Claim(model, begun=begun, elsewhere=elsewhere, longest=8.0)


def empty(reserve: float = 2.0) -> Health:
    """One whose retries were all sent at 0."""
    health = Health(reserve, 0.5, 60.0)
    while health.ask(0.0, claim()) is None:
        pass
    for lane in health.lanes.values():
        lane.queue = type(lane.queue)()
    return health


def later(answer: Later | None) -> Later:
    """It is not its turn."""
    assert answer is not None
    return answer


def test_a_served_retry_lets_two_waiting_ones_go() -> None:
    """A retry that is not covered waits: the tokens go, streams wait in order, and each reply that begins lets the next go on."""
    health = Health(1.0, 0.5, 60.0)
    one, two, three, four = (claim() for _ in range(4))
    assert health.ask(0.0, one) is None
    assert [health.ask(0.1, each) is None for each in (two, three, four)] == [False] * 3
    assert health.waiting == 3
    health.began(0.2, one, 0.0)
    assert [health.ask(0.3, each) is None for each in (four, three, two)] == [False, True, True]
    assert health.waiting == 1
    health.began(0.4, two, 0.3)
    assert health.ask(0.5, four) is None


def test_a_reply_counts_once() -> None:
    """The stream's next reply, to a request that was not paid for, adds the ratio."""
    health, one = empty(), claim()
    assert health.ask(10.0, one) is None
    health.began(10.5, one, 10.0)
    assert health.balance == 2.0
    health = empty(10.0)
    assert health.ask(10.0, one) is None
    health.began(10.5, one, 10.0)
    health.began(11.5, one, 11.0)
    assert health.balance == 2.5


def test_a_retry_that_fails_gives_nothing_back() -> None:
    """Nor does the first request that its stream sends later."""
    health, one = empty(), claim()
    assert health.ask(10.0, one) is None
    health.failed(10.1, one, Kind.OVERLOADED, "m", None)
    assert health.balance == 0.0
    health.began(11.0, one, 10.5)
    assert health.balance == 0.5


def test_an_overload_is_the_models() -> None:
    """The retries of one model do not wait for the tokens, the queue or the hold of another."""
    health = empty()
    assert health.ask(0.1, claim()) is not None
    health.failed(0.1, claim(), Kind.OVERLOADED, "m", 20.0)
    assert health.ask(0.2, claim("other")) is None
    assert later(health.ask(0.2, claim())).told


@pytest.mark.parametrize("kind", sorted(OVERLOAD_KINDS))
def test_what_the_api_asked_for_is_heard_by_all(kind: Kind) -> None:
    """After a 429 by every stream on the account; after an overload by those of its model; for as long as it said."""
    health = Health(30.0, 0.5, 60.0)
    health.failed(100.0, claim(), kind, "m", 20.0)
    assert health.ask(101.0, claim()) == Later(19.0, told=True)
    everywhere = kind is Kind.RATE_LIMITED
    assert (health.ask(101.0, claim("other")) is None) is not everywhere
    assert health.ask(101.0, claim("other", elsewhere=True)) is None, (
        "what the account was told is no other model's"
    )
    assert health.ask(120.0, claim()) is None


@pytest.mark.parametrize("seconds", [None, 0.0, -1.0, math.nan])
def test_what_says_nothing_holds_up_nobody(seconds: float | None) -> None:
    """No wait, one in the past, or no number."""
    health = Health(30.0, 0.5, 60.0)
    health.failed(0.0, claim(), Kind.OVERLOADED, "m", seconds)
    assert health.ask(0.1, claim()) is None


def test_a_broken_connection_tells_of_no_wait() -> None:
    """Only what an API says of its load is heard."""
    health = Health(30.0, 0.5, 60.0)
    health.failed(0.0, claim(), Kind.RESET, "m", 50.0)
    assert health.ask(0.1, claim()) is None


@pytest.mark.parametrize(("sent", "held"), [(99.0, True), (100.0, True), (100.1, False)])
@pytest.mark.parametrize("kind", [Kind.RATE_LIMITED, Kind.OVERLOADED])
def test_a_later_request_that_is_served_ends_the_wait(kind: Kind, sent: float, *, held: bool) -> None:
    """Not one that was sent before the API asked for it."""
    health = Health(30.0, 0.5, 60.0)
    health.failed(100.0, claim(), kind, "m", 50.0)
    health.began(101.0, claim(), sent)
    assert (health.ask(102.0, claim()) is None) is not held


def test_a_longer_wait_outlasts_a_shorter_one() -> None:
    """Whichever was said last."""
    health = Health(30.0, 0.5, 60.0)
    health.failed(0.0, claim(), Kind.OVERLOADED, "m", 50.0)
    health.failed(1.0, claim(), Kind.OVERLOADED, "m", 2.0)
    assert later(health.ask(10.0, claim())).pause == 40.0


def test_who_waits_learns_whether_anybody_connects() -> None:
    """The last request that failed says it, until a reply begins or another request fails otherwise."""
    health = empty()

    def unreachable(now: float) -> bool:
        return later(health.ask(now, claim())).unreachable

    assert not unreachable(0.1)
    health.failed(0.2, claim(), Kind.CONNECT, "m", None)
    assert unreachable(0.2)
    health.failed(0.3, claim(), Kind.OVERLOADED, "m", None)
    assert not unreachable(0.3)
    health.failed(0.4, claim(), Kind.CONNECT, "m", None)
    health.began(0.4, claim(), 0.3)
    assert not health.unreachable


def test_pauses_grow_with_the_queue_and_with_patience() -> None:
    """The first asks when the probe is due; the others the later, the more come before them or the longer they would
    wait alone."""
    health = empty()
    crowd = [claim() for _ in range(500)]
    pauses = [later(health.ask(0.1, each)).pause for each in crowd]
    assert pauses[0] == pytest.approx(0.4)
    assert pauses[1] == 0.4
    assert pauses[400] == 8.0
    assert later(health.ask(0.1, Claim("m", longest=120.0))).pause == pytest.approx(10.0)
    assert later(empty().ask(0.45, Claim("m", longest=120.0))).pause == SOONEST


def test_a_stream_that_leaves_gives_its_place_up() -> None:
    """At once; leaving twice, or without a place, is leaving."""
    health = empty()
    one, two = claim(), claim()
    health.ask(0.1, one)
    health.ask(0.1, two)
    for _ in range(2):
        health.leave(one)
        assert health.waiting == 1
    assert health.ask(0.6, two) is None
    health.leave(claim())


def test_a_stream_that_has_begun_goes_first() -> None:
    """Its consumer has half a reply."""
    health = empty()
    fresh, begun = claim(), claim(begun=True)
    health.ask(0.1, fresh)
    health.ask(0.2, begun)
    assert [health.ask(1.0, each) is None for each in (fresh, begun)] == [False, True]


def test_a_quiet_account_is_as_at_first() -> None:
    """After the window, if nobody waits; whoever waits keeps the memory awake."""
    health = empty()
    assert health.ask(60.5, claim()) is None
    assert health.balance == 1.0
    health = empty()
    one = claim()
    health.ask(0.1, one)
    health.ask(60.5, claim())
    assert health.balance == 0.0


def test_models_are_kept_within_bounds() -> None:
    """The one that was longest unused is forgotten; a stream that waits there is no worse off."""
    health = empty(1.0)
    one = claim()
    health.ask(0.1, one)
    for number in range(MOST_MODELS):
        health.ask(0.1, claim(str(number)))
    assert len(health.lanes) == MOST_MODELS
    assert "m" not in health.lanes
    assert health.ask(0.6, one) is None


def test_without_any_retry_the_balance_is_the_reserve() -> None:
    """Nothing is known yet."""
    assert (Health(7.0, 0.5, 60.0).balance, Health(7.0, 0.5, 60.0).waiting) == (7.0, 0)
