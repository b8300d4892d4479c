"""What a policy is asked after a failure, and what it may answer.

The core does not decide whether to go on: it keeps the history of the stream, hands it with the
failure to whoever holds the policy, and acts on the answer. Time enters as numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .failures import Failure


@dataclass(frozen=True, slots=True)
class History:
    """How a stream has fared up to a failure. Times are seconds on one monotonic clock."""

    started: float
    """When the call was made."""
    now: float
    attempts: int
    """Requests sent so far, the failed one included."""
    barren: int
    """Attempts in a row, the failed one included, that brought nothing new; 0 after progress."""
    overspent: bool = False
    """The attempts together have billed as much input as the policy allows."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Go on after ``wait`` seconds. ``source`` names the rule that chose the wait."""

    wait: float
    source: str
    balance: float | None = None
    """Units that the retry budget has left; None without one."""


AT_ONCE = Retry(0.0, "immediate")
"""No rule was asked."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Stop. ``reason`` names the limit that was met; ``budget`` marks a refusal by the policy's own
    limits where the failure as such would have been retried."""

    reason: str
    budget: bool = False


class Judge(Protocol):
    """Answers for one stream. Implemented by the policy's executor."""

    def served(self) -> None:
        """An attempt that brought something is over; said after each, before a verdict is asked."""
        ...

    def verdict(self, failure: Failure, history: History, error: BaseException) -> Retry | GiveUp:
        """Decide what follows ``failure``; ``error`` is the exception that giving up would raise."""
        ...
