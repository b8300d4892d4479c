"""Group commit: writes of several streams at the same time share one transaction.

A write costs a transaction or a round trip, however much is in it. A thread that wants to write adds its
write to a list, and then takes the lock of the store. The thread that gets the lock writes everything in the
list. The others find that theirs is written when they get the lock. A thread that must not block, because an
event loop runs in it, leaves this to a separate thread.
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
"""Seconds between attempts to reach a store. The last one is repeated."""

MOST_AT_ONCE: Final = 256
"""The most writes of one transaction."""


def waker(act: Callable[[], object]) -> Callable[[], None]:
    """A function that any thread can call, and that calls ``act`` in the event loop of this thread, asyncio's
    or trio's.

    If that loop is gone, it does nothing, because whoever waited in it is gone too.
    """
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
    """A write whose result somebody waits for."""

    def __init__(self, write: Write, wake: Callable[[], object] | None = None) -> None:
        self.write, self.wake = write, wake
        self.answer: Answer | None = None
        self.error: BaseException | None = None

    def end(self) -> None:
        if self.wake is not None:
            self.wake()

    def result(self) -> Answer:
        """The result.

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
        """Write, and wait for the result in this thread."""
        pending = self._add(_Pending(write))
        self._drain(pending)
        return pending.result()

    async def awrite(self, write: Write) -> Answer:
        """Write, and let other tasks run meanwhile. The result is awaited even if the task is cancelled,
        because it must be known what was written."""
        event = anyio.Event()
        pending = self._add(_Pending(write, waker(event.set)))
        self._have_thread()
        self._wanted.release()
        with anyio.CancelScope(shield=True):
            await event.wait()
        return pending.result()

    def _add(self, pending: _Pending) -> _Pending:
        if self._process != os.getpid():  # a forked child has no thread, and the parent's lists
            self._begin()
        self._pending.append(pending)
        return pending

    def _drain(self, mine: _Pending | None = None) -> None:
        """Write what is in the list, unless ``mine`` was written by another thread meanwhile."""
        with self._lock:
            while self._pending and (mine is None or (mine.answer is None and mine.error is None)):
                taken, self._pending[:MOST_AT_ONCE] = self._pending[:MOST_AT_ONCE], []
                self._commit(taken)

    def _commit(self, taken: list[_Pending]) -> None:
        try:
            answers = self._try([pending.write for pending in taken])
        except Exception as error:  # noqa: BLE001 -- raised to each waiting caller
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
        """The answers of a store, which may be unreachable for a while. Repeating a write does no harm."""
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
        """Write what is left, and end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None and self._process == os.getpid():
            self._drain()
            self._closed = True
            self._wanted.release()
            thread.join()
            self._closed = False
