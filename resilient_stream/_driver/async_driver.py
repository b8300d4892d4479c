"""The async loop, for asyncio, uvloop and trio. It does what the sync one does, and awaits."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio

from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Action, Finish, Raise, Read, Send, State, Wait
from resilient_stream._core.relay.fast_path import HELD
from resilient_stream._telemetry.observers import Watch

from .finalizer import apart
from .runtime import Runtime
from .shared import CLOSED, AsyncKeep, Loop
from .upstream import AsyncIterated, AsyncUpstream


class AsyncDriver(Loop):
    """The async loop, and the body that the consumer reads.

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
        # `isinstance` of a protocol takes ten times as long.
        self._iterated = upstream if issubclass(type(upstream), AsyncIterated) else None
        self._lane: Callable[[], Awaitable[bytes]] | None = None
        """The next chunk of the iterator that the fast path reads. (`anext` with a default would make
        one more object for each chunk.)"""

    async def open(self) -> Raise | None:
        """Send requests until the headers of a reply arrive. Return what to raise if none will."""
        self._busy = True
        try:
            while isinstance(self._action, Send | Wait) and not self._closed:
                await self._step(self._action)
            if not isinstance(self._action, Finish):  # its end goes with the bytes that belong to it
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

    async def __anext__(self) -> bytes:  # noqa: C901, PLR0912 -- one coroutine for each chunk, not two
        self._busy = True
        try:
            chunk: bytes | None = None
            out: bytes | None = HELD
            clock, chunks, idle = self._clock, self._lane, 0.0
            while out is HELD and not self._closed:
                if chunks is None:
                    chunk, idle = None, 0.0  # a tracker of errors records the variables of frames that raise
                    out = await self._advance()
                    rest: AsyncIterator[bytes] | None = self._chunks()
                    chunks = self._lane = None if rest is None else rest.__anext__
                    continue
                # The fast path, as in `Driver._pass_on`. A coroutine of its own would take a fifth more
                # instructions for each chunk.
                began = clock()
                try:
                    chunk = await chunks()
                except StopAsyncIteration:
                    chunk = None
                except Exception as error:  # noqa: BLE001 -- the upstream says what it is
                    self._come, chunks = (error, clock() - began), None
                    continue
                waited = clock() - began
                if self._closed:
                    break
                out = None if chunk is None else self._quick(chunk)
                if out or out is HELD:
                    idle = 0.0
                    if waited > self._longest:  # noqa: PLR1730 -- for each event; `max` takes three times as long
                        self._longest = waited
                    if out:
                        return out
                    continue
                idle += waited
                if out is None or idle > self._slack:
                    self._come, chunks = ((chunk if out is None else out), idle), None
                out = HELD
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
        if last := self._last_words():
            return last
        raise StopAsyncIteration

    async def _advance(self) -> bytes:
        """Carry out actions until there is something to deliver. Return `HELD` if the fast path may take over
        before that, and other empty bytes if the stream has ended."""
        come, self._come = self._come, None
        machine, clock, read, keep = self.machine, self._clock, self._upstream.read, self._keep
        while not self._closed:
            action = self._action
            if isinstance(action, Read):
                if come is None:
                    began = clock()
                    got = await read(action.patience)
                    waited = (now := clock()) - began
                else:
                    (got, waited), now, come = self._judged(come), clock(), None
                if self._closed:
                    break
                if not isinstance(got, bytes):  # before another request is planned, which may be large
                    await self._upstream.release()
                out = self._received(action, got, now, waited)
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
            if out or out is HELD:
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
        """Pass on what the machine has noted, and the bytes to be delivered."""
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
            await self._tell(self.machine.take())
        finally:
            await self._upstream.release()

    def __del__(self) -> None:
        if self.machine.state not in (State.DONE, State.FAILED) and not self._forked:
            # The connection is left to its owner; the observers must know of the end.
            apart(self._heir()._end_unread)  # noqa: SLF001 -- a copy of itself

    def _end_unread(self) -> None:
        self._end()
        self._tell_observers()
