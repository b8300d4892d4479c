"""The retry budget, which prevents a storm of retries when many streams fail at once.

Limits for each stream do not help then: each stream may retry little, and the sum may still be several times
the normal load, when the API can bear it least. So the streams of one API share a view of its health and one
supply of retries. A retry that the supply does not cover waits for its turn. `Health` has the rules; this
module adds the lock, so that threads and event loops may share a budget, and renews it in a forked child.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NoReturn, Protocol
from weakref import WeakSet

from resilient_stream._core.failures import Kind
from resilient_stream._core.health.health import Health
from resilient_stream._core.health.news import News
from resilient_stream._core.health.view import Claim, Later

__all__ = ["BudgetState", "RetryBudget", "renewed_after_fork"]

RESERVE: Final = 30.0
"""Retries that may be sent before a reply has begun. With this reserve a thousand streams send 1.05 requests
each in an outage."""

RATIO: Final = 0.5
"""Retries that the reply to a stream's first request pays for. (gRPC's example: 0.1; Finagle: 0.2. Their
calls are short, and a call that waits blocks its caller. A stream may wait, and what it has received is worth
more.)"""

WINDOW: Final = 60.0
"""Seconds of quiet after which the supply is full again. (Finagle forgets after 1 to 60, by default 10; a
stream lives longer than an RPC, so the longest.)"""


@dataclass(frozen=True, slots=True)
class BudgetState:
    """The state of a budget at one moment."""

    balance: float
    """Retries that may be sent now, of the model that has the fewest."""
    waiting: int
    """Streams that wait for their turn."""


class RetryBudget:
    """The retries that all streams together may send. Threads and event loops may share one budget.

    A retry costs 1. The reply to a retry, once it has begun, adds 2; the reply to a stream's first request
    adds ``ratio``. Each model has a separate supply. A retry that the supply does not cover waits for its
    turn: first come, first served. Streams that have delivered content go before others, unless one of those
    has waited 30 s longer. If the supply is empty, single retries probe the API: after 0.5 s, then after
    twice as long each time, up to the longest wait of the stream's own policy. Waits for a turn count as
    the attempts that a stream would have made meanwhile, so its limits end it when they would have without
    a budget.

    All streams of the budget obey a ``Retry-After`` until a later request is served: after a 429 whatever
    their model, after an overload if they use the same model.

    A forked child begins with a new budget.

    Args:
        reserve: retries that may be sent before a reply has begun, and the most that are kept; default 30.
        ratio: retries that the reply to a first request adds; default 0.5.
        window: seconds in which nothing is retried, served or waited for, after which the supply is full
            again; default 60.
    """

    def __init__(self, reserve: float = RESERVE, ratio: float = RATIO, window: float = WINDOW) -> None:
        if not (0 <= reserve < float("inf") and 0 <= ratio < float("inf") and 0 < window < float("inf")):
            raise ValueError(
                f"reserve={reserve!r}, ratio={ratio!r}, window={window!r}: should be finite numbers; "
                "reserve and ratio at least 0, window (seconds) above 0"
            )
        self.reserve, self.ratio, self.window = reserve, ratio, window
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Reset the budget, because this is a forked child."""
        self._lock = threading.Lock()
        self._health = Health(self.reserve, self.ratio, self.window)
        self._notes: deque[Callable[[], None]] = deque()
        """Calls that arrived while the lock was taken."""

    def ask(self, now: float, claim: Claim) -> Later | None:
        """Whether a retry may be sent at ``now`` seconds of a monotonic clock: None if it may."""
        with self._lock:
            self._take_notes()
            return self._health.ask(now, claim)

    def began(self, now: float, claim: Claim, sent: float) -> None:
        """The reply to the stream's request, sent at ``sent``, has begun."""
        self._note(partial(self._health.began, now, claim, sent))

    def failed(self, now: float, claim: Claim, kind: Kind, model: str, retry_after: float | None) -> None:
        """The stream's request failed before its reply began."""
        self._note(partial(self._health.failed, now, claim, kind, model, retry_after))

    def leave(self, claim: Claim) -> None:
        """The stream has ended."""
        self._note(partial(self._health.leave, claim))

    def news(self, now: float) -> News:
        """What this process reports of its observations to the others."""
        with self._lock:
            self._take_notes()
            return self._health.news(now)

    def hear(self, before: Sequence[News], after: Sequence[News]) -> None:
        """Receive the last reports of other processes, in place of their earlier ones.

        Args:
            before: reports of the processes whose turn to send a probe comes before this one's.
            after: reports of the others.
        """
        with self._lock:
            self._take_notes()
            self._health.hear(before, after)

    def _note(self, note: Callable[[], None]) -> None:
        """Make the call now, or leave it to the holder of the lock.

        Garbage collection may end a stream in the middle of `ask`, in the same thread, so this method never
        waits for the lock.
        """
        self._notes.append(note)
        while self._notes and self._lock.acquire(blocking=False):
            try:
                self._take_notes()
            finally:
                self._lock.release()

    def _take_notes(self) -> None:
        while self._notes:
            self._notes.popleft()()

    @property
    def balance(self) -> float:
        """Retries that may be sent now, of the model that has the fewest."""
        return self.state.balance

    @property
    def state(self) -> BudgetState:
        """The current state of the budget."""
        with self._lock:
            self._take_notes()
            return BudgetState(self._health.balance, self._health.waiting)

    def __repr__(self) -> str:
        now = self.state
        return (
            f"<RetryBudget reserve={self.reserve:g} ratio={self.ratio:g} window={self.window:g}: "
            f"{now.balance:g} retries left, {now.waiting} streams wait for their turn>"
        )

    def __copy__(self) -> RetryBudget:
        """The same budget: a copied policy still draws on it."""
        return self

    def __deepcopy__(self, memo: object) -> RetryBudget:
        """As ``__copy__``."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse: two budgets where one was meant would allow twice as much."""
        raise TypeError(
            "a RetryBudget can't be pickled: it counts the streams of its own process. Make one in each "
            'process, or leave the policy at budget="shared", which does'
        )


class _Renewed(Protocol):
    def renew(self) -> None: ...


_RENEWED: Final[WeakSet[_Renewed]] = WeakSet()


def renewed_after_fork(one: _Renewed) -> None:
    """Have ``one`` begin anew in each forked child, where a lock that another thread held is never
    released."""
    _RENEWED.add(one)


def _renew() -> None:
    for one in list(_RENEWED):
        one.renew()


_at_fork: Callable[..., None] = getattr(os, "register_at_fork", lambda **_: None)
_at_fork(after_in_child=_renew)
