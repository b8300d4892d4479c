"""A response's body: its encoding undone, and ended in the task that reads it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from typing import Final, Self, cast

import anyio
import httpx2

from .read_timeout import Patience, shared

WIND_DOWN: Final = 1.0
"""Seconds that reading on from a closed connection may take; it takes none."""


def unread(http: httpx2.Response) -> None:
    """Have a response that somebody has read already, as an event hook may, read once more: decoded, and not
    from its connection, which others have by now.

    httpx2 serves what it has read from attributes of its own, whatever the stream is by then, and has no
    public way to be told otherwise.
    """
    if "_content" not in vars(http):
        return
    http.stream = httpx2.ByteStream(http.content)
    http.headers.pop("content-encoding", None)
    for served in ("_content", "_text", "_decoder"):
        vars(http).pop(served, None)
    http.is_stream_consumed = http.is_closed = False


class SyncBody:
    """The body of a sync response."""

    def __init__(self, http: httpx2.Response) -> None:
        self._stream = cast("httpx2.SyncByteStream", http.stream)
        self._chunks: Iterator[bytes] = (
            iter(self._stream) if _plain(http) else _decoding(http, self._stream).iter_bytes()
        )

    def read(self) -> bytes | None:
        """The next bytes; None at the end."""
        return next(self._chunks, None)

    def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        self._stream.close()


class HurriedBody(httpx2.SyncByteStream):
    """A sync body that has so many ``seconds`` in all, by ``clock``; an async one can be broken off."""

    def __init__(
        self, stream: httpx2.SyncByteStream, patience: Patience, clock: Callable[[], float], seconds: float
    ) -> None:
        self._stream, self._patience, self._clock = stream, patience, clock
        self._end = clock() + seconds

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            yield chunk
            self._patience.seconds = self._end - self._clock()
            if self._patience.seconds <= 0:
                raise httpx2.ReadTimeout("it took too long")

    def close(self) -> None:
        """Close it."""
        self._stream.close()


class AsyncBody:
    """The body of an async response."""

    def __init__(self, http: httpx2.Response) -> None:
        self._leave = _leaving(http)
        self._stream = cast("httpx2.AsyncByteStream", http.stream)
        self._raw = aiter(self._stream)
        self._chunks = self._raw if _plain(http) else _decoding(http, _Raw(self._raw)).aiter_bytes()

    async def read(self) -> bytes | None:
        """The next bytes; None at the end."""
        return await anext(self._chunks, None)

    async def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        await self._stream.aclose()
        await self._leave(self._raw)
        for chunks in (self._raw, self._chunks):
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()


def _leaving(http: httpx2.Response) -> Callable[[AsyncIterator[bytes]], Awaitable[None]]:
    """How to end the generators of a body that has been closed, in the task that closes it.

    A transport nests several, and closing the outermost leaves the inner ones to the garbage collector, of
    which trio complains and which asyncio closes in tasks of its own. Where httpcore2 has closed its
    connection, reading on ends them all at once. No other body is known to end once it is closed, so it is
    read under a cancellation, which ends it at its first wait. Where the connection is shared (HTTP/2) it is
    not closed, and nobody may read on: a read that is cancelled does not begin under trio, but under asyncio
    it could, and lose frames.
    """
    if not shared(http):
        return _read_on if "network_stream" in http.extensions else _read_cancelled
    return _read_cancelled_in_trio


async def _read_on(chunks: AsyncIterator[bytes]) -> None:
    """Read what is buffered, up to the error of reading a closed connection; it says no more."""
    with anyio.move_on_after(WIND_DOWN), contextlib.suppress(Exception):
        async for _ in chunks:
            pass


async def _read_cancelled(chunks: AsyncIterator[bytes]) -> None:
    """Begin a read that may not wait; the body is left, so nobody is to be told what becomes of it."""
    with anyio.CancelScope() as scope, contextlib.suppress(Exception):
        scope.cancel()
        await anext(chunks, None)


async def _read_cancelled_in_trio(chunks: AsyncIterator[bytes]) -> None:
    """The same where no read begins that is cancelled."""
    if anyio.get_cancelled_exc_class() is not asyncio.CancelledError:
        await _read_cancelled(chunks)


def _plain(http: httpx2.Response) -> bool:
    """Whether a body's bytes are what they seem."""
    return http.headers.get("content-encoding", "identity").strip().lower() == "identity"


class _Raw(httpx2.AsyncByteStream):
    """A body that is being read already, in the shape that a response takes."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._chunks)


def _decoding(
    http: httpx2.Response, stream: httpx2.SyncByteStream | httpx2.AsyncByteStream
) -> httpx2.Response:
    """A response of its own that undoes the content encoding of ``http``."""
    return httpx2.Response(http.status_code, headers=http.headers, stream=stream, request=http.request)
