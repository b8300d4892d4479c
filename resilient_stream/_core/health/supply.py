"""The retries that may be sent now.

Each costs a token, and each reply that begins puts some back: as with gRPC and the AWS SDKs, what is served
pays for what is retried, and an API that serves nobody earns no retries. A reply to a retry puts back two, so
that the supply doubles with each round, as TCP's congestion window does in slow start. Where there are no
tokens a single retry is sent now and then to see how the API is: ever more seldom, but as often as the most
patient stream would have asked alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Final

FIRST_PROBE: Final = 0.5
"""Seconds between the last retry and the first probe; doubles with each probe in a row that is not served."""

RETURNED: Final = 2.0
"""Tokens that the reply to a retry puts back. (With 1.5, at half rejected and a third cut, 92 % of the
streams finish in place of 99.9 %: the supply does not grow as fast as it is needed.)"""

MOST_DOUBLINGS: Final = 60
"""Beyond, a pause is longer than any policy's longest wait."""


@dataclass(slots=True)
class Supply:
    """Tokens, and probes where there are none.

    Args:
        reserve: tokens at first, and the most that are kept.
        ratio: tokens that the reply to a stream's first request adds.
        window: seconds after which a supply that nobody uses or waits for is as at first.
    """

    reserve: float
    ratio: float
    window: float
    tokens: float = field(init=False)
    probes: int = 0
    """Retries in a row that were sent without a token, and not served."""
    _sent: float = -inf
    _heard: float = -inf

    def __post_init__(self) -> None:
        self.tokens = self.reserve

    def began(self, now: float, *, paid: bool) -> None:
        """A reply has begun, to a retry (``paid``) or to a first request."""
        more = RETURNED if paid else self.ratio
        full = max(self.reserve, RETURNED)
        self.tokens = max(self.tokens, min(self.tokens + more, full))
        self.probes, self._heard = 0, now

    def take(self, now: float, ahead: int, longest: float) -> bool:
        """Take what one retry costs, if it is there.

        Args:
            now: the time.
            ahead: streams whose turn comes first. A token is left for each of them, and every probe.
            longest: seconds between two probes at most.
        """
        if self.tokens >= 1 + ahead:
            self.tokens -= 1
        elif ahead or self.until_probe(now, longest) > 0:
            return False
        else:
            self.probes += 1
        self._sent = now
        return True

    def pause(self, longest: float) -> float:
        """Seconds between the last retry and the next probe."""
        return min(FIRST_PROBE * 2.0 ** min(self.probes, MOST_DOUBLINGS), max(longest, FIRST_PROBE))

    def until_probe(self, now: float, longest: float) -> float:
        """Seconds until the next probe may be sent."""
        return max(0.0, self._sent + self.pause(longest) - now)

    def rest(self, now: float) -> None:
        """Nobody waits: after a while what happened says nothing any more."""
        if now - max(self._sent, self._heard) > self.window:
            self.tokens, self.probes = self.reserve, 0
