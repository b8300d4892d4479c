"""What a journal stores, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The state of a stream."""

    RUNNING = "running"
    """A process writes it, or did when that process ended."""
    COMPLETE = "complete"
    """It is complete."""
    FAILED = "failed"
    """The library gave it up."""
    LEFT = "left"
    """Its program closed it before its end."""
    STOPPED = "stopped"
    """It was stopped on request."""
    EXPIRED = "expired"
    """Its retention is over: only its name is left."""


OVER = frozenset({Status.COMPLETE, Status.STOPPED})
"""States in which nobody continues a stream."""


class Verdict(StrEnum):
    """The result of a claim."""

    NEW = "new"
    """The stream did not exist. Now it does, and the claimant may write it."""
    TAKEN = "taken"
    """The claimant may continue it."""
    LEASED = "leased"
    """Another process writes it."""
    OVER = "over"
    """It has ended, and can't be continued."""
    UNKNOWN = "unknown"
    """It does not exist, and there is no request to begin it with."""


class Answer(StrEnum):
    """The result of a write."""

    KEPT = "kept"
    STOP = "stop"
    """It was kept, and somebody has asked to stop the stream."""
    LOST = "lost"
    """It was not kept: another process writes the stream by now, or the stream is gone."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is known about a stream without reading its frames."""

    key: str
    """The program's name for the stream."""
    tag: str
    """A random name, part of the stream's cursors. A stream that begins again under the same key has another
    one."""
    status: Status
    epoch: int
    holder: str
    """The process that writes it; empty if none does."""
    until: float
    """When its lease ends, by the store's clock: seconds since the epoch."""
    last: int
    """The number of its last frame; 0 before the first."""
    size: int
    """The bytes of its frames."""
    created: float
    touched: float
    """When it was last written to."""
    owner: str
    """A keyed digest of the credential that began it; empty if it does not matter."""
    stopping: bool
    """Whether somebody has asked to stop it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a stream."""

    key: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer to a claim."""

    verdict: Verdict
    head: Head | None = None
    """None if the verdict is UNKNOWN."""

    @property
    def lease(self) -> Lease | None:
        """The right to write, if it was granted."""
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
    """The number of the first of `frames`, or of the next one if there are none."""
    frames: tuple[bytes, ...] = ()
    state: bytes | None = None
    """Replaces the record of the stream's progress; None to keep it."""
    status: Status | None = None
    """How the stream ended, which ends the lease as well. None while it runs."""


@dataclass(frozen=True, slots=True)
class Page:
    """Frames of a stream from some position on, as many as were asked for, and the state of the stream at
    that time."""

    head: Head
    frames: tuple[tuple[int, bytes], ...]
    """The frames, each with its number."""
