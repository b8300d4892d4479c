"""The body of a response: decoded, and closed in the task that reads it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, Self, cast

import anyio

from resilient_stream._core.interruption import quietly

from .attach import SPLICED
from .dialect import dialect_of
from .read_timeout import Patience, shared

if TYPE_CHECKING:
    from httpx2 import AsyncByteStream, Response, SyncByteStream

WIND_DOWN: Final = 1.0
"""Seconds that reading from a closed connection may take. It takes none."""


def unread(http: Response) -> None:
    """Make a response that somebody has already read, for instance an event hook, readable once more:
    decoded, and not from its connection, which others use by now.

    httpx and httpx2 return what they have read from private attributes, whatever the stream is, and have no
    public way to change that. If the attributes have other names, the response stays as it is.
    """
    if "_content" not in vars(http):
        return
    http.stream = dialect_of(http).stream_of(http.content)
    http.headers.pop("content-encoding", None)
    for served in ("_content", "_text", "_decoder"):
        vars(http).pop(served, None)
    http.is_stream_consumed = http.is_closed = False


def take_over(http: Response, body: Any, *, sync: bool) -> None:
    """Make the consumer of a response read ``body`` in place of its own.

    Args:
        http: the response; its body was not read.
        body: iterable, sync or async, over decoded bytes, with a ``close`` or an ``aclose``. A driver is.
        sync: which of the two it is.
    """
    stream = dialect_of(http).sync_stream if sync else dialect_of(http).async_stream
    http.stream = stream(body)
    http.extensions[SPLICED] = True
    for header in ("content-encoding", "content-length"):  # of the first attempt's body as sent
        http.headers.pop(header, None)


class SyncBody:
    """The body of a sync response."""

    def __init__(self, http: Response) -> None:
        self._stream = cast("SyncByteStream", http.stream)
        self.chunks: Iterator[bytes] = (
            iter(self._stream) if _plain(http) else _decoding(http, self._stream).iter_bytes()
        )

    def read(self) -> bytes | None:
        """The next bytes; None at the end."""
        return next(self.chunks, None)

    def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        self._stream.close()


class SyncPage:
    """A sync body that is kept as it arrives, and has to be complete within some seconds.

    Args:
        http: whose body it is.
        patience: that of the response's reads.
        clock: a monotonic clock, in seconds.
        seconds: how long it may take.
    """

    def __init__(
        self, http: Response, patience: Patience, clock: Callable[[], float], seconds: float
    ) -> None:
        self.raw = bytearray()
        """The bytes received, in their content encoding."""
        self._stream = cast("SyncByteStream", http.stream)
        self._late = dialect_of(http).read_timeout
        self._patience, self._clock = patience, clock
        self._end = clock() + seconds

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            self.raw += chunk
            yield chunk
            self._patience.seconds = self._end - self._clock()
            if self._patience.seconds <= 0:
                raise self._late("it took too long")

    def close(self) -> None:
        """Close the body."""
        self._stream.close()


class AsyncPage:
    """An async body that is kept as it arrives. Its reader can interrupt it.

    Args:
        http: whose body it is.
    """

    def __init__(self, http: Response) -> None:
        self.raw = bytearray()
        """The bytes received, in their content encoding."""
        self._stream = cast("AsyncByteStream", http.stream)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._stream)
        try:
            async for chunk in chunks:
                self.raw += chunk
                yield chunk
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    async def aclose(self) -> None:
        """Close the body."""
        await self._stream.aclose()


class AsyncBody:
    """The body of an async response."""

    def __init__(self, http: Response) -> None:
        self._leave = _leaving(http)
        self._stream = cast("AsyncByteStream", http.stream)
        self._raw = aiter(self._stream)
        self.chunks: AsyncIterator[bytes] = (
            self._raw if _plain(http) else _decoding_async(http, self._raw).aiter_bytes()
        )

    async def read(self) -> bytes | None:
        """The next bytes; None at the end."""
        return await anext(self.chunks, None)

    async def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        await self._stream.aclose()
        await self._leave(self._raw)
        for chunks in (self._raw, self.chunks):
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()


def _leaving(http: Response) -> Callable[[AsyncIterator[bytes]], Awaitable[None]]:
    """A function that ends the generators of a body that was closed, in the task that closes it.

    A transport nests several generators. Closing the outermost leaves the inner ones to the garbage
    collector. trio complains of that, and asyncio closes them in tasks of its own. If httpcore has closed its
    connection, reading on ends them all at once. No other body is known to end when it is closed, so it is
    read under a cancellation, which ends it at its first wait. If the connection is shared (HTTP/2), it is
    not closed, and nobody may read on: under trio a cancelled read does not begin, but under asyncio it could
    begin and lose frames.
    """
    if not shared(http):
        return _read_on if "network_stream" in http.extensions else _read_cancelled
    return _read_cancelled_in_trio


async def _read_on(chunks: AsyncIterator[bytes]) -> None:
    """Read what is buffered, up to the error of reading from a closed connection."""
    with anyio.move_on_after(WIND_DOWN), quietly(Exception):
        async for _ in chunks:
            pass


async def _read_cancelled(chunks: AsyncIterator[bytes]) -> None:
    """Begin a read that may not wait. The body was left, so its result is not needed."""
    with anyio.CancelScope() as scope, quietly(Exception):
        scope.cancel()
        await anext(chunks, None)


async def _read_cancelled_in_trio(chunks: AsyncIterator[bytes]) -> None:
    """The same for trio, where a cancelled read does not begin."""
    import asyncio  # a program that is not async can do without it

    if anyio.get_cancelled_exc_class() is not asyncio.CancelledError:
        await _read_cancelled(chunks)


def _plain(http: Response) -> bool:
    """Whether a body has no content encoding."""
    encoding: str = http.headers.get("content-encoding", "identity")
    return encoding.strip().lower() == "identity"


class _Raw:
    """A body that is already being read."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """Nothing to do: whoever opened it closes it."""


def _decoding(http: Response, stream: Any) -> Response:
    """A separate response that decodes the content encoding of ``http``."""
    return dialect_of(http).response(http.status_code, http.headers, http.request, stream=stream)


def _decoding_async(http: Response, chunks: AsyncIterator[bytes]) -> Response:
    raw = _Raw(chunks)
    made = _decoding(http, dialect_of(http).async_stream(raw))
    # Not by its own generator, which httpx does not close if decoding fails.
    vars(made)["aiter_raw"] = lambda: raw
    return made
