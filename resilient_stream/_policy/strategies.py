"""A policy's numbers as tenacity's strategies, and the state that strategies are given.

The strategies here are only called with a `StreamState`: tenacity's attributes, with the library's clock, the
failure and the history.
"""

from __future__ import annotations

import random
from typing import Final, cast

from tenacity import Future, RetryCallState, Retrying
from tenacity.retry import retry_base
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from resilient_stream._core.failures import FINAL_KINDS, Failure, Kind
from resilient_stream._core.verdict import History

from .fields import WaitRule

_RETRYING: Final = Retrying()
"""The owner that tenacity's states need. It is never run."""


class StreamState(RetryCallState):
    """The state that a strategy is given: tenacity's attributes, with the library's clock, the failure and
    the history.

    ``attempt_number`` is the number of requests sent so far, except while a wait is chosen: then it is
    the number of attempts in a row that brought nothing new (at least 1), failures to connect included, so
    backoff begins anew after progress. ``outcome`` holds the exception that giving up would raise.
    ``idle_for`` is not kept.
    """

    failure: Failure
    history: History

    def __init__(
        self, failure: Failure, history: History, error: BaseException, attempt_number: int | None = None
    ) -> None:
        super().__init__(_RETRYING, None, (), {})
        self.failure, self.history, self._error = failure, history, error
        self.start_time, self.outcome_timestamp = history.started, history.now
        self.attempt_number = history.attempts if attempt_number is None else attempt_number
        self.outcome = Future(history.attempts)
        self.outcome.set_exception(error)

    def since_progress(self) -> StreamState:
        """The same for a strategy that chooses a wait."""
        number = max(1, self.history.barren + self.history.unreachable)
        return StreamState(self.failure, self.history, self._error, number)


class retry_if_kind(retry_base):  # noqa: N801 -- named as tenacity names its strategies
    """Retries if the server asked for it, and otherwise by the kind of failure."""

    def __init__(self, kinds: frozenset[Kind]) -> None:
        self.kinds = kinds

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Whether another request can help."""
        failure = _stream(retry_state).failure
        if failure.should_retry is None:
            return failure.kind in self.kinds
        return failure.should_retry and failure.kind not in FINAL_KINDS - {Kind.REJECTED}


class stop_after_barren(stop_base):  # noqa: N801 -- as above
    """Stops after this many attempts in a row that brought nothing new."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Whether the limit is reached."""
        return _stream(retry_state).history.barren >= self.limit


class stop_after_away(stop_base):  # noqa: N801 -- as above
    """Stops when the network has been away for this long, or after this many failures to connect."""

    def __init__(self, seconds: float, most: int) -> None:
        self.seconds, self.most = seconds, most

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Whether the time is up."""
        history = _stream(retry_state).history
        return history.unreachable >= self.most or (history.unreachable > 0 and history.away >= self.seconds)


class wait_full_jitter(wait_base):  # noqa: N801 -- as above
    """A random wait between 0 and a ceiling that doubles from ``initial`` to ``maximum``: "full jitter".

    As tenacity's ``wait_random_exponential``, but with a random source that can be seeded.
    """

    def __init__(self, rng: random.Random, initial: float, maximum: float) -> None:
        self.rng, self.initial, self.maximum = rng, initial, maximum

    def __call__(self, retry_state: RetryCallState) -> float:
        """Seconds to wait."""
        doublings = min(retry_state.attempt_number - 1, 1000)  # beyond this, 2.0 ** n is not a float
        return self.rng.uniform(0, min(self.maximum, self.initial * 2.0**doublings))


def _stream(state: RetryCallState) -> StreamState:
    """Narrow the type: the library's own strategies only get the library's own states."""
    return cast("StreamState", state)


def ask_wait(strategy: WaitRule, state: StreamState) -> float:
    """Seconds that a strategy wants to wait. Backoff counts from the last progress."""
    return strategy(state.since_progress())
