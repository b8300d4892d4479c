"""Wakes the readers of streams: one thread per process watches the store for all of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, Self

import anyio

from resilient_stream.errors import JournalUnavailable

from .entries import Status
from .group import waker
from .store import Mark, Store

SLICE: Final = 0.25
"""Seconds that the store is watched at a time. A new reader waits no longer than this."""

UNSEEN: Final[Mark] = (0, Status.RUNNING, 0)
"""The mark of a stream that was not looked at yet."""


class Signal:
    """Wakes a thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.ring: Callable[[], object] = self._event.set

    def wait(self, seconds: float) -> bool:
        """Wait until the signal is set. Return whether it was set since the last call."""
        rung = self._event.wait(seconds)
        self._event.clear()
        return rung


class AsyncSignal:
    """Wakes a task."""

    def __init__(self) -> None:
        self._event = anyio.Event()
        self.ring: Callable[[], object] = waker(lambda: self._event.set())  # noqa: PLW0108 -- of the event there is by then

    async def wait(self, seconds: float) -> bool:
        """As `Signal.wait`."""
        with anyio.move_on_after(seconds):
            await self._event.wait()
        rung = self._event.is_set()
        if rung:
            self._event = anyio.Event()
        return rung


class Subscription:
    """Sets ``signal`` whenever a stream changes, until it is closed."""

    def __init__(self, bell: Bell, key: str, signal: Signal | AsyncSignal) -> None:
        self._bell, self._id, self._signal = bell, key, signal

    def __enter__(self) -> Self:
        self._bell.add(self._id, self._signal)
        return self

    def __exit__(self, *_: object) -> None:
        self._bell.discard(self._id, self._signal)


class Bell:
    """The streams that are followed in this process, and by which readers.

    Args:
        store: where the streams are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._signals: dict[str, list[Signal | AsyncSignal]] = {}
        self._marks: dict[str, Mark] = {}
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, key: str, signal: Signal | AsyncSignal) -> None:
        """Set ``signal`` whenever the stream changes."""
        if self._process != os.getpid():
            self._begin()
        with self._changed:
            self._signals.setdefault(key, []).append(signal)
            self._marks.setdefault(key, UNSEEN)
            if self._thread is None:
                self._closed = False
                self._thread = threading.Thread(target=self._run, name="resilient-stream bell", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def discard(self, key: str, signal: Signal | AsyncSignal) -> None:
        """Stop setting ``signal`` for the stream."""
        with self._changed:
            signals = self._signals.get(key, [])
            if signal in signals:
                signals.remove(signal)
            if not signals:
                self._signals.pop(key, None)
                self._marks.pop(key, None)

    def ring(self, ids: Iterable[str]) -> None:
        """Wake the readers of these streams."""
        for key in ids:
            for signal in tuple(self._signals.get(key, ())):
                signal.ring()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._marks and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                marks = dict(self._marks)
            self.look(marks)

    def look(self, marks: dict[str, Mark]) -> None:
        """Wait a little until one of these streams has changed, and wake its readers. If the store can't be
        reached, all readers are woken: they find that out themselves."""
        try:
            changed = self._store.changed(marks, SLICE)
        except JournalUnavailable:
            self.ring(marks)
            with self._changed:
                self._changed.wait(SLICE)
            return
        for key in changed:
            with suppress(JournalUnavailable):
                head = self._store.head(key)
                self._note(key, UNSEEN if head is None else (head.last, head.status, head.epoch), marks[key])
        self.ring(changed)  # behind the marks: a later change wakes them again

    def _note(self, key: str, mark: Mark, before: Mark) -> None:
        with self._changed:
            if key in self._marks:
                self._marks[key] = mark
            if mark == before:  # it is gone, and would wake them for ever
                self._changed.wait(SLICE)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            thread, self._thread, self._closed = self._thread, None, True
            self._changed.notify_all()
        if thread is not None and self._process == os.getpid():
            thread.join()
