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
from resilient_stream._core.relay.fast_path import HELD
from resilient_stream._telemetry.observers import Watch

from .runtime import Runtime
from .upstream import Head, LastWords

Keep = Callable[[bytes, list[Note]], None]
"""Called with the bytes to be delivered, and the notes since the last call. An exception in it ends the
stream, as one of the user's code does."""

AsyncKeep = Callable[[bytes, list[Note]], Awaitable[None]]
"""As `Keep`."""

Come = tuple[bytes | Exception | None, float]
"""What a read of the fast path has brought that the fast path can't deliver, and the seconds that it took."""

CLOSED: Final = Failure(Kind.CANCELLED, Phase.BODY, detail="closed while it was being read")


class Loop:
    """The part that both loops share."""

    _keep: Any
    """A `Keep` or an `AsyncKeep`, if there is one."""
    _iterated: Any
    """The upstream, if it offers its body as an iterator: an `Iterated` or an `AsyncIterated`."""
    _quick: Callable[[bytes], bytes | None]
    _slack: float

    def __init__(self, machine: Machine, runtime: Runtime, watch: Watch | None, first: Action | None) -> None:
        # These two are set here: reading an attribute that only the class has takes twice as long.
        self._closed = False
        """Whether the stream was closed. Every step checks it. (The event beside it wakes a wait; a flag is
        faster to check.)"""
        self._longest = 0.0
        """Seconds of the longest read on the fast path that was not reported to the machine."""
        self.machine = machine
        self._watch = watch or Watch()
        self._clock = runtime.clock
        self._untold: list[Note] = []
        """The notes that the observers have received and ``keep`` has not."""
        self._come: Come | None = None
        """What the fast path has read and left to the machine. It is not a local variable, because an error
        tracker would record it with the frame."""
        self._process = os.getpid()
        """The process that began the stream. A copy of the stream in a forked child has the parent's sockets,
        and leaves them alone."""
        self._action: Action = first or machine.start(runtime.clock())

    @property
    def elapsed(self) -> timedelta | None:
        """The time from the call to the end, over all attempts, which ``response.elapsed`` asks its stream
        for."""
        attempts = self.machine.ledger.attempts
        ended = attempts[-1].ended if self.machine.ledger.outcome is not None else None
        return None if ended is None else timedelta(seconds=ended - attempts[0].started)

    def _opened(self, action: Send, opened: Head | Failure, took: float) -> None:
        """Report to the machine what became of a request, and how long that took."""
        if isinstance(opened, Head):
            self._action = self.machine.head(self._clock(), opened.status, opened.request_id, took)
        else:
            self._action = action if self._closed else self.machine.fault(self._clock(), opened)

    def _received(self, action: Read, got: bytes | Failure | None, now: float, waited: float) -> bytes:
        """Report to the machine what a read has brought. Return what to deliver now."""
        machine = self.machine
        self._tell_longest()
        if isinstance(got, bytes):
            if action.slack >= 0:
                out = machine.quick(got)
                if out is not None and (out or out is HELD):
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
        """Report the reads of the fast path to the machine, while their attempt is the current one."""
        longest, self._longest = self._longest, 0.0
        self.machine.took(longest)

    def _chunks(self) -> Any:
        """The upstream's own iterator, sync or async, if the fast path may deliver its chunks. ``keep`` is
        not informed of those. None otherwise."""
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
        """What a read of the fast path amounts to."""
        got, waited = come
        if isinstance(got, Exception):
            failure: Failure = self._iterated.failed(got)
            return failure, waited
        return got, waited

    def _waited(self, action: Wait) -> None:
        """Report to the machine that a wait is over."""
        self._action = action if self._closed else self.machine.waited(self._clock())

    def _end(self, error: str = "") -> None:
        """End the stream unless it has ended: the consumer has left, or an exception of class ``error`` that
        is not a failure passed through."""
        if self.machine.state not in (State.DONE, State.FAILED):
            self._tell_longest()
            self._action = self.machine.close(self._clock(), error)

    def _leave(self, error: BaseException) -> None:
        """Let an exception that is not a failure pass: a cancellation, or an error in somebody's code."""
        self._end(type(error).__name__ if isinstance(error, Exception) else "")
        self._tell_observers()

    def _tell_observers(self) -> None:
        notes = self.machine.lifecycle.take()
        if self._keep is not None:
            self._untold += notes
        self._watch.tell(notes)

    @property
    def _forked(self) -> bool:
        """Whether this is a copy of a stream that the parent process continues."""
        return self._process != os.getpid()

    def _heir(self) -> Self:
        """An object that does what is left to do, so that nothing refers to what is collected."""
        heir = object.__new__(type(self))
        vars(heir).update(vars(self))
        return heir

    def _last_words(self) -> bytes:
        """What is left to deliver: the API's last event, if the consumer is to read it; or nothing.

        Raises:
            BaseException: the final error of the stream. No reference to it is kept, because its
                traceback keeps alive what it passed through.
        """
        if not isinstance(self._action, Raise):
            return b""
        error, self._action = self._action.error, Finish()
        if isinstance(error, LastWords):
            return error.frame
        raise error
