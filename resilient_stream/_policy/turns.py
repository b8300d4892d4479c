"""What waiting for a turn costs a stream: as much patience as the attempts that it takes the place of.

A stream that has to wait for its turn waits as its policy would between attempts, and each of these waits
counts as an attempt that brought nothing; as a failure to connect, while nobody can connect. So the stream's
own limits end it where they would have without a budget.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from resilient_stream._core.failures import Failure, Kind
from resilient_stream._core.health.view import Claim, Later, View
from resilient_stream._core.verdict import History

CLOSE: Final = 1e-3
"""Seconds that are no wait any more: clocks are not exact."""


@dataclass(slots=True)
class Turns:
    """The turns of one stream. ``view`` is what it shares with others; None if nothing."""

    view: View | None = None
    barren: int = 0
    """Waits without a turn since the stream last made progress, that count as attempts."""
    away: int = 0
    """Such waits that count as failures to connect."""
    _away_since: float = 0.0
    _connected: bool = False
    _begun: bool = False
    """The reply of the attempt that runs or ran last has begun."""
    _until: float = 0.0
    """When the wait that runs is over."""
    _claim: Claim = field(default_factory=Claim)

    @property
    def waits(self) -> int:
        """Waits without a turn since the stream last made progress."""
        return self.barren + self.away

    def began(self, now: float, sent: float, model: str) -> None:
        """The reply to a request has begun."""
        self._connected = self._begun = True
        if self.view is not None:
            self._claim.model = model
            self.view.began(now, self._claim, sent)

    def failed(self, failure: Failure, history: History) -> None:
        """An attempt has failed."""
        claim, begun, self._begun = self._claim, self._begun, False
        self._connected = self._connected or failure.kind is not Kind.CONNECT
        if history.barren + history.unreachable == 0:
            claim.begun, self.barren = True, 0
        if history.unreachable == 0:
            self.away = 0
        if self.view is not None and not begun:
            self.view.failed(history.now, claim, failure.kind, history.model, failure.retry_after)
        claim.model, claim.elsewhere = history.next_model, history.elsewhere

    def ask(self, now: float, longest: float) -> Later | None:
        """Ask for a turn; None if it is the stream's. ``longest``: the policy's longest wait, in seconds."""
        if self.view is None:
            return None
        self._claim.longest = longest
        later = self.view.ask(now, self._claim)
        if later is None:
            self._until = now
        return later

    def left(self, now: float) -> float:
        """Seconds that are left of the wait that runs; 0 if none does."""
        return self._until - now if self._until - now > CLOSE else 0.0

    def begin(self, now: float, seconds: float) -> None:
        """Another wait begins."""
        self._until = now + seconds

    def count(self, now: float, history: History, *, unreachable: bool) -> None:
        """A wait is over and brought no turn. ``history``: of the stream when it failed last."""
        if not (unreachable and self._connected):
            self.barren, self.away = self.barren + 1, 0
            return
        if self.away == 0:
            self._away_since = history.now - history.away if history.unreachable else now
        self.away += 1

    def counted(self, now: float, history: History) -> History:
        """The history at ``now``, with the waits as the attempts that they stand for."""
        away = now - self._away_since if self.away else history.away
        return replace(
            history,
            now=now,
            attempts=history.attempts + self.barren,
            barren=history.barren + self.barren,
            unreachable=history.unreachable + self.away,
            away=max(history.away, away),
        )

    def leave(self) -> None:
        """The stream is over."""
        if self.view is not None:
            self.view.leave(self._claim)
