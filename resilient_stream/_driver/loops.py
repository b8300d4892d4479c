"""The two loops: feed the machine, hand over, act.

A driver owns one `Machine` and one upstream, and is the body that the consumer reads. It decides
nothing. `open` runs until the first head is there, or nothing more will be tried; iterating runs
until there is something to hand over. Closing ends whatever is going on, from any thread or task:
it sets a flag that every step looks at, wakes a wait, and breaks a blocked read.

An upstream sends one request at a time and reads its reply; it answers with a `Failure` where
something failed, so the loops look at no exception but to tell that one passed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, Self

import anyio
import httpx2

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Action, Finish, Raise, Read, Send, State, Wait
from resilient_stream._telemetry.observers import Watch

from .finalizer import apart
from .runtime import Runtime


class Upstream(Protocol):
    """The sync side of an adapter."""

    def send(self, action: Send) -> Failure | httpx2.Response: ...
    def read(self, patience: float) -> bytes | Failure | None: ...
    def release(self) -> None: ...
    def interrupt(self) -> None: ...


class AsyncUpstream(Protocol):
    """The async side of an adapter."""

    async def send(self, action: Send) -> Failure | httpx2.Response: ...
    async def read(self, patience: float) -> bytes | Failure | None: ...
    async def release(self) -> None: ...
    def interrupt(self) -> None: ...


_CLOSED = Failure(Kind.CANCELLED, Phase.BODY, detail="closed while it was being read")


class _Loop:
    """What both loops have."""

    machine: Machine
    _watch: Watch
    _clock: Callable[[], float]
    _action: Action
    _closed = False
    """Somebody has closed it: every step looks. (The event beside it wakes a wait; a flag is quicker.)"""

    @property
    def elapsed(self) -> timedelta | None:
        """From the call to the end, over all attempts: what ``response.elapsed`` asks its stream for."""
        attempts = self.machine.ledger.attempts
        ended = attempts[-1].ended if self.machine.ledger.outcome is not None else None
        return None if ended is None else timedelta(seconds=ended - attempts[0].started)

    def _took(self, got: bytes | Failure | None, now: float, waited: float) -> None:
        """Tell the machine what a read has brought."""
        if isinstance(got, bytes):
            self._action = self.machine.data(now, got, waited)
        elif got is None:
            self._action = self.machine.end(now)
        else:
            self._action = self.machine.fault(now, got)
        self._tell()

    def _tell(self) -> None:
        """Pass on what the machine has noted."""
        journal = self.machine.journal
        if not journal.empty:
            self._watch.tell(journal.take())

    def _end(self, error: str = "") -> None:
        """End what has not ended: the consumer has left, or an exception of class ``error``, which is no
        failure, passed through."""
        if self.machine.state not in (State.DONE, State.FAILED):
            self._action = self.machine.close(self._clock(), error)
        self._tell()

    def _heir(self) -> Self:
        """Who does what is left to do, so that nobody holds on to what is collected."""
        heir = object.__new__(type(self))
        vars(heir).update(vars(self))
        return heir

    def _leave(self, error: BaseException) -> None:
        """An exception that is no failure passes through: a cancellation, or a fault of somebody's code."""
        self._end(type(error).__name__ if isinstance(error, Exception) else "")

    def _given_up(self, action: Raise) -> BaseException:
        """The exception to raise, given away: kept, its traceback would keep alive what it passed through."""
        self._action = Finish()
        self.machine.error = None
        return action.error


