"""What a journal holds, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Where a stream is."""

    RUNNING = "running"
    """Somebody writes it, or did when his process ended."""
    COMPLETE = "complete"
    """It came to its end."""
    FAILED = "failed"
    """It was given up."""
    LEFT = "left"
    """Its program closed it before its end."""
    STOPPED = "stopped"
    """Somebody has asked for it to be stopped, and it was."""
    EXPIRED = "expired"
    """Its retention is over: nothing is left but its name."""


OVER = frozenset({Status.COMPLETE, Status.STOPPED})
"""Nobody goes on with these."""


class Verdict(StrEnum):
    """What a claim comes to."""

    NEW = "new"
    """There was no such stream; now there is, and the claimant may write it."""
    TAKEN = "taken"
    """The claimant may go on with it."""
    LEASED = "leased"
    """Somebody else writes it."""
    OVER = "over"
    """There is nothing to go on with."""
    UNKNOWN = "unknown"
    """There is no such stream, and no request to begin it with."""


class Answer(StrEnum):
    """What a write comes to."""

    KEPT = "kept"
    STOP = "stop"
    """Kept; and somebody has asked for the stream to be stopped."""
    LOST = "lost"
    """Not kept: somebody else writes the stream by now, or it is gone."""


@dataclass(frozen=True, slots=True)
class Head:
    """What there is to know of a stream without reading it."""

    key: str
    """Its key: the program's name for it."""
    tag: str
    """A name by chance, part of its cursors: a stream that is begun anew under the same key has another."""
    status: Status
    epoch: int
    holder: str
    """The process that writes it; empty where none does."""
    until: float
    """When its lease ends, by the store's clock: seconds since the epoch."""
    last: int
    """The number of its last frame; 0 before the first."""
    size: int
    """Bytes of its frames."""
    created: float
    touched: float
    """When it was last written to."""
    owner: str
    """A keyed digest of the credential that began it; empty where that does not matter."""
    stopping: bool
    """Somebody has asked for it to be stopped."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a stream."""

    key: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What became of a claim."""

    verdict: Verdict
    head: Head | None = None
    """None where the verdict is UNKNOWN."""

    @property
    def lease(self) -> Lease | None:
        """The right to write, where it was given."""
        if self.head is None or self.verdict not in (Verdict.NEW, Verdict.TAKEN):
            return None
        return Lease(self.head.key, self.head.epoch)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a stream begins with."""

    tag: str
    request: bytes
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """What a writer adds to its stream at once: all of it or nothing."""

    lease: Lease
    first: int
    """The number of the first of `frames`, or of the one that would come next."""
    frames: tuple[bytes, ...] = ()
    state: bytes | None = None
    """What replaces the record of its progress; None to keep it."""
    status: Status | None = None
    """How it ended; the lease ends with it. None while it runs."""


@dataclass(frozen=True, slots=True)
class Page:
    """A stream's frames from some place on, as many as were asked for, and how the stream stood then."""

    head: Head
    frames: tuple[tuple[int, bytes], ...]
    """Each with its number."""
