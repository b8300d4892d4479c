"""The states of a stream, the signals it receives, and the actions that it asks of its driver.

`TABLE` is the whole control flow of the machine: which state follows which signal. The rest of the core
decides which signal an input amounts to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, NamedTuple

from resilient_stream._core.failures import Failure
from resilient_stream._core.plan.planner import Plan


class State(Enum):
    """The state of a stream."""

    __hash__ = object.__hash__  # not that of the name: that would be a look-up for each chunk

    IDLE = auto()
    OPENING = auto()
    READING = auto()
    WAITING = auto()
    DRAINING = auto()
    DONE = auto()
    FAILED = auto()


class Signal(Enum):
    """What can happen to a stream."""

    __hash__ = object.__hash__

    START = auto()
    REVIVE = auto()
    HEAD = auto()
    MORE = auto()
    COMPLETE = auto()
    FINISHED = auto()
    RETRY = auto()
    GIVE_UP = auto()
    WAITED = auto()
    QUEUED = auto()
    END = auto()
    CLOSE = auto()


TABLE: Final[Mapping[tuple[State, Signal], State]] = {
    (State.IDLE, Signal.START): State.OPENING,
    (State.IDLE, Signal.REVIVE): State.READING,
    (State.OPENING, Signal.HEAD): State.READING,
    (State.OPENING, Signal.RETRY): State.WAITING,
    (State.OPENING, Signal.GIVE_UP): State.FAILED,
    (State.READING, Signal.MORE): State.READING,
    (State.READING, Signal.COMPLETE): State.DRAINING,
    (State.READING, Signal.FINISHED): State.DONE,
    (State.READING, Signal.END): State.DONE,
    (State.READING, Signal.RETRY): State.WAITING,
    (State.READING, Signal.GIVE_UP): State.FAILED,
    (State.WAITING, Signal.WAITED): State.OPENING,
    (State.WAITING, Signal.QUEUED): State.WAITING,
    (State.WAITING, Signal.FINISHED): State.DONE,
    (State.WAITING, Signal.GIVE_UP): State.FAILED,
    (State.DRAINING, Signal.MORE): State.DRAINING,
    (State.DRAINING, Signal.END): State.DONE,
    **{(state, Signal.CLOSE): State.DONE for state in State},
}
"""(state, signal) -> state. A pair that is missing here can't occur."""


class Send(NamedTuple):
    """Send this request. If ``body`` is None, send the user's own, unchanged."""

    plan: Plan
    number: int
    patience: float
    """Seconds that the first byte of the reply may take."""
    silence: float
    """Seconds that a read of its body may take, for clients that can't set a timeout for each read."""
    identity: bool = False
    """Ask for a body without a content encoding, because one could not be decoded."""


@dataclass(frozen=True, slots=True)
class Read:
    """Read on. No single read may take longer than ``patience`` seconds."""

    patience: float
    slack: float = field(default=-1.0, compare=False)
    """If it is not negative, `Machine.quick` may be tried before `Machine.data`: ``patience`` stays the same
    while the reads that end no event take no longer than this together, in seconds."""


class Wait(NamedTuple):
    """Wait, then call `Machine.waited`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Drain(Read):
    """The message is complete: read the end of the body if it comes at once, so that the connection can be
    used again. Nothing that happens now changes the stream."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The stream has ended, and is complete."""


class Raise(NamedTuple):
    """The stream has ended: raise ``error``, which was made from ``failure``."""

    failure: Failure
    error: BaseException


Action = Send | Read | Wait | Drain | Finish | Raise
