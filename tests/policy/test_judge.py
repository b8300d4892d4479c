"""The executor of a policy."""

from __future__ import annotations

import asyncio
import math
import random
import time
from dataclasses import dataclass
from typing import Any

import pytest
import tenacity
from hypothesis import given, settings
from hypothesis import strategies as st

from resilient_stream._core.failures import (
    CONNECTION_KINDS,
    FINAL_KINDS,
    OVERLOAD_KINDS,
    RETRYABLE_KINDS,
    Failure,
    Kind,
    Phase,
)
from resilient_stream._core.health.view import Claim, Later
from resilient_stream._core.verdict import QUEUE, GiveUp, History, Judge, Limit, Retry
from resilient_stream._policy.judge import SHORTEST_POLL, Judgement
from resilient_stream._policy.strategies import StreamState
from resilient_stream.errors import PolicyError
from resilient_stream.policy import RetryPolicy

ERROR = ConnectionError("lost")
connection = st.sampled_from(sorted(CONNECTION_KINDS))
overload = st.sampled_from(sorted(OVERLOAD_KINDS))
retryable = st.sampled_from(sorted(RETRYABLE_KINDS))


def failure(kind: Kind = Kind.RESET, **more: Any) -> Failure:
    """A failure in the body."""
    return Failure(kind, Phase.BODY, **more)


def history(attempts: int = 1, barren: int = 1, elapsed: float = 0.0, **more: Any) -> History:
    """A stream that began at an odd moment of its own clock."""
    return History(started=5000.0, now=5000.0 + elapsed, attempts=attempts, barren=barren, **more)


def verdict(
    policy: RetryPolicy,
    what: Failure | None = None,
    when: History | None = None,
    *,
    seed: int = 0,
) -> Retry | GiveUp:
    """What the judge of a policy says."""
    judge: Judge = Judgement(policy, random.Random(seed), None)
    return judge.verdict(what or failure(), when or history(), ERROR)


def wait(*args: Any, **kwargs: Any) -> float:
    """How long the judge wants to wait."""
    answer = verdict(*args, **kwargs)
    assert isinstance(answer, Retry), answer
    return answer.wait


def refusal(*args: Any, **kwargs: Any) -> GiveUp:
    """Why the judge gives up."""
    answer = verdict(*args, **kwargs)
    assert isinstance(answer, GiveUp), answer
    return answer


# Whether -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(Kind))
def test_the_default_retries_what_can_be_retried(kind: Kind) -> None:
    """Every retryable kind is retried, every final kind is not, and that is no limit of the policy's."""
    answer = verdict(RetryPolicy(), failure(kind))
    if kind in RETRYABLE_KINDS:
        assert isinstance(answer, Retry)
    else:
        assert isinstance(answer, GiveUp)
        assert answer.reason.endswith(" is never retried")
        assert answer.limit is None


def test_only_the_listed_kinds_are_retried() -> None:
    """A kind that is not in retry_on ends the stream, with its name in the reason."""
    policy = RetryPolicy(retry_on={"reset"})
    assert isinstance(verdict(policy, failure(Kind.RESET)), Retry)
    assert refusal(policy, failure(Kind.CLOSED)) == GiveUp("closed is not in the policy's retry_on")


@settings(deadline=None)
@given(retryable)
def test_the_server_may_forbid(kind: Kind) -> None:
    """x-should-retry: false ends the stream, whatever the kind."""
    assert "x-should-retry: false" in refusal(RetryPolicy(), failure(kind, should_retry=False)).reason


@pytest.mark.parametrize("kind", sorted(RETRYABLE_KINDS | {Kind.REJECTED}))
def test_the_server_may_allow(kind: Kind) -> None:
    """x-should-retry: true retries even a rejection, and a kind that the policy does not list."""
    assert isinstance(verdict(RetryPolicy(retry_on=()), failure(kind, should_retry=True)), Retry)


