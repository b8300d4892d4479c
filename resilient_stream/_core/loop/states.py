"""Where a stream can be, what can happen to it, and what it then asks of its driver.

`TABLE` is the whole of the machine's control flow: which state follows which signal. Everything else
in the core decides which signal something amounts to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from resilient_stream._core.failures import Failure
from resilient_stream._core.plan.planner import Plan


class State(Enum):
    """Where a stream is."""

    __hash__ = object.__hash__  # not that of the name: a look-up for each chunk

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
"""(state, signal) -> state. A pair that is not here can't happen."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send this request. ``body`` None means the user's own, unchanged."""

    plan: Plan
    number: int
    patience: float
    """Seconds the first byte of the reply may take."""
    silence: float
    """Seconds a read of its body may take, where one cannot be told from another."""
    identity: bool = False
    """Ask for a body without a content encoding: one could not be decoded."""


@dataclass(frozen=True, slots=True)
class Read:
    """Read on; no single read may take longer than ``patience`` seconds."""

    patience: float
    slack: float = field(default=-1.0, compare=False)
    """Where it is not negative, `Machine.quick` may be tried before `Machine.data`: as long as reads that end
    no event take no longer than this together, in seconds, ``patience`` stays the same."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait, then tell `Machine.waited`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Drain(Read):
    """The message is complete: read the body's end if it comes at once, so that the connection can
    be used again. Whatever happens now is of no consequence."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The stream is over, and whole."""


@dataclass(frozen=True, slots=True)
class Raise:
    """The stream is over: raise ``error``, which is what ``failure`` stands for."""

    failure: Failure
    error: BaseException


Action = Send | Read | Wait | Drain | Finish | Raise