class Driver(_Loop, httpx2.SyncByteStream):
    """The sync loop, and the body of the response that the consumer reads."""

    def __init__(
        self, machine: Machine, upstream: Upstream, runtime: Runtime, watch: Watch | None = None
    ) -> None:
        self.machine = machine
        self._watch = watch or Watch()
        self._upstream = upstream
        self._clock = runtime.clock
        self._closing = threading.Event()
        self._busy = threading.Lock()
        self._action: Action = machine.start(runtime.clock())

    def open(self) -> Raise | None:
        """Send until a head is there; what to raise if none will be."""
        with self._busy:
            try:
                while isinstance(self._action, Send | Wait) and not self._closed:
                    self._action = self._step(self._action)
            except BaseException as error:
                self._leave(error)
                raise
        if self._closed:
            self.close()
        self._tell()
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
            raise self.machine.error_for(_CLOSED)
        if out:
            return out
        self._upstream.release()
        if isinstance(self._action, Raise):
            raise self._given_up(self._action)
        raise StopIteration

    def _advance(self) -> bytes:
        """Act until there is something to hand over; nothing if it is over."""
        machine, clock, read = self.machine, self._clock, self._upstream.read
        while not self._closed:
            action = self._action
            if isinstance(action, Read):
                began = clock()
                got = read(action.patience)
                now = clock()
                waited = now - began
                if self._closed:
                    break
                machine.gap = max(machine.gap, waited)
                if action.quick is not None and isinstance(got, bytes):
                    out = action.quick(got)
                    if out:
                        return out
                    got = got if out is None else b""
                if not isinstance(got, bytes):  # before another request is planned, which may be large
                    self._upstream.release()
                self._took(got, now, waited)
                if not isinstance(self._action, Read):  # a dead connection is not kept through a wait
                    self._upstream.release()
            elif isinstance(action, Raise | Finish):
                self._tell()
                break
            else:
                self._action = self._step(action)
            if out := machine.take():
                return out
        return b""

    def _step(self, action: Send | Wait) -> Action:
        machine, clock = self.machine, self._clock
        self._tell()
        if isinstance(action, Send):
            with self._watch.around_request():
                asked = clock()
                opened = self._upstream.send(action)
                took = clock() - asked
            if isinstance(opened, Failure):
                return action if self._closed else machine.fault(clock(), opened)
            return machine.head(clock(), opened.status_code, opened.headers.get("request-id"), took)
        self._closing.wait(action.seconds)
        return action if self._closed else machine.waited(clock())

    def close(self) -> None:
        """End the stream, from any thread. Returns at once."""
        self._closed = True
        self._closing.set()
        if self._busy.acquire(blocking=False):
            try:
                self._end()
                self._upstream.release()
            finally:
                self._busy.release()
        else:
            self._upstream.interrupt()

    def __del__(self) -> None:
        if not self._closed:
            if isinstance(self._action, Raise | Finish):  # there is nothing left to free
                self.close()
            else:
                apart(self._heir().close)


class AsyncDriver(_Loop, httpx2.AsyncByteStream):
    """The async loop, under asyncio and trio alike."""

    def __init__(
        self, machine: Machine, upstream: AsyncUpstream, runtime: Runtime, watch: Watch | None = None
    ) -> None:
        self.machine = machine
        self._watch = watch or Watch()
        self._upstream = upstream
        self._clock = runtime.clock
        self._closing = anyio.Event()
        self._busy = False
        self._action: Action = machine.start(runtime.clock())

    async def open(self) -> Raise | None:
        """Send until a head is there; what to raise if none will be."""
        self._busy = True
        try:
            while isinstance(self._action, Send | Wait) and not self._closed:
                self._action = await self._step(self._action)
        except BaseException as error:
            self._leave(error)
            raise
        finally:
            self._busy = False
        if self._closed:
            await self.aclose()
        self._tell()
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
            raise self.machine.error_for(_CLOSED)
        if out:
            return out
        await self._upstream.release()
        if isinstance(self._action, Raise):
            raise self._given_up(self._action)
        raise StopAsyncIteration

    async def _advance(self) -> bytes:
        """Act until there is something to hand over; nothing if it is over."""
        machine, clock, read = self.machine, self._clock, self._upstream.read
        while not self._closed:
            action = self._action
            if isinstance(action, Read):
                began = clock()
                got = await read(action.patience)
                now = clock()
                waited = now - began
                if self._closed:
                    break
                machine.gap = max(machine.gap, waited)
                if action.quick is not None and isinstance(got, bytes):
                    out = action.quick(got)
                    if out:
                        return out
                    got = got if out is None else b""
                if not isinstance(got, bytes):  # before another request is planned, which may be large
                    await self._upstream.release()
                self._took(got, now, waited)
                if not isinstance(self._action, Read):  # a dead connection is not kept through a wait
                    await self._upstream.release()
            elif isinstance(action, Raise | Finish):
                self._tell()
                break
            else:
                self._action = await self._step(action)
            if out := machine.take():
                return out
        return b""

    async def _step(self, action: Send | Wait) -> Action:
        machine, clock = self.machine, self._clock
        self._tell()
        if isinstance(action, Send):
            with self._watch.around_request():
                asked = clock()
                opened = await self._upstream.send(action)
                took = clock() - asked
            if isinstance(opened, Failure):
                return action if self._closed else machine.fault(clock(), opened)
            return machine.head(clock(), opened.status_code, opened.headers.get("request-id"), took)
        with anyio.move_on_after(action.seconds):
            await self._closing.wait()
        return action if self._closed else machine.waited(clock())

    async def aclose(self) -> None:
        """End the stream, from any task."""
        self._closed = True
        self._closing.set()
        if self._busy:
            self._upstream.interrupt()
            return
        self._end()
        await self._upstream.release()

    def __del__(self) -> None:
        if self.machine.state not in (State.DONE, State.FAILED):
            # The connection is left to its owner; whoever watches must know.
            apart(self._heir()._end)  # noqa: SLF001 -- a copy of itself