@pytest.mark.parametrize("kind", sorted(FINAL_KINDS - {Kind.REJECTED}))
def test_no_server_brings_back_what_is_ours(kind: Kind) -> None:
    """A refused certificate, a spent budget and a cancellation stay final."""
    assert refusal(RetryPolicy(), failure(kind, should_retry=True)).reason.endswith(" is never retried")


# How long ----------------------------------------------------------------------------------------


@settings(deadline=None)
@given(connection)
def test_progress_makes_the_next_attempt_immediate(kind: Kind) -> None:
    """After an attempt that brought something a broken connection is followed at once."""
    assert verdict(RetryPolicy(), failure(kind), history(5, barren=0)) == Retry(0.0, "immediate")


@settings(deadline=None)
@given(overload)
def test_an_overload_waits_even_after_progress(kind: Kind) -> None:
    """Progress does not make asking a struggling server at once right."""
    answer = verdict(RetryPolicy(), failure(kind), history(5, barren=0))
    assert isinstance(answer, Retry)
    assert answer.source == "backoff"
    assert 0 < answer.wait <= 1


@settings(deadline=None)
@given(retryable, st.integers(1, 7), st.integers())
def test_backoff_is_full_jitter(kind: Kind, barren: int, seed: int) -> None:
    """The wait lies between 0 and a ceiling that doubles with each barren attempt, up to the maximum."""
    initial, maximum = (0.5, 8) if kind in CONNECTION_KINDS else (1, 30)
    answer = verdict(RetryPolicy(), failure(kind), history(barren, barren), seed=seed)
    assert isinstance(answer, Retry)
    assert answer.source == "backoff"
    assert 0 <= answer.wait <= min(maximum, initial * 2 ** (barren - 1))


@settings(deadline=None)
@given(retryable, st.integers(1, 7))
def test_backoff_uses_the_whole_range(kind: Kind, barren: int) -> None:
    """Over many seeds the waits come near to 0 and near to the ceiling: jitter is full."""
    initial, maximum = (0.5, 8) if kind in CONNECTION_KINDS else (1, 30)
    ceiling = min(maximum, initial * 2 ** (barren - 1))
    waits = [wait(RetryPolicy(), failure(kind), history(barren, barren), seed=seed) for seed in range(60)]
    assert min(waits) < 0.2 * ceiling
    assert max(waits) > 0.8 * ceiling


def test_backoff_starts_anew_after_progress() -> None:
    """What counts for the wait is the attempts since the last progress, not all of them."""
    late = [wait(RetryPolicy(), when=history(12, barren=1), seed=seed) for seed in range(100)]
    assert max(late) <= 0.5


def test_the_number_of_attempts_does_not_overflow_the_wait() -> None:
    """A patient policy may come to thousands of attempts: the wait stays at its ceiling."""
    policy = RetryPolicy(max_attempts=10**9, max_barren_attempts=10**9)
    assert 0 <= wait(policy, when=history(10**6, 10**6)) <= 8


@settings(deadline=None)
@given(st.integers(), st.integers(1, 7))
def test_the_same_seed_waits_the_same(seed: int, barren: int) -> None:
    """All chance comes from the random source that was given."""
    told = failure(Kind.OVERLOADED)
    assert wait(RetryPolicy(), told, history(7, barren), seed=seed) == wait(
        RetryPolicy(), told, history(7, barren), seed=seed
    )


@settings(deadline=None)
@given(retryable, st.floats(0.001, 60), st.integers(), st.integers(0, 7))
def test_retry_after_is_obeyed(kind: Kind, told: float, seed: int, barren: int) -> None:
    """A wait that the server asked for is kept, at most a tenth longer and never shorter."""
    answer = verdict(RetryPolicy(), failure(kind, retry_after=told), history(8, barren), seed=seed)
    assert isinstance(answer, Retry)
    assert answer.source == "retry-after"
    assert told <= answer.wait <= told * 1.1 * (1 + 1e-9)


