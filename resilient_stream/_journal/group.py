"""Group commit: what several streams want to write at the same time is written together.

A write costs a transaction, or a round trip, whatever is in it. Whoever wants to write puts that in a list,
and then takes the lock of the store. Who gets it writes all that is in the list by then; the others find,
once they have the lock, that theirs is written. A thread that must not block, because an event loop runs in
it, leaves that to the one thread that is kept for it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import anyio
import anyio.lowlevel

from resilient_stream.errors import JournalUnavailable

from .entries import Answer, Write
from .store import Store

PAUSES: Final = (0.01, 0.03, 0.1, 0.3, 0.5)
"""Seconds between tries to reach a store; the last goes on."""

MOST_AT_ONCE: Final = 256
"""Writes of one transaction."""


def waker(act: Callable[[], object]) -> Callable[[], None]:
    """A function for any thread that has ``act`` called in the event loop of this one, asyncio's or trio's.
    It does nothing once that loop is gone, and who waited in it with it."""
    loop: Any = anyio.lowlevel.current_token().native_token
    schedule = loop.call_soon_threadsafe if hasattr(loop, "call_soon_threadsafe") else loop.run_sync_soon
    gone = (RuntimeError,) if hasattr(loop, "call_soon_threadsafe") else _trio_gone()

    def wake() -> None:
        with suppress(*gone):
            schedule(act)

    return wake


def _trio_gone() -> tuple[type[BaseException], ...]:
    trio: Any = sys.modules["trio"]
    return (trio.RunFinishedError,)


class _Pending:
    """A write that somebody waits for."""

    def __init__(self, write: Write, wake: Callable[[], object] | None = None) -> None:
        self.write, self.wake = write, wake
        self.answer: Answer | None = None
        self.error: BaseException | None = None

    def end(self) -> None:
        if self.wake is not None:
            self.wake()

    def result(self) -> Answer:
        """What it has come to.

        Raises:
            JournalUnavailable: the store could not be reached.
        """
        if self.error is not None:
            raise self.error
        assert self.answer is not None, "it is over"  # noqa: S101 -- for types
        return self.answer


class Group:
    """Writes to a store, for all streams of a process.

    Args:
        store: where to.
        ttl: seconds that the lease of a stream lasts after a write.
        patience: seconds in which a store that can't be reached is tried again.
        written: is called with the ids of streams that were written to.
        clock: seconds that only rise.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        store: Store,
        ttl: float,
        patience: float,
        written: Callable[[Sequence[str]], object],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store, self._ttl, self._patience, self._written = store, ttl, patience, written
        self._clock, self._sleep = clock, sleep
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._pending: list[_Pending] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wanted = threading.Semaphore(0)
        self._closed = False

    def write(self, write: Write) -> Answer:
        """Write, and wait for it in this thread."""
        pending = self._add(_Pending(write))
        self._drain(pending)
        return pending.result()

    async def awrite(self, write: Write) -> Answer:
        """Write, and let others of this event loop go on meanwhile. It is waited for even if the task is
        cancelled: what was written must be known."""
        event = anyio.Event()
        pending = self._add(_Pending(write, waker(event.set)))
        self._have_thread()
        self._wanted.release()
        with anyio.CancelScope(shield=True):
            await event.wait()
        return pending.result()

    def _add(self, pending: _Pending) -> _Pending:
        if self._process != os.getpid():  # a forked child has no thread, and its parent's lists
            self._begin()
        self._pending.append(pending)
        return pending

    def _drain(self, mine: _Pending | None = None) -> None:
        """Write what is in the list, unless ``mine`` was written by another one meanwhile."""
        with self._lock:
            while self._pending and (mine is None or (mine.answer is None and mine.error is None)):
                taken, self._pending[:MOST_AT_ONCE] = self._pending[:MOST_AT_ONCE], []
                self._commit(taken)

    def _commit(self, taken: list[_Pending]) -> None:
        try:
            answers = self._try([pending.write for pending in taken])
        except Exception as error:  # noqa: BLE001 -- told to each who waits
            for pending in taken:
                pending.error = error
        except BaseException:  # of this thread alone: the others write theirs themselves
            self._pending[:0] = taken
            raise
        else:
            for pending, answer in zip(taken, answers, strict=True):
                pending.answer = answer
            self._written([pending.write.lease.key for pending in taken])
        for pending in taken:
            pending.end()

    def _try(self, writes: list[Write]) -> list[Answer]:
        """What a store answers that may be away for a while. To be told again does a store no harm."""
        end, pauses = self._clock() + self._patience, iter(PAUSES)
        while True:
            try:
                return self._store.commit(writes, self._ttl)
            except JournalUnavailable:
                if self._clock() >= end:
                    raise
                self._sleep(next(pauses, PAUSES[-1]))

    def _have_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="resilient-stream journal", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            self._wanted.acquire()
            if self._closed:
                return
            self._drain()

    def close(self) -> None:
        """End the thread, once what it was given is written."""
        thread, self._thread = self._thread, None
        if thread is not None and self._process == os.getpid():
            self._drain()
            self._closed = True
            self._wanted.release()
            thread.join()
            self._closed = False
