"""A response's body: its encoding undone, and ended in the task that reads it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any, Final, Self, cast

import anyio
import httpx2

from ._patience import shared

WIND_DOWN: Final = 1.0
"""Seconds that may take; it takes none, unless a transport reads on after it was closed."""


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


class AsyncBody:
    """The body of an async response."""

    def __init__(self, http: httpx2.Response) -> None:
        self._alone = not shared(http)
        self._stream = cast("httpx2.AsyncByteStream", http.stream)
        self._raw = aiter(self._stream)
        self._chunks = self._raw if _plain(http) else _decoding(http, _Raw(self._raw)).aiter_bytes()

    async def read(self) -> bytes | None:
        """The next bytes; None at the end."""
        return await anext(self._chunks, None)

    async def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        await self._stream.aclose()
        await _wind_down(self._raw, alone=self._alone)
        if self._chunks is not self._raw:  # what decodes ends with what it reads
            with contextlib.suppress(httpx2.DecodingError):
                await anext(self._chunks, None)


async def _wind_down(chunks: Any, *, alone: bool) -> None:
    """End the generators of a body whose connection has been closed, in this task.

    The transport nests several, and closing the outermost leaves the inner ones to the garbage
    collector, of which trio complains and which asyncio closes in tasks of its own. Reading on ends
    them all at once: what is buffered, then the error of reading a closed connection. Where the
    connection is shared (HTTP/2) it is not closed, and nobody may read on: under trio a read that is
    cancelled before it begins does as well. (Under asyncio such a read could begin, and lose frames.)
    """
    if alone:
        with anyio.move_on_after(WIND_DOWN), contextlib.suppress(Exception):
            async for _ in chunks:
                pass
    elif anyio.get_cancelled_exc_class() is not asyncio.CancelledError:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anext(chunks, None)
    if isinstance(chunks, AsyncGenerator):
        await chunks.aclose()


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
