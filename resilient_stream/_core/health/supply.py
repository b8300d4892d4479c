"""The retries that may be sent now.

Each costs a token, and each reply that begins returns some. As with gRPC and the AWS SDKs, served requests
pay for retries, so an API that serves nobody earns none. A reply to a retry returns two tokens, so the supply
doubles with each round, as TCP's congestion window does in slow start. If there are no tokens, a single retry
is sent from time to time to test the API, with growing pauses, but as often as the most patient stream would
have asked alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Final

from .news import ALONE, KNOWN, TAKE_OVER, Elsewhere

FIRST_PROBE: Final = 0.5
"""Seconds between the last retry and the first probe. They double with each probe in a row that is not
served."""

RETURNED: Final = 2.0
"""Tokens that the reply to a retry returns. (With 1.5, if half of the requests are rejected and a third of
the replies cut, 92 % of the streams are completed instead of 99.9 %: the supply does not grow fast
enough.)"""

MOST_DOUBLINGS: Final = 60
"""After this many doublings a pause is longer than any policy's longest wait."""


@dataclass(slots=True)
class Supply:
    """Tokens, and probes if there are none.

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
    """Retries in a row that were sent without a token and not served."""
    sent: float = -inf
    """When the last retry was sent."""
    heard: float = -inf
    """When the last reply began."""
    elsewhere: Elsewhere = ALONE
    """What other processes report."""

    def __post_init__(self) -> None:
        self.tokens = self.reserve

    @property
    def most(self) -> float:
        """The most tokens that are kept: this process's share, but at least two, so that served requests pay
        for retries however many processes share."""
        return max(self.reserve * self.elsewhere.share, RETURNED)

    def hear(self, elsewhere: Elsewhere) -> None:
        """Take in what other processes report."""
        self.elsewhere = elsewhere
        self.tokens = min(self.tokens, self.most)

    @property
    def in_vain(self) -> int:
        """Probes in a row, of all processes, that were not served."""
        other = self.elsewhere
        own = self.probes if self.sent > other.heard else 0
        return own + self._in_vain_elsewhere

    @property
    def _in_vain_elsewhere(self) -> int:
        return self.elsewhere.probes if self.elsewhere.sent > self.heard else 0

    def began(self, now: float, *, paid: bool) -> None:
        """Note that a reply has begun: to a retry (``paid``) or to a first request."""
        more = RETURNED if paid else self.ratio
        self.tokens = max(self.tokens, min(self.tokens + more, self.most))
        self.probes, self.heard = 0, now

    def take(self, now: float, ahead: int, longest: float) -> bool:
        """Take the price of one retry, if it is there. Return whether it was.

        Args:
            now: the time.
            ahead: streams whose turn comes first. A token is left for each of them, and every probe.
            longest: seconds between two probes at most.
        """
        if self.tokens >= 1 + ahead and self._in_vain_elsewhere < KNOWN:
            self.tokens -= 1
        elif ahead or self.until_probe(now, longest) > 0:
            return False
        else:
            self.probes += 1
        self.sent = now
        return True

    def pause(self, longest: float) -> float:
        """Seconds between the last retry and the next probe."""
        return min(FIRST_PROBE * 2.0 ** min(self.in_vain, MOST_DOUBLINGS), max(longest, FIRST_PROBE))

    def until_probe(self, now: float, longest: float) -> float:
        """Seconds until the next probe may be sent."""
        last, other = self.sent, self.elsewhere
        if self._in_vain_elsewhere:
            last = max(last, other.sent) + other.before * TAKE_OVER
        return max(0.0, last + self.pause(longest) - now)

    def is_idle(self, now: float) -> bool:
        """Whether this process has had no retry and no reply for so long that it reports nothing any more."""
        return now - max(self.sent, self.heard) > self.window

    def rest(self, now: float) -> None:
        """Note that nobody waits: after a while the supply is as at first."""
        if self.is_idle(now) and now - max(self.elsewhere.sent, self.elsewhere.heard) > self.window:
            self.tokens, self.probes = min(self.reserve, self.most), 0
