"""A response's body: its encoding undone, its generators ended."""

from __future__ import annotations

import gc
import gzip
import warnings
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest

from resilient_stream._body import AsyncBody, SyncBody, _wind_down

from .stages import ASYNC, SYNC, run

TEXT = b"event: ping\n\n" * 9


class Source(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body of chunks, sync and async; it knows whether it was closed, and whether its reader was ended."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks, self.closed, self.ended = chunks, 0, False

    def __iter__(self) -> Any:
        yield from self.chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for chunk in self.chunks:
                await anyio.lowlevel.checkpoint()
                yield chunk
            await anyio.sleep_forever()
        finally:
            self.ended = True

    def close(self) -> None:
        """Count."""
        self.closed += 1

    async def aclose(self) -> None:
        """Count."""
        self.closed += 1


class Nested(Source):
    """A body within another, as the transports have them."""

    def __init__(self, inner: Source) -> None:
        super().__init__()
        self.inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self.inner:
            yield chunk


def body(world: str, source: Source, version: bytes = b"HTTP/1.1", encoding: str = "identity") -> Any:
    """A body in that world."""
    response = httpx2.Response(
        200,
        headers={"content-encoding": encoding},
        stream=source,
        extensions={"http_version": version},
        request=httpx2.Request("GET", "http://api.test"),
    )
    return SyncBody(response) if world == "sync" else AsyncBody(response)


async def settled(result: Any) -> Any:
    """What a call gives, in either world."""
    return await result if isinstance(result, Awaitable) else result


@pytest.mark.parametrize("world", [*SYNC, *ASYNC])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_body_is_read_as_what_it_says(world: str, encoding: str) -> None:
    """Its bytes as they come, or decoded; closing gives the connection back."""

    async def law() -> None:
        sent = gzip.compress(TEXT) if encoding == "gzip" else TEXT
        source = Source(sent[:7], sent[7:])
        read = body(world, source, encoding=encoding)
        got = b""
        while len(got) < len(TEXT):
            got += await settled(read.read())
        assert got == TEXT
        await settled(read.close())
        assert source.closed >= 1

    run(world, law)


@pytest.mark.parametrize("world", ASYNC)
def test_leaving_a_shared_connection_ends_the_reader_and_reads_nothing(world: str) -> None:
    """Whatever stands within it is ended in this task where the collector would complain, and nobody reads on."""
    inner = Source(b"one", b"two")

    async def law() -> None:
        read = body(world, Nested(inner), b"HTTP/2")
        assert await read.read() == b"one"
        await read.close()
        if world == "trio":
            assert inner.ended

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(world, law)
        gc.collect()


class Counting:
    """An async iterator that is no generator, and counts."""

    def __init__(self) -> None:
        self.read = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await anyio.lowlevel.checkpoint()
        self.read += 1
        raise StopAsyncIteration


@pytest.mark.parametrize("world", ASYNC)
def test_nobody_reads_on_from_a_shared_connection(world: str) -> None:
    """A body on a shared connection is not read on when it is left; one that is alone is."""
    shared, alone = Counting(), Counting()
    run(world, lambda: _wind_down(shared, alone=False))
    run(world, lambda: _wind_down(alone, alone=True))
    assert (shared.read, alone.read) == (0, 1)
