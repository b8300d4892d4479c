"""The timed work of a journal: renews the leases of the streams that are being written, and removes old
streams.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Final

from resilient_stream.errors import JournalUnavailable

from . import lease as rules
from .entries import Head, Status
from .keeper import Keeper
from .store import Store

BEATS_TO_PRUNE: Final = 12
"""The journal is pruned once in so many renewals: every minute by default."""

TOMBSTONES: Final = 2
"""The names of removed streams are kept for as long again as the streams were."""


class Pulse:
    """Keeps the leases of a process alive.

    Args:
        store: where they are.
        ttl: seconds that a lease lasts.
        prune: takes away what is old.
    """

    def __init__(self, store: Store, ttl: float, prune: Callable[[], object]) -> None:
        self._store, self._ttl, self._prune = store, ttl, prune
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._keepers: set[Keeper] = set()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._beats = 0

    def add(self, keeper: Keeper) -> None:
        """Renew the lease of a stream from now on."""
        if self._process != os.getpid():
            self._begin()
        with self._lock:
            self._keepers.add(keeper)
            if self._thread is None:
                self._closing = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._closing,), name="resilient-stream pulse", daemon=True
                )
                self._thread.start()

    def discard(self, keeper: Keeper) -> None:
        """Stop renewing the lease of a stream."""
        with self._lock:
            self._keepers.discard(keeper)

    def _run(self, closing: threading.Event) -> None:
        while not closing.wait(self._ttl / 3):
            self.beat()

    def beat(self) -> None:
        """Renew the leases, and prune if it is time. If the store can't be reached, the next beat tries
        again."""
        with self._lock:
            keepers = list(self._keepers)
        try:
            if keepers:
                answers = self._store.renew([keeper.lease for keeper in keepers], self._ttl)
                for keeper, answer in zip(keepers, answers, strict=True):
                    keeper.heard(answer)
            self._beats += 1
            if self._beats % BEATS_TO_PRUNE == 0:
                self._prune()
        except JournalUnavailable:
            return

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._closing.set()
        if thread is not None and self._process == os.getpid():
            thread.join()


def outdated(heads: list[Head], now: float, seconds: float | None, most: int | None) -> list[Head]:
    """The streams whose retention is over, the oldest first. One that is being written is never among them.

    Args:
        heads: all streams.
        now: by the store's clock.
        seconds: how long a stream is kept after it was last written to; None for ever.
        most: bytes that all may have together; None for any number.
    """
    kept = [head for head in heads if head.status is not Status.EXPIRED]
    size, found = sum(head.size for head in kept), list[Head]()
    for head in sorted(kept, key=lambda head: head.touched):
        if rules.is_leased(head, now):
            continue
        old = seconds is not None and head.touched < now - seconds
        if old or (most is not None and size > most):
            found.append(head)
            size -= head.size
    return found


def forgotten(heads: list[Head], now: float, seconds: float | None) -> list[Head]:
    """The streams that expired so long ago that their names are removed too."""
    if seconds is None:
        return []
    end = now - TOMBSTONES * seconds
    return [head for head in heads if head.status is Status.EXPIRED and head.touched < end]
