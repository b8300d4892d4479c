"""The sync loop: reports to the machine what happened, carries out its actions, and delivers its bytes.

A driver has one `Machine` and one upstream, and is the body that the consumer reads. `open` runs until the
first headers arrive, or until nothing more will be tried. Iterating runs until there is something to deliver.
Closing ends whatever is going on, from any thread or task: it sets a flag that every step checks, wakes a
wait, and interrupts a blocked read.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator

from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Action, Finish, Raise, Read, Send, Wait
from resilient_stream._core.relay.fast_path import HELD
from resilient_stream._telemetry.observers import Watch

from .finalizer import apart
from .runtime import Runtime
from .shared import CLOSED, Come, Keep, Loop
from .upstream import Iterated, Upstream


class Driver(Loop):
    """The sync loop, and the body that the consumer reads.

    Args:
        machine: the stream's.
        upstream: sends its requests.
        runtime: clocks.
        watch: the stream's observers.
        first: the action to begin with, if the machine has begun (see `revive`).
        keep: is called with bytes and notes before they are delivered; and with notes and no bytes before
            each request and at the end, unless the garbage collector ends the stream.
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
        # `isinstance` of a protocol takes ten times as long.
        self._iterated = upstream if issubclass(type(upstream), Iterated) else None
        self._reading = False
        """Whether a read of the fast path is going on."""

    def open(self) -> Raise | None:
        """Send requests until the headers of a reply arrive. Return what to raise if none will."""
        try:
            with self._busy:
                while isinstance(self._action, Send | Wait) and not self._closed:
                    self._step(self._action)
                if not isinstance(self._action, Finish):  # its end goes with the bytes that belong to it
                    self._tell()
        except BaseException as error:
            self._leave(error)
            self.close()
            raise
        if self._closed:
            self.close()
        return self._action if isinstance(self._action, Raise) else None

    def __iter__(self) -> Iterator[bytes]:
        while (out := self._next()) or out is HELD:
            if out:
                yield out
            del out
            chunks: Iterator[bytes] | None = self._chunks()
            self._come = None if chunks is None else (yield from self._pass_on(chunks))

    def _pass_on(self, chunks: Iterator[bytes]) -> Generator[bytes, None, Come | None]:  # noqa: C901 -- one frame for each chunk, not two
        """Deliver chunks as long as the fast path can. Return the first read that it can't deliver, unless
        the stream was closed.

        No lock is taken for each chunk. `close` sets `_closed` and then checks `_reading`; this method sets
        `_reading` and then checks `_closed`. So at least one of the two sees the other.
        """
        clock, quick, idle, began = self._clock, self._quick, 0.0, 0.0
        try:
            self._reading = True
            if self._closed:
                return None
            began = clock()
            for chunk in chunks:
                waited = clock() - began
                self._reading = False
                if self._closed:
                    return None
                out = quick(chunk)
                if out or out is HELD:
                    idle = 0.0
                    if waited > self._longest:  # noqa: PLR1730 -- for each event; `max` takes three times as long
                        self._longest = waited
                    if out:
                        yield out
                else:
                    idle += waited
                    if out is None or idle > self._slack:
                        return (chunk if out is None else out), idle
                self._reading = True
                if self._closed:
                    return None
                began = clock()
            return None, idle + clock() - began
        except Exception as error:
            if not self._reading:  # of the consumer's code, or of this library's
                raise
            return error, clock() - began
        finally:
            self._reading = False

    def _next(self) -> bytes:
        """What to deliver next; `HELD` if there is nothing yet; other empty bytes if the stream has ended."""
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
        if out or out is HELD:
            return out
        self._upstream.release()
        return self._last_words()

    def _advance(self) -> bytes:
        """Carry out actions until there is something to deliver. Return `HELD` if the fast path may take over
        before that, and other empty bytes if the stream has ended."""
        come, self._come = self._come, None
        machine, clock, read, keep = self.machine, self._clock, self._upstream.read, self._keep
        while not self._closed:
            action = self._action
            if isinstance(action, Read):
                if come is None:
                    began = clock()
                    got = read(action.patience)
                    waited = (now := clock()) - began
                else:
                    (got, waited), now, come = self._judged(come), clock(), None
                if self._closed:
                    break
                if not isinstance(got, bytes):  # before another request is planned, which may be large
                    self._upstream.release()
                out = self._received(action, got, now, waited)
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
            if out or out is HELD:
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
        """Pass on what the machine has noted, and the bytes to be delivered."""
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
        if not self._reading and self._busy.acquire(blocking=False):
            try:
                self._end()
                self._tell(self.machine.take())
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