@pytest.mark.parametrize("nothing", [None, 0.0, -5.0, -math.inf, math.nan])
def test_an_empty_retry_after_says_nothing(nothing: float | None) -> None:
    """Zero, the past and no number are answered with ordinary backoff."""
    said = verdict(RetryPolicy(), failure(Kind.RATE_LIMITED, retry_after=nothing))
    assert isinstance(said, Retry)
    assert said.source == "backoff"


@pytest.mark.parametrize("told", [60.1, 3600, math.inf])
def test_an_unbearable_retry_after_ends_the_stream(told: float) -> None:
    """Above retry_after_max the stream gives up at once and says how long was asked."""
    answer = refusal(RetryPolicy(), failure(Kind.RATE_LIMITED, retry_after=told))
    assert answer.limit is Limit.RETRY_AFTER
    assert f"asked to wait {told:g} s" in answer.reason
    assert "retry_after_max = 60 s" in answer.reason


@pytest.mark.parametrize(
    ("told", "until"),
    [
        (3600.0, "until 2027-01-15 09:00:00 UTC"),
        (1e18, "beyond the year 9999"),
        (math.inf, "beyond the year 9999"),
    ],
)
def test_an_unbearable_retry_after_tells_until_when(told: float, until: str) -> None:
    """The reason names the moment at which the server would have been asked again."""
    judge = Judgement(RetryPolicy(), random.Random(), None, wall=lambda: 1_800_000_000.0)
    answer = judge.verdict(failure(Kind.RATE_LIMITED, retry_after=told), history(), ERROR)
    assert isinstance(answer, GiveUp)
    assert until in answer.reason


@settings(deadline=None)
@given(
    st.sampled_from([Kind.OVERLOADED, Kind.RATE_LIMITED]), st.none() | st.floats(0, 1e9), st.integers(1, 7)
)
def test_another_model_is_asked_at_once(kind: Kind, told: float | None, barren: int) -> None:
    """What one model asked for, however long, is not waited for before the next is asked; a wait of the user's is."""
    what, when = failure(kind, retry_after=told), history(7, barren, elsewhere=True)
    assert verdict(RetryPolicy(), what, when) == Retry(0.0, "immediate")
    assert verdict(RetryPolicy(wait=tenacity.wait_fixed(3)), what, when) == Retry(3.0, "wait")


@pytest.mark.parametrize(
    ("policy", "limit"),
    [
        (RetryPolicy(max_attempts=2), Limit.ATTEMPTS),
        (RetryPolicy(max_barren_attempts=2), Limit.BARREN_ATTEMPTS),
        (RetryPolicy(deadline=3), Limit.DEADLINE),
    ],
)
def test_another_model_lifts_no_limit(policy: RetryPolicy, limit: Limit) -> None:
    """It is one more attempt, before the deadline, and paid for as any other."""
    what, when = failure(Kind.RATE_LIMITED, retry_after=3600), history(2, 2, elapsed=4, elsewhere=True)
    assert refusal(policy, what, when).limit is limit


# Limits ------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(1, 30))
def test_attempts_are_limited(limit: int, attempts: int) -> None:
    """There are never more than max_attempts requests, progress or not, and fewer are not refused."""
    answer = verdict(RetryPolicy(max_attempts=limit), when=history(attempts, barren=0))
    assert isinstance(answer, Retry) is (attempts < limit)
    if isinstance(answer, GiveUp):
        assert answer == GiveUp(f"max_attempts = {limit} requests were sent", Limit.ATTEMPTS)


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(0, 30))
def test_barren_attempts_are_limited(limit: int, barren: int) -> None:
    """A row of max_barren_attempts ends the stream, a shorter one does not."""
    policy = RetryPolicy(max_attempts=1000, max_barren_attempts=limit)
    answer = verdict(policy, when=history(100, barren))
    assert isinstance(answer, Retry) is (barren < limit)
    if isinstance(answer, GiveUp):
        assert answer.limit is Limit.BARREN_ATTEMPTS
        assert f"max_barren_attempts = {limit}" in answer.reason


