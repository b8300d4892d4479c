"""Counts who reads which stream in this process, and waits until nobody has read one for a while."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager


class Audience:
    """The readers of all streams of a gateway."""

    def __init__(self) -> None:
        self._readers: Counter[str] = Counter()
        self._changed: dict[str, asyncio.Event] = {}

    @contextmanager
    def one(self, key: str) -> Generator[None]:
        """Count a reader of the stream within the block."""
        self._count(key, 1)
        try:
            yield
        finally:
            self._count(key, -1)

    def _count(self, key: str, one: int) -> None:
        self._readers[key] += one
        if not self._readers[key]:
            del self._readers[key]
        if (changed := self._changed.pop(key, None)) is not None:
            changed.set()

    async def gone(self, key: str, seconds: float) -> None:
        """Wait until the stream has had no reader for this many seconds."""
        while True:
            changed = self._changed.setdefault(key, asyncio.Event())
            try:
                async with asyncio.timeout(None if key in self._readers else seconds):
                    await changed.wait()
            except TimeoutError:
                self._changed.pop(key, None)
                return
