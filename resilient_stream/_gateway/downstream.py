"""The response to a client, sent piece by piece at the client's pace.

`Downstream.write` returns when the client's connection has room, and nothing is read from the upstream before
that. So a slow client costs at most the buffers of two connections.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from .errors import headers_of
from .headers import Headers
from .request import Send

PING: Final = b'event: ping\ndata: {"type": "ping"}\n\n'
"""A ping as the API writes it."""


class Downstream:
    """The response to one request.

    A failure is shown by ending a response that has begun without `finish`: the connection closes in the
    middle of the body. (A client of HTTP/1.0 can't see that.)

    Args:
        send: ASGI's.
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, send: Send, clock: Callable[[], float] = time.monotonic) -> None:
        self.begun = self.over = False
        self.written_at = clock()
        """When something was last sent."""
        self._send, self._clock = send, clock
        self._lock = asyncio.Lock()

    async def begin(self, status: int, headers: Headers) -> None:
        """Send the headers."""
        self.begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        self.written_at = self._clock()

    async def write(self, piece: bytes) -> None:
        """Send a piece of the body; for an event stream, whole frames."""
        async with self._lock:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        self.written_at = self._clock()

    @property
    def quiet(self) -> bool:
        """Whether no piece is being sent and more may follow."""
        return not (self.over or self._lock.locked())

    async def ping(self) -> None:
        """Send a ping between two pieces, unless a piece is being sent."""
        if self.quiet:
            await self.write(PING)

    async def finish(self) -> None:
        """End the body."""
        self.over = True
        async with self._lock:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def answer(self, status: int, content: bytes, headers: Headers | None = None) -> None:
        """Send a whole response."""
        await self.begin(status, headers_of(content) if headers is None else headers)
        await self._send({"type": "http.response.body", "body": content, "more_body": False})
