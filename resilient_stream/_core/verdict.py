"""The question that the core asks a policy after a failure, and the possible answers.

The core does not decide whether to continue. It keeps the history of the stream, passes it with the failure
to the judge, and acts on the answer. Times are passed as numbers.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from .failures import Failure


class Limit(StrEnum):
    """A limit of the policy that forbids a retry. The values appear in reports, spans, metrics and logs."""

    ATTEMPTS = "attempts"
    """``max_attempts``."""
    BARREN_ATTEMPTS = "barren_attempts"
    """``max_barren_attempts``."""
    UNREACHABLE = "unreachable"
    """``unreachable_timeout``."""
    DEADLINE = "deadline"
    """``deadline``."""
    RETRY_AFTER = "retry_after"
    """``retry_after_max``."""
    INPUT = "input"
    """``max_input_multiple``."""
    BUDGET = "budget"
    """``budget``: the retries of all streams together were spent, and another limit ended the stream while it
    waited for its turn."""
    STOP = "stop"
    """``stop``: a strategy of yours."""


class History(NamedTuple):
    """The history of a stream up to a failure. Times are seconds on one monotonic clock."""

    started: float
    """When the call was made."""
    now: float
    attempts: int
    """Requests sent so far, the failed one included; a failure to connect counts where none had connected."""
    barren: int
    """Requests in a row, the failed one included, that brought nothing new; 0 after progress."""
    unreachable: int = 0
    """Failures to connect in a row, this one included, behind an attempt that did connect."""
    away: float = 0.0
    """Seconds since the first of them began."""
    overspent: bool = False
    """The attempts together have billed as much input as the policy allows."""
    elsewhere: bool = False
    """The next request goes to another model, because this one is overloaded."""
    model: str = ""
    """The model that the failed request went to."""
    next_model: str = ""
    """The model that the next request goes to."""


class Retry(NamedTuple):
    """Continue after ``wait`` seconds. ``source`` names the rule that chose the wait."""

    wait: float
    source: str
    balance: float | None = None
    """Retries that the budget has left; None without a budget."""


AT_ONCE = Retry(0.0, "immediate")
"""No rule was asked."""

QUEUE: Final = "queue"
"""The source of a wait for the stream's turn, while the retry budget is spent."""


class GiveUp(NamedTuple):
    """Stop. ``reason`` is a sentence; ``limit`` is the limit of the policy that was reached, if the failure
    itself would have been retried."""

    reason: str
    limit: Limit | None = None


class Judge(Protocol):
    """Decides for one stream. The policy implements it."""

    def began(self, now: float, sent: float, model: str) -> None:
        """The reply to a request that was sent to ``model`` at ``sent`` has begun."""
        ...

    def verdict(self, failure: Failure, history: History, error: BaseException) -> Retry | GiveUp:
        """Decide what follows ``failure``; ``error`` is the exception that giving up would raise."""
        ...

    def turn(self, now: float) -> Retry | GiveUp | None:
        """Called when the wait of a verdict is over: whether it is the stream's turn. None if it is;
        otherwise how long to wait before asking again, or that the stream's limits have been reached."""
        ...

    def leave(self) -> None:
        """The stream has ended."""
        ...