@settings(deadline=None)
@given(retryable, st.floats(0, 40), st.integers(0, 7), st.integers(), st.none() | st.floats(0.1, 20))
def test_no_wait_passes_the_deadline(
    kind: Kind, elapsed: float, barren: int, seed: int, told: float | None
) -> None:
    """A retry begins before the deadline, its wait included; otherwise the stream gives up now."""
    what, when = failure(kind, retry_after=told), history(8, barren, elapsed)
    answer = verdict(RetryPolicy(deadline=30), what, when, seed=seed)
    passes = elapsed + wait(RetryPolicy(), what, when, seed=seed) >= 30 - 1e-6
    if isinstance(answer, Retry):
        assert elapsed + answer.wait < 30
    else:
        assert passes
        assert answer == GiveUp("the next attempt would begin after the deadline of 30 s", Limit.DEADLINE)


def test_too_much_input_ends_it() -> None:
    """The cost guard is a limit of its own; a failure that is final says so all the same."""
    refused = refusal(RetryPolicy(), when=history(overspent=True))
    assert refused.limit is Limit.INPUT
    assert "max_input_multiple" in refused.reason
    assert refusal(RetryPolicy(), failure(Kind.REJECTED), history(overspent=True)).limit is None


# Turns -------------------------------------------------------------------------------------------


@dataclass
class Crowd:
    """A view of an account where it is not the stream's turn, until it is told otherwise."""

    later: Later | None = None
    balance: float = 0.0
    left: bool = False

    def ask(self, now: float, claim: Claim) -> Later | None:
        """What it was made with."""
        return self.later

    def began(self, now: float, claim: Claim, sent: float) -> None:
        """It is of no consequence."""

    def failed(self, now: float, claim: Claim, kind: Kind, model: str, retry_after: float | None) -> None:
        """It is of no consequence."""

    def leave(self, claim: Claim) -> None:
        """Note it."""
        self.left = True


def waiting(
    policy: RetryPolicy, what: Failure | None = None, when: History | None = None, **later: Any
) -> Judgement:
    """The judge of a stream that has failed so, and whose turn it is not."""
    judge = Judgement(policy, random.Random(0), Crowd(Later(0.2, **later)), wall=lambda: 0.0)
    assert isinstance(judge.verdict(what or failure(), when or history(), ERROR), Retry)
    return judge


def wait_out(judge: Judgement, now: float = 5000.0) -> tuple[GiveUp | None, float, int]:
    """Wait for a turn until there is one, or patience is at its end: the answer, when, and after how many questions."""
    for number in range(1000):
        answer = judge.turn(now)
        if not isinstance(answer, Retry):
            return answer, now - 5000.0, number + 1
        assert answer.source == QUEUE
        assert 0 < answer.wait <= 0.25 or answer.wait > 5
        now += answer.wait
    raise AssertionError("it waits for ever")


def test_nobody_waits_for_a_turn_who_shares_nothing() -> None:
    """Nor does who has not failed."""
    judge = Judgement(RetryPolicy(), random.Random(0), None)
    assert judge.turn(5000.0) is None
    judge.verdict(failure(), history(), ERROR)
    assert judge.turn(5000.0) is None
    assert Judgement(RetryPolicy(), random.Random(0), Crowd()).turn(5000.0) is None


def test_waiting_for_a_turn_ends_where_attempts_would_have() -> None:
    """After the rest of the row, each as long as the policy would have waited; the limit is the budget's, and the
    reason names both."""
    policy = RetryPolicy(max_barren_attempts=8)
    answer, seconds, _ = wait_out(waiting(policy, when=history(3, 3)))
    assert answer is not None
    assert answer.limit is Limit.BUDGET
    assert answer.reason == (
        "max_barren_attempts = 8 attempts in a row brought nothing new; "
        "5 of these were waits for a turn in the retry budget (0 units left)"
    )
    assert 0 < seconds < 4 + 8 * 3, "four waits, under ceilings of 4, 8, 8 and 8 s"


