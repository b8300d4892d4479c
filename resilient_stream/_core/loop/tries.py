"""What the attempts of a stream have come to, for whoever decides whether there is another one.

An attempt that got a connection is a request, whether or not an answer came. One that could not connect,
behind one that could, has sent nothing: the network is away, as it is for a while after a cut or when a
machine wakes up. Such failures cost nobody anything, so it is not their number that counts but the time.

A reply that is broken in the same way at the same place as the one before it is broken for a reason that
asking again does not remove, while each request is billed. A body that ends cleanly before any content has no
such place: a proxy that gives up on a quiet connection, or a host that restarts, ends many alike, and the
next may be whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from resilient_stream._core.failures import Failure, Kind
from resilient_stream._core.verdict import History

BROKEN: Final = frozenset({Kind.CORRUPT, Kind.PROTOCOL, Kind.TRUNCATED})
"""What a reply is that came and could not be used."""

REPEATED: Final = "the reply was broken twice in the same way at the same place"


@dataclass(slots=True)
class Tries:
    """The attempts of one stream, counted."""

    requests: int = 0
    """Attempts, those left out that only found the network away."""
    barren: int = 0
    """Requests in a row that brought nothing."""
    unreachable: int = 0
    """Failures to connect in a row, behind an attempt that did connect."""
    repeated: bool = False
    """The last attempt brought nothing, and was broken as the one before it, at the same place."""
    _last: tuple[Failure | None, int] = (None, 0)
    _kept: int = 0
    _connected: bool = False
    _away_since: float = 0.0

    def count(
        self, started: float, failure: Failure, kept: int, events: int = 0, *, spoke: bool = False
    ) -> bool:
        """Count an attempt that began at ``started`` and failed; say whether it has made progress.

        Args:
            started: when it began.
            failure: what it died of.
            kept: the size of what is kept of the turn. What was handed over and will be asked for again is
                no progress.
            events: how many had come of the reply.
            spoke: whether there were others among them than openings.
        """
        connected = failure.kind is not Kind.CONNECT
        if self._connected and not connected:
            self._away_since = self._away_since if self.unreachable else started
            self.unreachable += 1
            return False
        self._connected = self._connected or connected
        self.requests, self.unreachable = self.requests + 1, 0
        progress, self._kept = kept > self._kept, kept
        broken = failure.kind in BROKEN and (spoke or failure.kind is not Kind.TRUNCATED)
        self.repeated = broken and not progress and self.died_of(failure) and self._last[1] == events
        self._last = failure, events
        self.barren = 0 if progress else self.barren + 1
        return progress

    def died_of(self, failure: Failure) -> bool:
        """Whether that is what the last attempt died of, whatever its request was called."""
        last = self._last[0]
        return last is not None and last == replace(failure, request_id=last.request_id)

    def history(self, began: float, now: float) -> History:
        """What a policy is asked about."""
        away = now - self._away_since if self.unreachable else 0.0
        return History(began, now, self.requests, self.barren, self.unreachable, away)
