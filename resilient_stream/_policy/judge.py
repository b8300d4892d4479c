"""Applies a policy: after each failure of a stream, the judge decides whether to continue or to give up.

A policy is a value; a ``Judgement`` has the state of one stream. The policy's numbers become ``stop``,
``wait`` and ``retry`` objects of tenacity, and the user's own are added. All of them are called with a state
that uses the library's clock and random source. tenacity's loop is not used: it does not know progress, uses
its own clock, and can't retry a generator that has already yielded.
"""

from __future__ import annotations

import inspect
import math
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from tenacity.stop import stop_after_attempt, stop_before_delay

from resilient_stream._core.failures import CONNECTION_KINDS, FINAL_KINDS, Failure, Kind
from resilient_stream._core.health.view import View
from resilient_stream._core.verdict import QUEUE, GiveUp, History, Limit, Retry
from resilient_stream.errors import PolicyError

from .fields import StopRule
from .model import RetryPolicy
from .strategies import (
    StreamState,
    ask_wait,
    retry_if_kind,
    stop_after_away,
    stop_after_barren,
    wait_full_jitter,
)
from .turns import Turns

RETRY_AFTER_JITTER: Final = 0.1
"""The largest share by which a ``retry-after`` is lengthened, so that clients which were given the same
time do not return together. It is never shortened."""

CONNECTS_FOR_A_BARREN_ATTEMPT: Final = 8
"""This many failures to connect count as one barren attempt if the policy's waits are very short. With the
default waits ``unreachable_timeout`` ends the stream long before."""

POLL_JITTER: Final = 0.25
"""The largest share by which the pause between two questions for a turn is shortened or lengthened."""

SHORTEST_POLL: Final = 0.05
"""The least seconds between two such questions, if the policy's own waits are shorter."""

NEVER: Final = {Kind.REJECTED: "a rejected request", Kind.TLS_VERIFY: "a refused certificate"}
"""The kinds that are never retried, in words."""


