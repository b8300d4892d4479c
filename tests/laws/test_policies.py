"""Whatever fails, when and how often: a stream stays within its policy. On virtual time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream import RetryBudget, RetryPolicy
from resilient_stream._core.failures import (
    OVERLOAD_KINDS,
    Failure,
    Kind,
    Phase,
)
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Action, Finish, Raise, Send, Wait
from resilient_stream._core.verdict import Limit
from resilient_stream._policy.judge import Judgement
from resilient_stream._policy.settings import settings_of
from tests.support.contents import text
from tests.support.machines import REQUEST, Broken, machine
from tests.support.streams import PREFILLED, block_start, ending, start, text_delta

from .sizes import STRIDE

NAMED = {
    Limit.ATTEMPTS: "max_attempts",
    Limit.BARREN_ATTEMPTS: "max_barren_attempts",
    Limit.UNREACHABLE: "unreachable_timeout",
    Limit.DEADLINE: "deadline",
    Limit.RETRY_AFTER: "retry_after_max",
    Limit.BUDGET: "retry budget",
}
"""The words by which a reason names each limit."""


@dataclass(frozen=True)
class Try:
    """How one attempt goes: after so many seconds it fails, with or without a word before."""

    kind: Kind
    seconds: float
    word: bool
    told: float | None


tries = st.builds(
    Try,
    kind=st.sampled_from([Kind.RESET, Kind.CONNECT, Kind.OVERLOADED, Kind.API_ERROR]),
    seconds=st.floats(0, 20),
    word=st.sampled_from([False, False, True]),
    told=st.sampled_from([None, None, None, None, 0.5, 20.0, 45.0, 90.0]),
).filter(lambda way: not (way.word and way.kind is Kind.CONNECT))
policies = st.builds(
    RetryPolicy,
    max_attempts=st.sampled_from([1, 4, 8, 16]),
    max_barren_attempts=st.sampled_from([1, 3, 5, 8]),
    deadline=st.sampled_from([None, None, 30.0, 100.0]),
    wait_initial=st.sampled_from([0.0, 0.5, 2.0]),
    wait_max=st.sampled_from([2.0, 3.0, 8.0]),
    overload_wait_initial=st.sampled_from([1.0, 3.0]),
    overload_wait_max=st.sampled_from([3.0, 4.0, 30.0]),
    retry_after_max=st.sampled_from([30.0, 60.0]),
    unreachable_timeout=st.sampled_from([5.0, 60.0]),
)


@dataclass
class Life:
    """What a stream did."""

    machine: Machine
    last: Action
    sent: list[float]
    waits: list[tuple[float, float]]
    """When each wait began, and how long it was."""
    met: list[Try]
    budget: RetryBudget


def live(
    policy: RetryPolicy,
    ways: Sequence[Try],
    seed: int,
    reserve: float = 60,
    away: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Life:
    """One stream whose attempts go so, and the next of which is served.

    ``away``: from when, for how many seconds no connection is made, and how long it takes to see that.
    """
    now = 1000.0
    budget = RetryBudget(reserve, window=1e9)
    judge = Judgement(policy, random.Random(seed), budget, wall=lambda: now)
    made = machine(REQUEST | {"model": PREFILLED}, settings_of(policy), judge)
    life = Life(made, made.start(now), [], [], [], budget)
    left = list(ways)
    while not isinstance(life.last, Finish | Raise):
        if isinstance(life.last, Wait):
            life.waits.append((now, life.last.seconds))
            now += life.last.seconds
            life.last = made.waited(now)
            continue
        assert isinstance(life.last, Send)
        life.sent.append(now)
        way = left.pop(0) if left else None
        if not way and away[0] <= now < away[0] + away[1]:
            way = Try(Kind.CONNECT, away[2], word=False, told=None)
        if way is None or way.word:
            made.head(now, 200, None)
            said = start() + block_start(0, text("")) + text_delta(0, f" word{len(life.sent)}")
            life.last = made.data(now, said, 0.0)
        if way is None:
            life.last = made.data(now, ending(), 0.0)
            life.last = made.end(now)
            break
        life.met.append(way)
        now += way.seconds
        phase = Phase.BODY if way.word else Phase.HEADERS
        life.last = made.fault(now, Failure(way.kind, phase, retry_after=way.told))
    return life


def row(met: Sequence[Try]) -> int:
    """How many of the last attempts in a row brought nothing."""
    return next((number for number, way in enumerate(reversed(met)) if way.word), len(met))


def requests(met: Sequence[Try]) -> list[Try]:
    """The attempts that count: a failure to connect does not, behind one that did connect."""
    first = next((number for number, way in enumerate(met) if way.kind is not Kind.CONNECT), len(met))
    return [way for number, way in enumerate(met) if number < first or way.kind is not Kind.CONNECT]


def away(life: Life) -> list[float]:
    """Of each attempt that was sent because the network was away: for how long it had been."""
    since, found, connected = 0.0, list[float](), False
    for number, (at, way) in enumerate(zip(life.sent, life.met, strict=False)):
        lost = connected and way.kind is Kind.CONNECT
        behind = number > 0 and connected and life.met[number - 1].kind is Kind.CONNECT
        since = since if behind else at
        if lost and number + 1 < len(life.sent):
            found.append(at + way.seconds - since)
        connected = connected or way.kind is not Kind.CONNECT
    return found


many = st.lists(tries, min_size=1, max_size=3) | st.lists(tries, min_size=4, max_size=14)


@given(policies, many, st.integers())
def test_no_limit_is_passed(policy: RetryPolicy, ways: list[Try], seed: int) -> None:
    """Neither requests, nor requests in a row without a word, nor the time without a network, nor the deadline, whatever the order of things."""
    life = live(policy, ways, seed)
    for number in range(1, len(life.sent)):
        counted = requests(life.met[:number])
        assert len(counted) < policy.max_attempts
        assert row(counted) < policy.max_barren_attempts
    assert all(seconds < policy.unreachable_timeout for seconds in away(life))
    end = life.sent[0] + (policy.deadline or 1e9)
    assert all(sent < end for sent in life.sent[1:])
    assert all(began + seconds < end for began, seconds in life.waits)


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("seconds", [5, 10, 20, 30, 45])
@pytest.mark.parametrize("refusal", [0.001, 3.0, 5.0])
def test_a_network_that_is_away_for_a_while_is_survived(
    refusal: float, seconds: float, connected: bool
) -> None:
    """By every stream of the default policy, whether connecting is refused, unreachable or hangs; by a new stream only as long as its attempts last."""
    for seed in range(0, 100, STRIDE):
        life = without_network(RetryPolicy(), seconds, refusal, seed, connected=connected)
        assert life.last == Finish() or not connected
        if connected:
            assert len(life.met) < 40, "it is asked for too often"
        else:
            assert len(life.met) <= 8
    assert without_network(RetryPolicy(), 90, refusal, 0, connected=connected).machine.ledger.limit is (
        Limit.UNREACHABLE if connected else Limit.BARREN_ATTEMPTS
    )


@pytest.mark.parametrize(("preset", "survived"), [("interactive", 18), ("batch", 835), ("agent", 47)])
def test_presets_wait_for_a_network_as_the_page_says(preset: str, survived: float) -> None:
    """``unreachable_timeout`` less the longest wait and the time to connect; it gives up within a little more."""
    policy = RetryPolicy.preset(preset)
    assert survived == policy.unreachable_timeout - policy.wait_max - policy.connect_timeout
    for seed in range(0, 50, STRIDE):
        assert without_network(policy, survived - 0.1, 5.0, seed).last == Finish()
        life = without_network(policy, 1e6, 5.0, seed)
        assert life.machine.ledger.limit is Limit.UNREACHABLE
        assert life.met[-1].kind is Kind.CONNECT
        assert life.sent[-1] - life.sent[1] <= policy.unreachable_timeout + policy.wait_max


def test_failures_to_connect_end_where_nothing_is_waited() -> None:
    """A policy without waits comes to its end: so many of them weigh as one attempt that brought nothing."""
    policy = RetryPolicy(wait_initial=0, wait_max=0, max_barren_attempts=2)
    life = without_network(policy, 1e6, 0.0, 0)
    assert (life.machine.ledger.limit, len(life.sent)) == (Limit.UNREACHABLE, 1 + 2 * 8)


def without_network(
    policy: RetryPolicy, seconds: float, refusal: float, seed: int, *, connected: bool = True
) -> Life:
    """A stream that is cut after a word, or has not begun, and has no network for so long."""
    cut = [Try(Kind.RESET, 1.0, word=True, told=None)] if connected else []
    return live(policy, cut, seed, away=(1000.0 + len(cut), seconds, refusal))


@given(policies, many, st.integers())
def test_waits_are_within_their_ceilings(policy: RetryPolicy, ways: list[Try], seed: int) -> None:
    """At once where the wire broke after a word; else up to a ceiling that begins anew; what the server asked is the least."""
    life = live(policy, ways, seed)
    for number in range(1, len(life.sent)):
        met = life.met[:number]
        waited = life.sent[number] - (life.sent[number - 1] + met[-1].seconds)
        told, barren = met[-1].told, max(1, row(met))
        overloaded = met[-1].kind in OVERLOAD_KINDS
        first = policy.overload_wait_initial if overloaded else policy.wait_initial
        most = policy.overload_wait_max if overloaded else policy.wait_max
        if told is not None:
            assert told - 1e-6 <= waited <= 1.1 * told + 1e-6 and told <= policy.retry_after_max
        elif met[-1].word and not overloaded:
            assert abs(waited) < 1e-6
        else:
            assert -1e-6 <= waited <= min(most, first * 2 ** (barren - 1)) + 1e-6


@given(policies, many, st.integers(), st.integers(0, 8))
def test_what_is_not_paid_for_is_a_probe(
    policy: RetryPolicy, ways: list[Try], seed: int, reserve: int
) -> None:
    """Beyond what the reserve and the replies that began pay for, a retry follows the one before it after half a second
    at least; and a stream that is over waits no more."""
    life = live(policy, ways, seed, reserve)
    paid = reserve + 2 * sum(way.word for way in life.met) + 2
    retries = life.sent[1:]
    hasty = sum(after - before < 0.5 - 1e-6 for before, after in pairwise(retries))
    assert hasty <= paid
    assert life.budget.state.waiting == 0


@given(policies, many, st.integers())
def test_patience_ends_where_it_would_have_without_a_budget(
    policy: RetryPolicy, ways: list[Try], seed: int
) -> None:
    """Whatever it waits for: as many waits without a turn and attempts without a word as attempts are allowed, and
    nothing begins after the deadline."""
    life = live(policy, ways, seed, reserve=0)
    waits = life.machine.judge._turns.barren  # type: ignore[attr-defined]  # a Judgement
    assert row(requests(life.met)) + waits <= policy.max_barren_attempts
    end = life.sent[0] + (policy.deadline or 1e9)
    assert all(began + seconds < end for began, seconds in life.waits)


@given(policies, many, st.integers(), st.integers(0, 8))
def test_giving_up_raises_what_failed_and_says_why(
    policy: RetryPolicy, ways: list[Try], seed: int, reserve: int
) -> None:
    """The failure is the last one's own; a limit of the policy's is told as one, with a reason that names it."""
    life = live(policy, ways, seed, reserve)
    ledger = life.machine.ledger
    if ledger.outcome == "completed":
        assert (ledger.limit, ledger.reason) == (None, "")
        return
    assert isinstance(life.last, Raise)
    assert isinstance(life.last.error, Broken)
    assert life.last.failure.kind is life.met[-1].kind
    assert ledger.limit is not None
    assert NAMED[ledger.limit] in ledger.reason


@given(many, st.integers())
def test_a_patient_stream_comes_to_its_end(ways: list[Try], seed: int) -> None:
    """Without limits in its way a stream has every word of every attempt, in order, whatever failed between."""
    policy = RetryPolicy(
        max_attempts=20, max_barren_attempts=20, retry_after_max=100, unreachable_timeout=1000
    )
    life = live(policy, ways, seed, reserve=100)
    words: list[Any] = [f" word{number}" for number, way in enumerate(ways, 1) if way.word]
    told = "".join(block.text for block in life.machine.turn.blocks)
    assert life.machine.ledger.outcome == "completed"
    assert told == "".join([*words, f" word{len(ways) + 1}"])
