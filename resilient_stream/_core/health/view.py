"""The interface of the view that streams share: what they ask it, and what they report to it.

`View` is the seam: the view of one process is `RetryBudget`, and one that several processes share would be
another implementation. Its methods are called from the drivers' loops, so none may block.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from resilient_stream._core.failures import Kind


@dataclass(slots=True, eq=False)
class Claim:
    """One stream's dealings with a view, from its call to its end. The stream writes the first fields, the
    view its own two."""

    model: str = ""
    """The model that the next request goes to."""
    begun: bool = False
    """The stream has brought something: its consumer has part of a reply."""
    elsewhere: bool = False
    """The next request goes to another model than the last: what the account was told does not hold it up."""
    longest: float = 0.0
    """Seconds that the stream's policy waits between two attempts at most."""
    held: Any = field(default=None, repr=False)
    """The view's: the place that the stream has in a queue, if it waits."""
    paid: Any = field(default=None, repr=False)
    """The view's: what the retry that runs was paid from, until its reply begins."""


@dataclass(frozen=True, slots=True)
class Later:
    """The answer if it is not the stream's turn."""

    pause: float
    """Seconds after which it is worth asking again."""
    told: bool = False
    """The API has asked somebody on this account to wait for so long."""
    unreachable: bool = False
    """Nobody can connect at present."""


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
        """A request to ``model`` failed before its reply began, and the API asked to wait so many seconds."""
        ...

    def leave(self, claim: Claim) -> None:
        """The stream is over. Its place is given up."""
        ...