def test_a_turn_that_comes_ends_the_wait() -> None:
    """The retry is sent, and the waits before it still count."""
    judge = waiting(RetryPolicy(max_barren_attempts=3), when=history(1, 1))
    crowd = judge._turns.view
    assert isinstance(crowd, Crowd)
    assert isinstance(judge.turn(5000.0), Retry)
    crowd.later = None
    assert judge.turn(5000.1) is None
    answer = judge.verdict(failure(), history(2, 2, 0.2), ERROR)
    assert isinstance(answer, GiveUp)
    assert (answer.limit, "1 of these was a wait for a turn in the retry budget" in answer.reason) == (
        Limit.BUDGET,
        True,
    )


def test_patience_of_its_own_is_its_own() -> None:
    """Where the limit would be met without the waits too, the budget has no part in it."""
    judge = waiting(RetryPolicy(max_barren_attempts=3), when=history(1, 1))
    judge.turn(5000.0)
    judge._turns.view = Crowd()
    answer = judge.verdict(failure(), history(3, 3, 0.2), ERROR)
    assert answer == GiveUp(
        "max_barren_attempts = 3 attempts in a row brought nothing new", Limit.BARREN_ATTEMPTS
    )


@pytest.mark.parametrize(("later", "seconds"), [(0.0, 5.0), (4.5, 0.5)])
def test_nobody_waits_for_a_turn_past_the_deadline(later: float, seconds: float) -> None:
    """No wait is begun that would pass it."""
    judge = waiting(RetryPolicy(deadline=5, max_barren_attempts=1000), when=history(elapsed=later))
    answer, ended, _ = wait_out(judge, 5000.0 + later)
    assert answer is not None
    assert answer.limit is Limit.BUDGET
    assert "deadline" in answer.reason
    assert ended - later < seconds


def test_without_connections_a_wait_counts_as_tries() -> None:
    """The time without a network counts, not the attempts."""
    policy = RetryPolicy(unreachable_timeout=20)
    answer, seconds, _ = wait_out(waiting(policy, unreachable=True))
    assert answer is not None
    assert "unreachable_timeout = 20 s" in answer.reason
    assert 20 <= seconds < 28


def test_a_retry_after_holds_for_other_streams() -> None:
    """In one wait, that ends a little after; it counts as one attempt."""
    judge = waiting(RetryPolicy())
    judge._turns.view = Crowd(Later(40.0, told=True))
    answer = judge.turn(5000.0)
    assert isinstance(answer, Retry)
    assert 40 <= answer.wait <= 44
    assert judge._turns.waits == 1


def test_anothers_retry_after_may_be_too_long() -> None:
    """Its own retry_after_max decides, and the failure says until when; that is no matter of the budget's."""
    judge = waiting(RetryPolicy(retry_after_max=30), when=history(elsewhere=True))
    judge._turns.view = Crowd(Later(40.0, told=True))
    answer = judge.turn(5000.0)
    assert isinstance(answer, GiveUp)
    assert (answer.limit, "asked to wait 40 s" in answer.reason) == (Limit.RETRY_AFTER, True)


def test_a_policy_without_waits_does_not_ask_without_pause() -> None:
    """A question for a turn follows the one before it after a twentieth of a second at least."""
    policy = RetryPolicy(wait_initial=0, wait_max=0, max_barren_attempts=100, max_attempts=200)
    answer, seconds, asked = wait_out(waiting(policy))
    assert answer is not None
    assert asked == 99
    assert seconds == pytest.approx(98 * SHORTEST_POLL)


