"""Counts the attempts of a stream, for the decision whether there is another one.

An attempt that got a connection counts as a request, with or without an answer. An attempt that could not
connect, after one that could, has sent nothing: the network is away, for instance after a cut or when a
machine wakes up. Such failures cost nothing, so they are limited by time and not by number.

If a reply breaks in the same way at the same place as the one before it, asking again will not help, and each
request is billed. A body that ends cleanly before any content has no such place: many end alike when a proxy
gives up on a quiet connection or a host restarts, and the next one may be complete.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from resilient_stream._core.failures import Failure, Kind
from resilient_stream._core.verdict import History

BROKEN: Final = frozenset({Kind.CORRUPT, Kind.PROTOCOL, Kind.TRUNCATED})
"""The failures of a reply that arrived and could not be used."""

REPEATED: Final = "the reply was broken twice in the same way at the same place"


@dataclass(slots=True)
class Tries:
    """The counts of one stream's attempts."""

    requests: int = 0
    """Attempts, without those that only found the network away."""
    barren: int = 0
    """Requests in a row that brought nothing."""
    unreachable: int = 0
    """Failures to connect in a row, after an attempt that did connect."""
    repeated: bool = False
    """The last attempt brought nothing, and broke as the one before it, at the same place."""
    _last: tuple[Failure | None, int] = (None, 0)
    _kept: int = 0
    _connected: bool = False
    _away_since: float = 0.0

    def count(
        self, started: float, failure: Failure, kept: int, events: int = 0, *, spoke: bool = False
    ) -> bool:
        """Count an attempt that began at ``started`` and failed. Return whether it made progress.

        Args:
            started: when it began.
            failure: how it failed.
            kept: the size of what is kept of the turn. What was delivered and will be asked for again is
                no progress.
            events: how many events of the reply were received.
            spoke: whether others than openings were among them.
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
        """Whether the last attempt failed in this way, whatever its request was called."""
        last = self._last[0]
        return last is not None and last == replace(failure, request_id=last.request_id)

    def history(self, began: float, now: float) -> History:
        """What a policy is given to decide on."""
        away = now - self._away_since if self.unreachable else 0.0
        return History(began, now, self.requests, self.barren, self.unreachable, away)
