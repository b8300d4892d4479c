"""A response's body: its encoding undone, its generators ended."""

from __future__ import annotations

import gc
import gzip
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest

from resilient_stream._http.body import AsyncBody, SyncBody, unread
from tests.support.loops import LOOPS
from tests.support.stages import SYNC, run

TEXT = b"event: ping\n\n" * 9


class Source(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body of chunks, sync and async; it knows whether it was closed, and whether its reader was ended."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks, self.closed, self.ended = chunks, 0, False
        self.ends = False
        self.broken: Exception | None = None

    def __iter__(self) -> Any:
        yield from self.chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for chunk in self.chunks:
                await anyio.lowlevel.checkpoint()
                yield chunk
            if self.broken is not None:
                raise self.broken
            if not self.ends:
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


def body(
    world: str, source: Source, version: bytes = b"HTTP/1.1", encoding: str = "identity", own: bool = False
) -> Any:
    """A body in that world; httpcore2's ``own`` has a connection."""
    response = httpx2.Response(
        200,
        headers={"content-encoding": encoding},
        stream=source,
        extensions={"http_version": version} | ({"network_stream": object()} if own else {}),
        request=httpx2.Request("GET", "http://api.test"),
    )
    return SyncBody(response) if world == "sync" else AsyncBody(response)


async def settled(result: Any) -> Any:
    """What a call gives, in either world."""
    return await result if isinstance(result, Awaitable) else result


@pytest.mark.parametrize("world", [*SYNC, *LOOPS])
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


@pytest.mark.parametrize("world", LOOPS)
def test_leaving_a_shared_connection_reads_nothing(world: str) -> None:
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


class Counting(Source):
    """A body that does not end when it is closed, until it was read a hundred times; it counts."""

    def __init__(self, pause: Callable[[], Awaitable[None]] | None) -> None:
        super().__init__()
        self.pause, self.read = pause, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.read < 100:
            self.read += 1
            yield b"more"
            if self.pause is not None:
                await self.pause()


@pytest.mark.parametrize("world", LOOPS)
@pytest.mark.parametrize("pause", [None, anyio.lowlevel.checkpoint, anyio.sleep_forever])
@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/2"])
def test_a_body_that_goes_on_after_it_was_closed_holds_nobody_up(
    world: str, pause: Callable[[], Awaitable[None]] | None, version: bytes
) -> None:
    """A transport of the user's own need not end a body that is closed: it is read once more at most, and not waited
    for; from a shared connection not at all under asyncio."""
    source = Counting(pause)

    async def law() -> None:
        read = body(world, source, version)
        assert await read.read() == b"more"
        await read.close()
        assert source.read <= (1 if (world, version) == ("asyncio", b"HTTP/2") else 2)
        assert await read.read() is None

    run(world, law)


class Closing(Nested):
    """A body as httpcore2 has it: once it is closed there is what was buffered, then an error."""

    def __init__(self) -> None:
        super().__init__(Source(b"one", b"two", b"three"))

    async def aclose(self) -> None:
        """Have no more to come."""
        self.inner.broken = httpx2.ReadError("")


@pytest.mark.parametrize("world", LOOPS)
def test_a_closed_connection_is_read_to_its_end(world: str) -> None:
    """What is buffered, then the error of reading it: that ends whatever stands within, before anybody collects it."""
    source = Closing()

    async def law() -> None:
        read = body(world, source, own=True)
        assert await read.read() == b"one"
        await read.close()
        assert source.inner.ended

    run(world, law)


@pytest.mark.parametrize("world", [*SYNC, *LOOPS])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_what_was_read_already_is_read_once_more(world: str, encoding: str) -> None:
    """It comes as its reader had it, decoded, and not from its connection; then a new stream may take its place."""

    async def law() -> None:
        source = Source(gzip.compress(TEXT) if encoding == "gzip" else TEXT)
        source.ends = True
        http = httpx2.Response(200, headers={"content-encoding": encoding}, stream=source)
        unread(http)
        assert http.stream is source
        assert await settled(http.read() if world == "sync" else http.aread()) == TEXT
        assert http.text
        unread(http)
        read: Any = SyncBody(http) if world == "sync" else AsyncBody(http)
        assert [await settled(read.read()) for _ in range(2)] == [TEXT, None]
        await settled(read.close())
        assert (source.closed, http.is_closed) == (1, False)
        http.stream = httpx2.ByteStream(b"another")
        assert await settled(http.read() if world == "sync" else http.aread()) == b"another"
        assert http.text == "another"

    run(world, law)


class Plain(httpx2.AsyncByteStream):
    """A body that is its own iterator, as a transport of somebody's may be."""

    def __init__(self) -> None:
        self.given, self.closed = 0, False

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> bytes:
        self.given += 1
        await anyio.lowlevel.checkpoint()
        return b"one"

    async def aclose(self) -> None:
        """Close it."""
        self.closed = True


@pytest.mark.parametrize("world", LOOPS)
def test_a_body_without_generators_is_closed(world: str) -> None:
    """An iterator of another kind has nothing but its stream to close, and is not read on."""

    async def law() -> None:
        made = AsyncBody(httpx2.Response(200, stream=(source := Plain())))
        assert await made.read() == b"one"
        await made.close()
        assert source.closed
        assert source.given <= 2

    run(world, law)


def test_a_page_of_any_iterator_is_kept() -> None:
    """A stream need not be a generator to be read."""

    class Pieces:
        """Two pieces."""

        left = 2

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return b"x"

    from resilient_stream._http.body import AsyncPage

    http: Any = httpx2.Response(500)
    http.stream = Pieces()
    page = AsyncPage(http)

    async def read() -> bytes:
        return b"".join([piece async for piece in page])

    assert anyio.run(read) == bytes(page.raw) == b"xx"