class Judgement:
    """The judge of one stream.

    Args:
        policy: what is allowed.
        rng: the source of randomness for waits.
        view: what the stream shares with others, the retry budget; None for no budget, or where it is the
            shared one, which is known once it is known where the first request goes, and is then given by
            `draw_on`.
        wall: seconds since the epoch, for saying until when a server asked to wait.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        rng: random.Random,
        view: View | None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._policy, self._rng, self._wall = policy, rng, wall
        self._turns = Turns(view)
        self._asked: tuple[Failure, History, BaseException] | None = None
        """The failure, the history and the exception of the last verdict."""
        self._retryable = retry_if_kind(policy.retry_on)

    def draw_on(self, view: View) -> None:
        """Use this budget for retries. Called before the first request."""
        self._turns.view = view

    def began(self, now: float, sent: float, model: str) -> None:
        """The reply to a request has begun."""
        self._turns.began(now, sent, model)

    def leave(self) -> None:
        """The stream has ended: give up its place in the queue."""
        self._asked = None  # the exception's traceback keeps its frames alive
        self._turns.leave()

    def verdict(self, failure: Failure, history: History, error: BaseException) -> Retry | GiveUp:
        """Decide what follows ``failure``; ``error`` is the exception that giving up would raise.

        Exceptions of the user's strategies are raised here.

        Raises:
            PolicyError: a strategy of the user returned no usable value.
        """
        self._turns.failed(failure, history)
        self._asked = failure, history, error
        own = StreamState(failure, history, error)
        if (stop := self._hopeless(own) or self._too_long(own)) is not None:
            return stop
        state = StreamState(failure, self._turns.counted(history.now, history), error)
        answer = self._within_limits(state)
        if isinstance(answer, GiveUp) and self._turns.waits:
            own.upcoming_sleep = state.upcoming_sleep
            return self._stopped(own) or self._crowded(answer)
        return answer

    def turn(self, now: float) -> Retry | GiveUp | None:
        """Whether it is the stream's turn: None if it is. Otherwise the same results as those of `verdict`.

        After each wait that the policy would have made between attempts, the decision is made as if the
        stream had sent a request that failed.
        """
        if self._asked is None or (later := self._turns.ask(now, self._longest(self._asked[0]))) is None:
            return None
        failure, history, error = self._asked
        told = later.pause if later.told else None
        if not self._turns.left(now):
            self._turns.count(now, history, unreachable=later.unreachable)
            history = self._turns.counted(now, history)._replace(elsewhere=False)
            state = StreamState(replace(failure, retry_after=told), history, error)
            answer = self._too_long(state) or self._within_limits(state, at_least=SHORTEST_POLL)
            if isinstance(answer, GiveUp):
                return answer if answer.limit is Limit.RETRY_AFTER else self._crowded(answer)
            self._turns.begin(now, answer.wait)
        left = self._turns.left(now)
        pause = left if told else min(left, later.pause * self._rng.uniform(1 - POLL_JITTER, 1 + POLL_JITTER))
        return Retry(pause, QUEUE, self._balance)

    @property
    def _balance(self) -> float | None:
        return None if self._turns.view is None else self._turns.view.balance

    def _longest(self, failure: Failure) -> float:
        """The longest wait of the policy after such a failure, in seconds."""
        return self._backoff(broken=failure.kind in CONNECTION_KINDS)[1]

    def _backoff(self, *, broken: bool) -> tuple[float, float]:
        """The first and the longest wait of the policy, in seconds, after a broken connection or an
        overload."""
        policy = self._policy
        if broken:
            return policy.wait_initial, policy.wait_max
        return policy.overload_wait_initial, policy.overload_wait_max

    def _hopeless(self, state: StreamState) -> GiveUp | None:
        """Give up because another request would not help."""
        if state.failure.given_up:
            return GiveUp("another layer of the library has given up")
        if not self._retryable(state):
            return GiveUp(_why_not(state.failure))
        own = self._policy.retry
        if own is not None and not _answer("retry", own(state)):
            return GiveUp("the policy's retry strategy declined")
        return None

    def _too_long(self, state: StreamState) -> GiveUp | None:
        """Give up because the server asks for a longer wait than the policy allows, and no other model is
        left."""
        told, limit = state.failure.retry_after, self._policy.retry_after_max
        if state.history.elsewhere or told is None or not told > limit:
            return None
        return GiveUp(
            f"the server asked to wait {told:g} s, {_until(self._wall() + told)}: more than "
            f"retry_after_max = {limit:g} s",
            Limit.RETRY_AFTER,
        )

    def _within_limits(self, state: StreamState, at_least: float = 0.0) -> Retry | GiveUp:
        """The wait, unless a limit of the policy forbids it."""
        answer = self._wait(state)
        state.upcoming_sleep = wait = max(answer.wait, at_least)
        return self._stopped(state) or answer._replace(wait=wait, balance=self._balance)

    def _stopped(self, state: StreamState) -> GiveUp | None:
        """Give up because a limit of the policy is reached."""
        for limit, reason, stop in _stops(self._policy):
            if _answer("stop", stop(state)):
                return GiveUp(reason, limit)
        if state.history.overspent:
            reason = "the attempts have billed as much input as max_input_multiple allows"
            return GiveUp(reason, Limit.INPUT)
        return None

    def _crowded(self, own: GiveUp) -> GiveUp:
        """Give up because a limit is reached, partly by waits for a turn."""
        waits = self._turns.waits
        return GiveUp(
            f"{own.reason}; {waits} of these {'were waits' if waits != 1 else 'was a wait'} for a turn "
            f"in the retry budget ({self._balance:g} units left)",
            Limit.BUDGET,
        )

    def _wait(self, state: StreamState) -> Retry:
        """The wait that the server asked for; otherwise none after progress, or else a backoff.

        A strategy of the user may wait for longer than the server asked, never for less. The wait that one
        model asked for does not apply to another.
        """
        elsewhere = state.history.elsewhere
        told = None if elsewhere else self._told(state.failure)
        if self._policy.wait is not None:
            own = Retry(_seconds(ask_wait(self._policy.wait, state)), "wait")
            return max(own, told or own, key=lambda answer: answer.wait)
        if told is not None:
            return told
        broken = state.failure.kind in CONNECTION_KINDS
        if elsewhere or (broken and state.history.barren + state.history.unreachable == 0):
            return Retry(0.0, "immediate")
        backoff = wait_full_jitter(self._rng, *self._backoff(broken=broken))
        return Retry(ask_wait(backoff, state), "backoff")

    def _told(self, failure: Failure) -> Retry | None:
        asked = failure.retry_after
        if asked is None or not asked > 0:  # 0, the past and NaN say nothing
            return None
        return Retry(asked + self._rng.uniform(0, RETRY_AFTER_JITTER * asked), "retry-after")


def _until(wall: float) -> str:
    try:
        return f"until {datetime.fromtimestamp(wall, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return "beyond the year 9999"


def _stops(policy: RetryPolicy) -> list[tuple[Limit, str, StopRule]]:
    """The limits, each with its name and its sentence. Any one of them ends the stream."""
    stops: list[tuple[Limit, str, StopRule]] = [
        (
            Limit.ATTEMPTS,
            f"max_attempts = {policy.max_attempts} requests were sent",
            stop_after_attempt(policy.max_attempts),
        ),
        (
            Limit.BARREN_ATTEMPTS,
            f"max_barren_attempts = {policy.max_barren_attempts} attempts in a row brought nothing new",
            stop_after_barren(policy.max_barren_attempts),
        ),
        (
            Limit.UNREACHABLE,
            f"no connection within unreachable_timeout = {policy.unreachable_timeout:g} s of trying",
            stop_after_away(
                policy.unreachable_timeout, CONNECTS_FOR_A_BARREN_ATTEMPT * policy.max_barren_attempts
            ),
        ),
    ]
    if policy.deadline is not None:
        reason = f"the next attempt would begin after the deadline of {policy.deadline:g} s"
        stops.append((Limit.DEADLINE, reason, stop_before_delay(policy.deadline)))
    if policy.stop is not None:
        stops.append((Limit.STOP, "the policy's stop strategy ended it", policy.stop))
    return stops


def _why_not(failure: Failure) -> str:
    if failure.should_retry is False:
        return "the server said not to retry (x-should-retry: false)"
    if failure.kind in FINAL_KINDS:
        return f"{NEVER.get(failure.kind, failure.kind)} is never retried"
    return f"{failure.kind} is not in the policy's retry_on"


def _seconds(answer: object) -> float:
    """The wait that a strategy of the user chose. NaN or infinity would hang the stream, and is refused."""
    if isinstance(answer, bool) or not isinstance(answer, int | float) or not 0 <= answer < math.inf:
        raise PolicyError(f"the policy's wait returned {answer!r}: should be a number of seconds, 0 or more")
    return float(answer)


def _answer(field: str, answer: object) -> bool:
    """The answer of a strategy of the user. A coroutine is always true, so it is refused."""
    if inspect.isawaitable(answer):
        if inspect.iscoroutine(answer):
            answer.close()  # or Python warns that it was never awaited
        raise PolicyError(f"the policy's {field} returned an awaitable: should be a plain True or False")
    return bool(answer)
