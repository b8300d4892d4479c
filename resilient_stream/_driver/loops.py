"""The two loops: tell the machine what came, carry out what it answers, hand over what it gives.

A driver owns one `Machine` and one upstream, and is the body that the consumer reads. `open` runs until the
first head is there, or nothing more will be tried; iterating runs until there is something to hand over. What
the sync and the async loop share is `Loop`: they differ in what they wait for. Closing ends whatever is
going on, from any thread or task: it sets a flag that every step looks at, wakes a wait, and breaks a blocked
read.
"""

from __future__ import annotations

import os
import threading

import anyio

from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Action, Finish, Raise, Read, Send, State, Wait
from resilient_stream._telemetry.observers import Watch

from .finalizer import apart
from .runtime import Runtime
from .shared import CLOSED, AsyncKeep, Keep, Loop
from .upstream import AsyncUpstream, Upstream


class Driver(Loop):
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
        super().__init__(machine, runtime, watch, first)
        self._upstream, self._keep = upstream, keep
        self._closing = threading.Event()
        self._busy = threading.Lock()

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
            raise self._upstream.error_for(CLOSED)
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
                if keep is not None or machine.lifecycle.notes:
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
        self._tell_observers()
        if self._keep is not None and (out or self._untold):
            self._keep(out, self._untold)
            self._untold = []
        self._process = os.getpid()

    def close(self) -> None:
        """End the stream, from any thread. Returns at once. In a forked child nothing of the parent's is
        touched."""
        self._closed = True
        if self._forked:
            return
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
        if not self._closed and not self._forked:
            if isinstance(self._action, Raise | Finish):  # there is nothing left to free
                self.close()
            else:
                self._keep = None
                apart(self._heir().close)


class AsyncDriver(Loop):
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
        super().__init__(machine, runtime, watch, first)
        self._upstream, self._keep = upstream, keep
        self._closing = anyio.Event()
        self._busy = False

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
            raise self._upstream.error_for(CLOSED)
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
                if keep is not None or machine.lifecycle.notes:
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
        self._tell_observers()
        if self._keep is not None and (out or self._untold):
            await self._keep(out, self._untold)
            self._untold = []
        self._process = os.getpid()

    async def aclose(self) -> None:
        """End the stream, from any task. In a forked child nothing of the parent's is touched."""
        self._closed = True
        if self._forked:
            return
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
        if self.machine.state not in (State.DONE, State.FAILED) and not self._forked:
            # The connection is left to its owner; whoever watches must know.
            apart(self._heir()._end_unread)  # noqa: SLF001 -- a copy of itself

    def _end_unread(self) -> None:
        self._end()
        self._tell_observers()