def test_the_place_is_given_up_with_the_stream() -> None:
    """And nothing is kept of its last failure."""
    judge = waiting(RetryPolicy())
    crowd = judge._turns.view
    assert isinstance(crowd, Crowd)
    judge.leave()
    assert crowd.left
    assert judge.turn(5000.0) is None


# tenacity ----------------------------------------------------------------------------------------


def test_stop_also_stops() -> None:
    """A stop strategy of the user's ends a stream that the fields would have let go on, and only then."""
    policy = RetryPolicy(stop=tenacity.stop_after_attempt(2))
    assert isinstance(verdict(policy, when=history(1)), Retry)
    assert refusal(policy, when=history(2)) == GiveUp("the policy's stop strategy ended it", Limit.STOP)


def test_stop_does_not_lift_a_limit() -> None:
    """A user's stop_never leaves the policy's limits in force."""
    assert "max_attempts" in refusal(RetryPolicy(stop=tenacity.stop_never, max_attempts=1)).reason


@pytest.mark.parametrize(("limit", "on"), [(10.0, True), (8.0, False), (3.0, False)])
def test_stop_before_delay_sees_our_clock_and_wait(limit: float, on: bool) -> None:
    """Elapsed time and the coming wait are those of the stream, not of the machine's clock."""
    policy = RetryPolicy(stop=tenacity.stop_before_delay(limit), wait=tenacity.wait_fixed(4))
    assert isinstance(verdict(policy, when=history(elapsed=4)), Retry) is on


def test_wait_replaces_ours() -> None:
    """The user's wait is taken for all kinds, after progress too."""
    policy = RetryPolicy(wait=tenacity.wait_fixed(7))
    for kind in sorted(RETRYABLE_KINDS):
        assert verdict(policy, failure(kind), history(3, barren=0)) == Retry(7.0, "wait")


def test_a_wait_may_be_none_at_all() -> None:
    """A strategy that does not wait is taken at its word, even after an overload."""
    assert verdict(RetryPolicy(wait=tenacity.wait_none()), failure(Kind.OVERLOADED)) == Retry(0.0, "wait")


@pytest.mark.parametrize(("told", "source"), [(2.0, "wait"), (20.0, "retry-after")])
def test_wait_is_never_shorter_than_asked(told: float, source: str) -> None:
    """A retry-after is the least that is waited, whatever the user's strategy says."""
    policy = RetryPolicy(wait=tenacity.wait_fixed(7))
    answer = verdict(policy, failure(Kind.OVERLOADED, retry_after=told))
    assert isinstance(answer, Retry)
    assert answer.source == source
    assert answer.wait >= max(told, 7)


def test_wait_counts_from_the_last_progress() -> None:
    """A doubling wait strategy begins anew after progress, and counts from 1."""
    policy = RetryPolicy(wait=tenacity.wait_exponential())
    waits = [wait(policy, when=history(7, barren)) for barren in range(5)]
    assert waits == [1, 1, 2, 4, 8]


def test_retry_must_agree() -> None:
    """A retry strategy of the user's can refuse by exception, and cannot allow what the policy refuses."""
    lost = RetryPolicy(retry=tenacity.retry_if_exception_type(ConnectionError))
    assert isinstance(verdict(lost), Retry)
    other = RetryPolicy(retry=tenacity.retry_if_exception_type(TimeoutError))
    assert refusal(other) == GiveUp("the policy's retry strategy declined")
    always = RetryPolicy(retry=tenacity.retry_always)
    assert refusal(always, failure(Kind.CANCELLED)).reason == "cancelled is never retried"


