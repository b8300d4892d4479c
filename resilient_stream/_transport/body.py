"""The body of a protected response, as a client of httpx or httpx2 reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

from .door import ToldInBand


class _Body:
    """A driver's bytes, and at the end what the API said of it.

    Args:
        driver: what is iterated: a driver, or a replay before one.
    """

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    @property
    def elapsed(self) -> timedelta | None:
        """From the call to the end, over all attempts."""
        elapsed: timedelta | None = self._driver.elapsed
        return elapsed


class SyncDriverBody(_Body):
    """Of a sync stream."""

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._driver
        except ToldInBand as told:
            yield told.frame

    def close(self) -> None:
        """End it."""
        self._driver.close()


class AsyncDriverBody(_Body):
    """Of an async stream."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._driver:
                yield chunk
                del chunk  # a tracker of errors records what the frames of an exception hold
        except ToldInBand as told:
            yield told.frame

    async def aclose(self) -> None:
        """End it."""
        await self._driver.aclose()
