"""The two loops: tell the machine what came, carry out what it answers, hand over what it gives.

A driver owns one `Machine` and one upstream, and is the body that the consumer reads. `open` runs until the
first head is there, or nothing more will be tried; iterating runs until there is something to hand over. What
the sync and the async loop share is `_Loop`: they differ in what they wait for. Closing ends whatever is
going on, from any thread or task: it sets a flag that every step looks at, wakes a wait, and breaks a blocked
read.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Self

import anyio

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Action, Finish, Raise, Read, Send, State, Wait
from resilient_stream._core.record.lifecycle import Note
from resilient_stream._telemetry.observers import Watch

from .finalizer import apart
from .runtime import Runtime
from .upstream import AsyncUpstream, Head, Upstream

Keep = Callable[[bytes, list[Note]], None]
"""Is given what is about to be handed over, and what happened since it was last called. What it raises ends
the stream, as an exception of the user's code does."""

AsyncKeep = Callable[[bytes, list[Note]], Awaitable[None]]
"""As `Keep`."""

_CLOSED = Failure(Kind.CANCELLED, Phase.BODY, detail="closed while it was being read")


class _Loop:
    """What both loops have."""

    machine: Machine
    _watch: Watch
    _clock: Callable[[], float]
    _action: Action
    _untold: list[Note]
    """What the observers know, and who keeps the stream does not."""
    _closed = False
    """Somebody has closed it: every step looks. (The event beside it wakes a wait; a flag is quicker.)"""

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
        if isinstance(got, bytes):
            if action.fast:
                out = machine.fast(got, waited)
                if out:
                    return out
                got = got if out is None else b""
            self._action = machine.data(now, got, waited)
        elif got is None:
            self._action = machine.end(now, waited)
        else:
            self._action = machine.fault(now, got, waited)
        return machine.take()

    def _waited(self, action: Wait) -> None:
        """Tell the machine that a wait is over."""
        self._action = action if self._closed else self.machine.waited(self._clock())

    def _end(self, error: str = "") -> None:
        """End what has not ended: the consumer has left, or an exception of class ``error``, which is no
        failure, passed through."""
        if self.machine.state not in (State.DONE, State.FAILED):
            self._action = self.machine.close(self._clock(), error)

    def _leave(self, error: BaseException) -> None:
        """An exception that is no failure passes through: a cancellation, or a fault of somebody's code."""
        self._end(type(error).__name__ if isinstance(error, Exception) else "")
        self._tell_observers()

    def _tell_observers(self) -> None:
        notes = self.machine.journal.take()
        self._untold += notes
        self._watch.tell(notes)

    def _heir(self) -> Self:
        """Who does what is left to do, so that nobody holds on to what is collected."""
        heir = object.__new__(type(self))
        vars(heir).update(vars(self))
        return heir

    def _given_up(self) -> BaseException | None:
        """The exception to raise, if there is one, given away: kept, its traceback would keep alive what it
        passed through."""
        if not isinstance(self._action, Raise):
            return None
        error, self._action = self._action.error, Finish()
        self.machine.error = None
        return error


class Driver(_Loop):
    """The sync loop, and the body that the consumer reads.

    Args:
        machine: the stream's.
        upstream: sends its requests.
        runtime: clocks.
        watch: the stream's observers.
        first: the action to begin with, where the machine has begun, as `Machine.revive` has it.
        keep: is called before anything is handed over or told, with just that; and with what was told, and no
            bytes, before each request and at the end, unless the collector ends the stream.
    """

    def __init__(
        self,
        machine: Machine,
        upstream: Upstream,
        runtime: Runtime,
        watch: Watch | None = None,
        *,
        first: Action | None = None,
        keep: Keep | None = None,
    ) -> None:
        self.machine = machine
        self._watch = watch or Watch()
        self._upstream = upstream
        self._keep = keep
        self._untold = []
        self._clock = runtime.clock
        self._closing = threading.Event()
        self._busy = threading.Lock()
        self._action = first or machine.start(runtime.clock())

    def open(self) -> Raise | None:
        """Send until a head is there; what to raise if none will be."""
        try:
            with self._busy:
                while isinstance(self._action, Send | Wait) and not self._closed:
                    self._step(self._action)
                self._tell()
        except BaseException as error:
            self._leave(error)
            self.close()
            raise
        if self._closed:
            self.close()
        return self._action if isinstance(self._action, Raise) else None

    def __iter__(self) -> Driver:
        return self

    def __next__(self) -> bytes:
        try:
            with self._busy:
                out = self._advance()
        except Exception as error:
            self._leave(error)
            raise
        finally:
            if self._closed:
                self.close()
        if self._closed:
            raise self._upstream.error_for(_CLOSED)
        if out:
            return out
        self._upstream.release()
        if (given_up := self._given_up()) is not None:
            raise given_up
        raise StopIteration

    def _advance(self) -> bytes:
        """Act until there is something to hand over; nothing if it is over."""
        machine, clock, read, keep = self.machine, self._clock, self._upstream.read, self._keep
        while not self._closed:
            action = self._action
            if isinstance(action, Read):
                began = clock()
                got = read(action.patience)
                now = clock()
                if self._closed:
                    break
                if not isinstance(got, bytes):  # before another request is planned, which may be large
                    self._upstream.release()
                out = self._received(action, got, now, now - began)
                if keep is not None or machine.journal.notes:
                    self._tell(out)
                if not isinstance(self._action, Read):  # a dead connection is not kept through a wait
                    self._upstream.release()
            elif isinstance(action, Send | Wait):
                self._step(action)
                out = machine.take()
                self._tell(out)
            else:
                out = machine.take()
                self._tell(out)
                return out
            if out:
                return out
        return b""

    def _step(self, action: Send | Wait) -> None:
        self._tell()
        if isinstance(action, Send):
            with self._watch.around_request():
                asked = self._clock()
                opened = self._upstream.send(action)
                took = self._clock() - asked
            self._opened(action, opened, took)
        else:
            self._closing.wait(action.seconds)
            self._waited(action)

    def _tell(self, out: bytes = b"") -> None:
        """Pass on what the machine has noted, and what is about to be handed over."""
        notes = self.machine.journal.take()
        if self._keep is not None and (out or notes or self._untold):
            untold, self._untold = self._untold, []
            self._keep(out, [*untold, *notes])
        self._watch.tell(notes)

    def close(self) -> None:
        """End the stream, from any thread. Returns at once."""
        self._closed = True
        self._closing.set()
        if self._busy.acquire(blocking=False):
            try:
                self._end()
                self._tell()
            finally:
                self._upstream.release()
                self._busy.release()
        else:
            self._upstream.interrupt()

    def __del__(self) -> None:
        if not self._closed:
            if isinstance(self._action, Raise | Finish):  # there is nothing left to free
                self.close()
            else:
                self._keep = None
                apart(self._heir().close)


