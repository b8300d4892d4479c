"""What the sync and the async loop share: everything but the waiting."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, Self

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Action, Finish, Raise, Read, Send, State, Wait
from resilient_stream._core.record.lifecycle import Note
from resilient_stream._telemetry.observers import Watch

from .runtime import Runtime
from .upstream import Head, LastWords

Keep = Callable[[bytes, list[Note]], None]
"""Is given what is about to be handed over, and what happened since it was last called. What it raises ends
the stream, as an exception of the user's code does."""

AsyncKeep = Callable[[bytes, list[Note]], Awaitable[None]]
"""As `Keep`."""

Come = tuple[bytes | Exception | None, float]
"""What a read of the short way has brought that is not for it, and the seconds it took."""

CLOSED: Final = Failure(Kind.CANCELLED, Phase.BODY, detail="closed while it was being read")


class Loop:
    """What both loops have."""

    _keep: Any
    """A `Keep` or an `AsyncKeep`, if there is one."""
    _iterated: Any
    """The upstream, if it offers its body as an iterator: an `Iterated` or an `AsyncIterated`."""
    _quick: Callable[[bytes], bytes | None]
    _slack: float
    _longest = 0.0
    """Seconds of the longest read that took the short way and was not told to the machine."""
    _closed = False
    """Somebody has closed it: every step looks. (The event beside it wakes a wait; a flag is quicker.)"""

    def __init__(self, machine: Machine, runtime: Runtime, watch: Watch | None, first: Action | None) -> None:
        self.machine = machine
        self._watch = watch or Watch()
        self._clock = runtime.clock
        self._untold: list[Note] = []
        """What the observers were told and ``keep`` was not, yet."""
        self._come: Come | None = None
        """What the short way has read and left to the machine. It is no local variable of a frame that
        raises: a tracker of errors would record it."""
        self._process = os.getpid()
        """The process that began the stream. A copy of it in a forked child has the sockets of its parent: it
        is left alone there."""
        self._action: Action = first or machine.start(runtime.clock())

    @property
    def elapsed(self) -> timedelta | None:
        """From the call to the end, over all attempts: what ``response.elapsed`` asks its stream for."""
        attempts = self.machine.ledger.attempts
        ended = attempts[-1].ended if self.machine.ledger.outcome is not None else None
        return None if ended is None else timedelta(seconds=ended - attempts[0].started)

    def _opened(self, action: Send, opened: Head | Failure, took: float) -> None:
        """Tell the machine what became of a request, and how long that took."""
        if isinstance(opened, Head):
            self._action = self.machine.head(self._clock(), opened.status, opened.request_id, took)
        else:
            self._action = action if self._closed else self.machine.fault(self._clock(), opened)

    def _received(self, action: Read, got: bytes | Failure | None, now: float, waited: float) -> bytes:
        """Tell the machine what a read has brought; what to hand over now."""
        machine = self.machine
        self._tell_longest()
        if isinstance(got, bytes):
            if action.slack >= 0:
                out = machine.quick(got)
                if out:
                    machine.took(waited)
                    return out
                got = got if out is None else b""
            self._action = machine.data(now, got, waited)
        elif got is None:
            self._action = machine.end(now, waited)
        else:
            self._action = machine.fault(now, got, waited)
        return machine.take()

    def _tell_longest(self) -> None:
        """Tell the machine of the reads of the short way, which were of the attempt that runs."""
        longest, self._longest = self._longest, 0.0
        self.machine.took(longest)

    def _chunks(self) -> Any:
        """The upstream's own iterator, sync or async, where what it brings next may take the short way, of
        which ``keep`` is not told; None elsewhere."""
        action = self._action
        if (
            not isinstance(action, Read)
            or action.slack < 0
            or self._keep is not None
            or self._iterated is None
        ):
            return None
        self._quick, self._slack = self.machine.quick, action.slack
        return self._iterated.chunks(action.patience)

    def _judged(self, come: Come) -> tuple[bytes | Failure | None, float]:
        """What a read of the short way amounts to."""
        got, waited = come
        if isinstance(got, Exception):
            failure: Failure = self._iterated.failed(got)
            return failure, waited
        return got, waited

    def _waited(self, action: Wait) -> None:
        """Tell the machine that a wait is over."""
        self._action = action if self._closed else self.machine.waited(self._clock())

    def _end(self, error: str = "") -> None:
        """End what has not ended: the consumer has left, or an exception of class ``error``, which is no
        failure, passed through."""
        if self.machine.state not in (State.DONE, State.FAILED):
            self._tell_longest()
            self._action = self.machine.close(self._clock(), error)

    def _leave(self, error: BaseException) -> None:
        """An exception that is no failure passes through: a cancellation, or a fault of somebody's code."""
        self._end(type(error).__name__ if isinstance(error, Exception) else "")
        self._tell_observers()

    def _tell_observers(self) -> None:
        notes = self.machine.lifecycle.take()
        if self._keep is not None:
            self._untold += notes
        self._watch.tell(notes)

    @property
    def _forked(self) -> bool:
        """Whether this is the copy of a stream that its parent goes on with."""
        return self._process != os.getpid()

    def _heir(self) -> Self:
        """Who does what is left to do, so that nobody holds on to what is collected."""
        heir = object.__new__(type(self))
        vars(heir).update(vars(self))
        return heir

    def _last_words(self) -> bytes:
        """What is left to hand over: what the API said last, where the consumer is to read that; or nothing.

        Raises:
            BaseException: what the stream was given up with. It is given away: kept, its traceback would keep
                alive what it passed through.
        """
        if not isinstance(self._action, Raise):
            return b""
        error, self._action = self._action.error, Finish()
        if isinstance(error, LastWords):
            return error.frame
        raise error
