"""The interface through which streams ask the view that they share, and report to it.

The view of one process is `RetryBudget`. Its methods are called from the drivers' loops, so none may block.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from resilient_stream._core.failures import Kind


@dataclass(slots=True, eq=False)
class Claim:
    """The state of one stream in a view, from its call to its end. The stream writes the first fields, the
    view the last two."""

    model: str = ""
    """The model that the next request goes to."""
    begun: bool = False
    """Whether the stream has delivered content."""
    elsewhere: bool = False
    """Whether the next request goes to another model than the last. Then a wait that the API asked the
    account for does not apply."""
    longest: float = 0.0
    """The most seconds that the stream's policy waits between two attempts."""
    held: Any = field(default=None, repr=False)
    """Written by the view: the place that the stream has in a queue, if it waits."""
    paid: Any = field(default=None, repr=False)
    """Written by the view: what the current retry was paid from, until its reply begins."""


class Later(NamedTuple):
    """The answer if it is not the stream's turn."""

    pause: float
    """Seconds after which it is worth asking again."""
    told: bool = False
    """The API has asked a stream of this account to wait this long."""
    unreachable: bool = False
    """Whether nobody can connect at present."""


class View(Protocol):
    """The knowledge that the streams of one account share. Times are seconds on one monotonic clock."""

    @property
    def balance(self) -> float:
        """Retries that may be sent now."""
        ...

    def ask(self, now: float, claim: Claim) -> Later | None:
        """Whether a retry may be sent now: None if so. If not, the stream has a place in the queue, which it
        keeps by asking again after `Later.pause`."""
        ...

    def began(self, now: float, claim: Claim, sent: float) -> None:
        """The reply to the request that was sent at ``sent`` has begun."""
        ...

    def failed(self, now: float, claim: Claim, kind: Kind, model: str, retry_after: float | None) -> None:
        """A request to ``model`` failed before its reply began. The API asked to wait ``retry_after``
        seconds."""
        ...

    def leave(self, claim: Claim) -> None:
        """The stream has ended. Its place is given up."""
        ...