def test_strategies_combine_as_in_tenacity() -> None:
    """``|`` and ``&`` join stops and conditions, ``+`` adds waits; the policy takes the whole as one."""
    either = tenacity.stop_after_attempt(9) | tenacity.stop_before_delay(10)
    both = tenacity.stop_after_attempt(2) & tenacity.stop_before_delay(10)
    for stop, attempts, elapsed, stops in [
        (either, 2, 20, True),
        (either, 2, 1, False),
        (both, 2, 20, True),
        (both, 1, 20, False),
        (both, 2, 1, False),
    ]:
        answer = verdict(RetryPolicy(stop=stop), when=history(attempts, elapsed=elapsed))
        assert isinstance(answer, GiveUp) is stops
    added = tenacity.wait_fixed(2) + tenacity.wait_incrementing(start=1, increment=1)
    assert [wait(RetryPolicy(wait=added), when=history(7, barren)) for barren in (1, 2, 3)] == [3, 4, 5]
    lost, timed_out = map(tenacity.retry_if_exception_type, (ConnectionError, TimeoutError))
    assert isinstance(verdict(RetryPolicy(retry=lost | timed_out)), Retry)
    assert isinstance(verdict(RetryPolicy(retry=lost & timed_out)), GiveUp)


def test_strategies_are_told_everything() -> None:
    """All see failure, history and exception; wait counts the barren attempts, the others all."""
    seen: dict[str, tuple[int, object]] = {}

    def note(name: str, answer: float) -> Any:
        def strategy(state: StreamState) -> float:
            assert isinstance(state, tenacity.RetryCallState)
            assert state.outcome is not None
            assert state.outcome.exception() is ERROR
            assert (state.failure, state.history) == (what, when)
            assert state.seconds_since_start == 4
            assert "StreamState" in repr(state)
            seen[name] = state.attempt_number, state.upcoming_sleep
            return answer

        return strategy

    what, when = failure(), history(6, barren=2, elapsed=4)
    policy = RetryPolicy(retry=note("retry", True), wait=note("wait", 3.0), stop=note("stop", False))
    assert verdict(policy, what, when) == Retry(3.0, "wait")
    assert seen == {"retry": (6, 0.0), "wait": (2, 0.0), "stop": (6, 3.0)}


@pytest.mark.parametrize("field", ["stop", "wait", "retry"])
def test_what_a_strategy_raises_is_raised(field: str) -> None:
    """A fault in the user's own callable is not hidden."""

    def broken(_: object) -> bool:
        raise ZeroDivisionError

    fields: dict[str, Any] = {field: broken}
    with pytest.raises(ZeroDivisionError):
        verdict(RetryPolicy(**fields))


@pytest.mark.parametrize("answer", [-1, math.nan, math.inf, "3", None, True])
def test_an_unusable_wait_is_told(answer: object) -> None:
    """A wait that cannot be slept is an error that shows the value, not an endless sleep."""

    def strategy(_: object) -> Any:
        return answer

    with pytest.raises(PolicyError, match=r"wait returned .*: should be a number of seconds"):
        verdict(RetryPolicy(wait=strategy))


@pytest.mark.parametrize("field", ["stop", "retry"])
def test_a_hidden_coroutine_is_no_yes(field: str) -> None:
    """An async answer that slipped through is an error: as an object it would always be true."""

    async def late() -> bool:
        return False

    fields: dict[str, Any] = {field: lambda _: late()}
    with pytest.raises(PolicyError, match=f"policy's {field} returned an awaitable"):
        verdict(RetryPolicy(**fields))


def test_a_hidden_future_is_no_yes() -> None:
    """The same for an awaitable that is no coroutine."""
    loop = asyncio.new_event_loop()
    answer: Any = loop.create_future()
    loop.close()
    with pytest.raises(PolicyError, match="awaitable"):
        verdict(RetryPolicy(stop=lambda _: answer))


def test_the_machine_clock_and_global_chance_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream of a virtual day is judged by its own clock and its own random source."""
    monkeypatch.setattr(random, "random", None)
    monkeypatch.setattr(random, "uniform", None)
    monkeypatch.setattr(time, "sleep", None)
    answer = verdict(RetryPolicy(deadline=86_400), failure(Kind.OVERLOADED), history(elapsed=86_000))
    assert isinstance(answer, Retry)
