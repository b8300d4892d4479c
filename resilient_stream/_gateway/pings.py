"""Sends pings on streams that were silent for a while: one timer for all streams.

While the model thinks, a block is held, or a broken stream waits for its continuation, clients would see
silence, and their timers and those of their proxies might expire.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from .downstream import Downstream

AFTER: Final = 10.0
"""The most seconds of silence. The most watchful clients show a stall after 20."""

EVERY: Final = 1.0
"""Seconds between two looks at all streams."""


class Pings:
    """The timer. It runs only while there are streams.

    Args:
        after: seconds of silence that a stream may have.
        every: seconds between two looks.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self, after: float = AFTER, every: float = EVERY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._after, self._every, self._clock = after, every, clock
        self._streams: set[Downstream] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()

    @contextmanager
    def on(self, stream: Downstream) -> Generator[None]:
        """Send pings to a stream whose headers are sent, within the block."""
        self._streams.add(stream)
        if self._timer is None:
            self._again()
        try:
            yield
        finally:
            self._streams.discard(stream)
            stream.over = True

    def look(self) -> None:
        """Send pings to the streams that would be silent for too long at the next look."""
        latest = self._clock() - self._after + self._every
        for stream in self._streams:
            if stream.quiet and stream.written_at <= latest:
                task = asyncio.ensure_future(stream.ping())
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)
        if self._streams:
            self._again()
        else:
            self._timer = None

    def _again(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._every, self.look)
