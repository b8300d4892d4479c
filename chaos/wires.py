"""The network without sockets: the SDK's own HTTP stack over connections that play scripts.

Below httpx2 is httpcore2, which takes a network backend. The backend here returns `Wire`s: a request that is
written to one goes to the stand-in's endpoint, and reading returns the endpoint's script, byte for byte. Time
is a number that waits and timeouts advance. Connection pool, HTTP parser, timeouts and exceptions are the
real ones.
"""

from __future__ import annotations

import errno
import math
import random
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import anyio.lowlevel
import httpcore2
import httpx2

from resilient_stream.testing import Close, Reset, Send, Wait
from resilient_stream.testing.requests import Incoming
from resilient_stream.testing.wire import Script, Step

from .faults import Chunking, piece_size

EPOCH: Final = 1_800_000_000.0
"""When the virtual time begins, so that dates can be made from it."""


class Clock:
    """Seconds that pass only when something waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds since the simulation began."""
        return self.now

    def wall(self) -> float:
        """Seconds since the epoch."""
        return EPOCH + self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class Wire:
    """One connection: requests are written to it, and scripts are read from it."""

    def __init__(
        self, take: Callable[[Incoming], Script], clock: Clock, chunking: Chunking, rng: random.Random
    ) -> None:
        self._take, self._clock = take, clock
        self._chunking: Chunking = chunking
        self._rng = rng
        self._request = b""
        self._steps: deque[Step] = deque()
        self._there = b""
        self.closed = False

    def sent(self, data: bytes) -> None:
        """Receive bytes of a request. When it is complete, it is answered."""
        if self.closed:
            raise httpcore2.WriteError("closed")
        self._request += data
        head, whole, body = self._request.partition(b"\r\n\r\n")
        if not whole:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        if len(body) >= int(headers.get("content-length", 0)):
            method, path, _ = first.split(" ")
            self._request = b""
            self._steps.extend(self._take(Incoming(method, path, headers, body)))

    def got(self, max_bytes: int, timeout: float | None) -> bytes:
        """The next bytes that arrive; none at the end of the connection."""
        left = math.inf if timeout is None else timeout
        while not self._there:
            if self.closed:
                raise httpcore2.ReadError("closed")
            step = self._steps.popleft() if self._steps else Wait(math.inf)
            match step:
                case Send(data):
                    self._there += data
                    while self._chunking == "whole" and self._steps and isinstance(self._steps[0], Send):
                        self._there += self._steps.popleft().data  # type: ignore[union-attr]
                case Wait(seconds):
                    assert min(seconds, left) < math.inf, "this would hang for ever"
                    self._clock.advance(min(seconds, left))
                    if seconds >= left:
                        self._steps.appendleft(Wait(seconds - left))
                        raise httpcore2.ReadTimeout("timed out")
                    left -= seconds
                case Reset():
                    self._steps.appendleft(step)
                    raise httpcore2.ReadError from ConnectionResetError(errno.ECONNRESET, "reset by peer")
                case Close():
                    self._steps.appendleft(step)
                    return b""
        size = min(max_bytes, piece_size(self._chunking, self._rng, len(self._there)))
        data, self._there = self._there[:size], self._there[size:]
        return data

    def info(self, name: str) -> Any:
        """What the pool asks about an idle connection: whether the server has closed it."""
        return (name == "is_readable" and bool(self._steps)) or None


class SyncWire(Wire, httpcore2.NetworkStream):
    """A wire as the sync stack reads it."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read."""
        return self.got(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write."""
        self.sent(buffer)

    def close(self) -> None:
        """Close."""
        self.closed = True

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection."""
        return self.info(info)


class AsyncWire(Wire, httpcore2.AsyncNetworkStream):
    """A wire as the async stack reads it. Each read lets other tasks run, as a socket's would."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 -- httpcore2's
        """Read."""
        await anyio.lowlevel.checkpoint()
        return self.got(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 -- httpcore2's
        """Write."""
        self.sent(buffer)

    async def aclose(self) -> None:
        """Close."""
        self.closed = True

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection."""
        return self.info(info)


class Network(httpcore2.NetworkBackend):
    """Connections for the sync stack. ``connect`` makes one or raises."""

    def __init__(self, connect: Callable[[type[Any]], Any]) -> None:
        self._connect = connect

    def connect_tcp(self, *_: Any, **__: Any) -> httpcore2.NetworkStream:
        """A new connection."""
        made: httpcore2.NetworkStream = self._connect(SyncWire)
        return made


class AsyncNetwork(httpcore2.AsyncNetworkBackend):
    """Connections for the async stack."""

    def __init__(self, connect: Callable[[type[Any]], Any]) -> None:
        self._connect = connect

    async def connect_tcp(self, *_: Any, **__: Any) -> httpcore2.AsyncNetworkStream:
        """A new connection."""
        made: httpcore2.AsyncNetworkStream = self._connect(AsyncWire)
        return made


class Transport(httpx2.HTTPTransport):
    """httpx2's own transport over a pool that can be replaced, so that a client serves many plans."""

    def __init__(self) -> None:
        self._pool = httpcore2.ConnectionPool()


class AsyncTransport(httpx2.AsyncHTTPTransport):
    """As `Transport`, for async clients."""

    def __init__(self) -> None:
        self._pool = httpcore2.AsyncConnectionPool()