class AsyncDriver(_Loop):
    """The async loop, under asyncio and trio alike.

    Args:
        machine: as in `Driver`.
        upstream: as in `Driver`.
        runtime: as in `Driver`.
        watch: as in `Driver`.
        first: as in `Driver`.
        keep: as in `Driver`.
    """

    def __init__(
        self,
        machine: Machine,
        upstream: AsyncUpstream,
        runtime: Runtime,
        watch: Watch | None = None,
        *,
        first: Action | None = None,
        keep: AsyncKeep | None = None,
    ) -> None:
        self.machine = machine
        self._watch = watch or Watch()
        self._upstream = upstream
        self._keep = keep
        self._untold = []
        self._clock = runtime.clock
        self._closing = anyio.Event()
        self._busy = False
        self._action = first or machine.start(runtime.clock())

    async def open(self) -> Raise | None:
        """Send until a head is there; what to raise if none will be."""
        self._busy = True
        try:
            while isinstance(self._action, Send | Wait) and not self._closed:
                await self._step(self._action)
            await self._tell()
        except BaseException as error:
            self._leave(error)
            self._busy = False
            await self.aclose()
            raise
        self._busy = False
        if self._closed:
            await self.aclose()
        return self._action if isinstance(self._action, Raise) else None

    def __aiter__(self) -> AsyncDriver:
        return self

    async def __anext__(self) -> bytes:
        self._busy = True
        try:
            out = await self._advance()
        except Exception as error:
            self._leave(error)
            raise
        finally:
            self._busy = False
            if self._closed:
                await self.aclose()
        if self._closed:
            raise self._upstream.error_for(_CLOSED)
        if out:
            return out
        await self._upstream.release()
        if (given_up := self._given_up()) is not None:
            raise given_up
        raise StopAsyncIteration

    async def _advance(self) -> bytes:
        """Act until there is something to hand over; nothing if it is over."""
        machine, clock, read, keep = self.machine, self._clock, self._upstream.read, self._keep
        while not self._closed:
            action = self._action
            if isinstance(action, Read):
                began = clock()
                got = await read(action.patience)
                now = clock()
                if self._closed:
                    break
                if not isinstance(got, bytes):  # before another request is planned, which may be large
                    await self._upstream.release()
                out = self._received(action, got, now, now - began)
                if keep is not None or machine.journal.notes:
                    await self._tell(out)
                if not isinstance(self._action, Read):  # a dead connection is not kept through a wait
                    await self._upstream.release()
            elif isinstance(action, Send | Wait):
                await self._step(action)
                out = machine.take()
                await self._tell(out)
            else:
                out = machine.take()
                await self._tell(out)
                return out
            if out:
                return out
        return b""

    async def _step(self, action: Send | Wait) -> None:
        await self._tell()
        if isinstance(action, Send):
            with self._watch.around_request():
                asked = self._clock()
                opened = await self._upstream.send(action)
                took = self._clock() - asked
            self._opened(action, opened, took)
        else:
            with anyio.move_on_after(action.seconds):
                await self._closing.wait()
            self._waited(action)

    async def _tell(self, out: bytes = b"") -> None:
        """Pass on what the machine has noted, and what is about to be handed over."""
        notes = self.machine.journal.take()
        if self._keep is not None and (out or notes or self._untold):
            untold, self._untold = self._untold, []
            await self._keep(out, [*untold, *notes])
        self._watch.tell(notes)

    async def aclose(self) -> None:
        """End the stream, from any task."""
        self._closed = True
        self._closing.set()
        if self._busy:
            self._upstream.interrupt()
            return
        try:
            self._end()
            await self._tell()
        finally:
            await self._upstream.release()

    def __del__(self) -> None:
        if self.machine.state not in (State.DONE, State.FAILED):
            # The connection is left to its owner; whoever watches must know.
            apart(self._heir()._end_unread)  # noqa: SLF001 -- a copy of itself

    def _end_unread(self) -> None:
        self._end()
        self._tell_observers()
