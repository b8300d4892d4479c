"""Exchanges through the SDK's door, in each world, with scripted responses."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any

import anthropic
import anyio
import anyio.lowlevel
import httpx2
import pytest
from anthropic import APIRequest, not_given

from resilient_stream._core.loop.states import Send
from resilient_stream._core.plan.planner import Form, Plan
from resilient_stream._driver.runtime import Runtime
from resilient_stream._http.async_exchange import AsyncExchange
from resilient_stream._http.exchange import SyncExchange
from resilient_stream._sdk.door import AsyncSdkDoor, SyncSdkDoor
from resilient_stream._session.context import StreamContext
from resilient_stream._session.layer import Layer
from resilient_stream.policy import RetryPolicy
from resilient_stream.testing import sse_event
from tests.support.loops import LOOPS, on_loop
from tests.support.stages import SYNC, run

STREAM = {"content-type": "text/event-stream", "request-id": "req_1"}
POLICY = RetryPolicy(connect_timeout=5.0, silence_timeout=30.0)
NOW = 1_900_000_000.0
FIRST = Send(Plan(Form.FIRST), 1, 300.0, 300.0)
RESTART = Send(Plan(Form.RESTART), 2, 600.0, 300.0)
BODY = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Go on."}], "stream": True}
CONTINUATION = Send(Plan(Form.USER_TURN, BODY), 3, 300.0, 300.0)
PING = sse_event({"type": "ping"})


class Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body of chunks, of which one may be an exception; it counts how often it is closed."""

    def __init__(self, *chunks: bytes | Exception) -> None:
        self.chunks, self.closed = chunks, 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            await anyio.lowlevel.checkpoint()
            yield chunk

    def close(self) -> None:
        """Count."""
        self.closed += 1

    async def aclose(self) -> None:
        """Count."""
        self.closed += 1


class Wire:
    """A connection with a socket."""

    def __init__(self, sock: socket.socket | None = None) -> None:
        self.sock = sock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Nothing ever comes."""
        raise AssertionError

    def get_extra_info(self, info: str) -> Any:
        """The socket."""
        return self.sock if info == "socket" else None


def answer(
    *chunks: bytes | Exception, status: int = 200, headers: dict[str, str] | None = None, wire: Any = None
) -> httpx2.Response:
    """A response to be given."""
    body = Body(*chunks)
    extensions = {"body": body} | ({} if wire is None else {"network_stream": wire})
    return httpx2.Response(
        status, headers=STREAM if headers is None else headers, stream=body, extensions=extensions
    )


def body_of(response: httpx2.Response) -> Body:
    """The body that a response was given; the client puts another stream before it."""
    body: Body = response.extensions["body"]
    return body


class Over(BaseException):
    """The law is through; the SDK need not go on."""


class Talk:
    """An exchange in one of the worlds, and what it was sent."""

    def __init__(self, exchange: Any, door: Any, seen: list[httpx2.Request], context: StreamContext) -> None:
        self.exchange, self.door, self.seen, self.context = exchange, door, seen, context

    async def send(self, action: Send = FIRST) -> Any:
        """Send a request."""
        return await settled(self.exchange.send(action))

    async def read(self, patience: float = 30.0) -> Any:
        """Read on."""
        return await settled(self.exchange.read(patience))

    async def release(self) -> None:
        """Give back."""
        await settled(self.exchange.release())


async def settled(result: Any) -> Any:
    """What a call gives, in either world."""
    return await result if isinstance(result, Awaitable) else result


class Probe(anthropic.Middleware):
    """Runs a law in the place of our own middleware."""

    def __init__(
        self,
        law: Callable[[Talk], Coroutine[Any, Any, None]],
        seen: list[httpx2.Request],
        policy: RetryPolicy,
    ) -> None:
        self.law, self.seen, self.policy = law, seen, policy

    def _talk(self, kind: Any, request: APIRequest, call_next: Any) -> Talk:
        context = context_of(Runtime(wall=lambda: NOW), self.policy)
        door = DOORS[kind](call_next, request, self.policy, not_given)
        return Talk(kind(door, context), door, self.seen, context)

    def handle(self, request: Any, call_next: Any) -> Any:
        """Sync."""
        talk = self._talk(SyncExchange, request, call_next)
        run("sync", lambda: self.law(talk))
        raise Over

    async def handle_async(self, request: Any, call_next: Any) -> Any:
        """Async."""
        await self.law(self._talk(AsyncExchange, request, call_next))
        raise Over


DOORS: dict[Any, Any] = {SyncExchange: SyncSdkDoor, AsyncExchange: AsyncSdkDoor}


def context_of(runtime: Runtime, policy: RetryPolicy = POLICY) -> StreamContext:
    """The context of a stream."""
    return Layer(policy, runtime).begin(BODY)


def probe(
    world: str,
    law: Callable[[Talk], Coroutine[Any, Any, None]],
    *answers: Any,
    policy: RetryPolicy = POLICY,
) -> None:
    """Run a law on an exchange whose requests are answered so."""
    left, seen = list(answers), list[httpx2.Request]()

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        given = left.pop(0)
        if isinstance(given, Exception):
            raise given
        return given  # type: ignore[no-any-return]  # it is a response

    known: Any = {
        "api_key": "k",
        "base_url": "http://api.test",
        "max_retries": 0,
        "middleware": [Probe(law, seen, policy)],
    }
    asked: Any = {**BODY, "messages": [{"role": "user", "content": "Tides?"}]}
    transport = httpx2.MockTransport(handler)

    async def whole() -> None:
        http = httpx2.AsyncClient(transport=transport)
        async with anthropic.AsyncAnthropic(http_client=http, **known) as client:
            await client.messages.create(**asked)

    def whole_sync() -> None:
        with anthropic.Anthropic(http_client=httpx2.Client(transport=transport), **known) as client:
            client.messages.create(**asked)

    with pytest.raises(Over):
        whole_sync() if world == "sync" else on_loop(world, whole)
    assert not left, "not all was asked for"


in_worlds = pytest.mark.parametrize("world", [*SYNC, *LOOPS])
