"""The body of a protected response."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

from resilient_stream._transport.body import AsyncDriverBody, SyncDriverBody
from resilient_stream._transport.door import ToldInBand


class Driver:
    """Hands over something, then the API says why it ends."""

    elapsed = timedelta(seconds=3)
    closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield b"one"
        raise ToldInBand(b"event: error\n\n")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"one"
        raise ToldInBand(b"event: error\n\n")

    def close(self) -> None:
        """Note it."""
        self.closed += 1

    async def aclose(self) -> None:
        """Note it."""
        self.closed += 1


def test_what_the_api_says_last_is_read_by_the_consumer() -> None:
    """Behind what was handed over; the body is timed and closed by its driver."""
    driver = Driver()
    body = SyncDriverBody(driver)
    assert list(body) == [b"one", b"event: error\n\n"]
    assert body.elapsed == timedelta(seconds=3)
    body.close()

    async def main() -> list[bytes]:
        other = AsyncDriverBody(driver)
        chunks = [chunk async for chunk in other]
        await other.aclose()
        return chunks

    assert asyncio.run(main()) == [b"one", b"event: error\n\n"]
    assert driver.closed == 2
