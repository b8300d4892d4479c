"""The list of streams that run, and the counts of those that have ended.

It has numbers, names and ids; nothing of a request or a reply. A client chooses the model's name, so it is
shown only if it is a plain word.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from resilient_stream._core.failures import is_word
from resilient_stream._core.record.ledger import Record


def new_id() -> str:
    """A name for a stream, which nobody can guess."""
    return f"rs_{secrets.token_hex(12)}"


@dataclass(frozen=True, slots=True)
class Running:
    """A stream that runs."""

    record: Record
    model: str
    began: float
    id: str

    def told(self, now: float) -> dict[str, Any]:
        """What is shown about it while it runs, and in the line at its end."""
        ledger = self.record.ledger
        failures = [attempt.failure.kind for attempt in ledger.attempts if attempt.failure is not None]
        return {
            "id": self.id,
            "model": self.model if is_word(self.model) else "",
            "seconds": round(now - self.began, 3),
            "attempts": len(ledger.attempts),
            "failures": [str(kind) for kind in failures],
            "seams": len(ledger.seams),
            "unverified": sum(not seam.verified for seam in ledger.seams),
            "characters": self.record.turn.characters,
        }


@dataclass(frozen=True, slots=True)
class Ended:
    """How a stream ended, for a message to people."""

    what: str
    """completed | retried | resumed | lost | left."""
    reason: str
    """Why nothing more was tried, if it is lost."""
    told: dict[str, Any]


@dataclass(slots=True)
class Counts:
    """Counts of streams since the start."""

    completed: int = 0
    """Completed by their first request."""
    retried: int = 0
    """Completed by another request, without a visible difference."""
    resumed: int = 0
    """Completed by at least one continuation."""
    lost: int = 0
    left: int = 0
    """Left by their client."""


class Streams:
    """All streams of one gateway.

    Args:
        clock: a monotonic clock, in seconds.
        on_end: is called with each that has ended.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        on_end: Callable[[Ended], None] = lambda ended: None,
    ) -> None:
        self.running: dict[str, Running] = {}
        self.counts = Counts()
        self._clock, self._on_end = clock, on_end

    @contextmanager
    def run(self, record: Record, model: str, name: str = "") -> Generator[Running]:
        """Count a stream as running within the block.

        Args:
            record: the stream's.
            model: it was asked of.
            name: its id, where it has one already.
        """
        stream = Running(record, model, self._clock(), name or new_id())
        self.running[stream.id] = stream
        try:
            yield stream
        finally:
            if self.running.get(stream.id) is stream:  # another process may have taken it over by now
                del self.running[stream.id]
            self._end(stream)

    def told(self) -> list[dict[str, Any]]:
        """What is shown about the streams that run, the oldest first."""
        now = self._clock()
        return [stream.told(now) for stream in self.running.values()]

    def _end(self, stream: Running) -> None:
        what = how(stream.record)
        setattr(self.counts, what, getattr(self.counts, what) + 1)
        self._on_end(Ended(what, stream.record.ledger.reason, stream.told(self._clock())))


def how(record: Record) -> str:
    """How a stream ended: a name in `Counts`."""
    ledger = record.ledger
    match ledger.outcome:
        case "completed" | "finished_with_tools" if ledger.resumed:
            return "resumed"
        case "completed" | "finished_with_tools":
            return "completed" if len(ledger.attempts) == 1 else "retried"
        case "failed":
            return "lost"
        case _:
            return "left"
