"""Counts a stream's waits for its turn as attempts.

A stream that waits for its turn waits as its policy would between attempts. Each of these waits counts as an
attempt that brought nothing, or as a failure to connect while nobody can connect. So the stream's own limits
end it when they would have without a budget.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from resilient_stream._core.failures import Failure, Kind
from resilient_stream._core.health.view import Claim, Later, View
from resilient_stream._core.verdict import History

CLOSE: Final = 1e-3
"""Waits of so few seconds count as over, because clocks are not exact."""


@dataclass(slots=True)
class Turns:
    """The turns of one stream. ``view`` is the budget that it shares with others; None if there is none."""

    view: View | None = None
    barren: int = 0
    """Waits without a turn since the last progress that count as attempts."""
    away: int = 0
    """Waits without a turn that count as failures to connect."""
    _away_since: float = 0.0
    _connected: bool = False
    _begun: bool = False
    """Whether the reply of the current or last attempt has begun."""
    _until: float = 0.0
    """When the current wait is over."""
    _claim: Claim = field(default_factory=Claim)

    @property
    def waits(self) -> int:
        """Waits without a turn since the last progress."""
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
        """Ask for a turn; None if it is the stream's. ``longest`` is the policy's longest wait, in
        seconds."""
        if self.view is None:
            return None
        self._claim.longest = longest
        later = self.view.ask(now, self._claim)
        if later is None:
            self._until = now
        return later

    def left(self, now: float) -> float:
        """Seconds left of the current wait; 0 if there is none."""
        return self._until - now if self._until - now > CLOSE else 0.0

    def begin(self, now: float, seconds: float) -> None:
        """Begin another wait."""
        self._until = now + seconds

    def count(self, now: float, history: History, *, unreachable: bool) -> None:
        """Count a wait that ended without a turn. ``history`` is the stream's at its last failure."""
        if not (unreachable and self._connected):
            self.barren, self.away = self.barren + 1, 0
            return
        if self.away == 0:
            self._away_since = history.now - history.away if history.unreachable else now
        self.away += 1

    def counted(self, now: float, history: History) -> History:
        """The history at ``now``, with the waits counted as attempts."""
        away = now - self._away_since if self.away else history.away
        return history._replace(
            now=now,
            attempts=history.attempts + self.barren,
            barren=history.barren + self.barren,
            unreachable=history.unreachable + self.away,
            away=max(history.away, away),
        )

    def leave(self) -> None:
        """The stream has ended."""
        if self.view is not None:
            self.view.leave(self._claim)
