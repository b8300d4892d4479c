"""An exchange through doors of either HTTP package, without the SDK."""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import httpcore
import httpcore2
import httpx
import httpx2
import pytest

from resilient_stream import RetryPolicy, report
from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.states import Send
from resilient_stream._core.plan.planner import Form, Plan
from resilient_stream._core.record.ledger import RECORD_KEY
from resilient_stream._driver.async_driver import AsyncDriver
from resilient_stream._driver.sync_driver import Driver
from resilient_stream._driver.upstream import Head
from resilient_stream._http.async_exchange import AsyncExchange
from resilient_stream._http.body import take_over
from resilient_stream._http.door import AsyncDoor, Door, SyncDoor
from resilient_stream._http.exchange import SyncExchange
from resilient_stream._session.layer import Layer
from resilient_stream.testing import Stall, StandIn, cut_at, sse_events
from tests.support.loops import LOOPS, on_loop
from tests.support.stages import SYNC

BODY: dict[str, Any] = {
    "model": "claude-sonnet-5",
    "max_tokens": 900,
    "messages": [{"role": "user", "content": "Tides?"}],
    "stream": True,
}
FIRST = Send(Plan(Form.FIRST), 1, 300.0, 300.0)
TEXT = "The tide comes in twice a day, and goes out as often as it came in. " * 12
HASTY = RetryPolicy(wait_initial=0.001, wait_max=0.002, budget=None)
EVENTS = {"content-type": "text/event-stream", "request-id": "req_1"}

PACKAGES = pytest.mark.parametrize("http", [httpx2, httpx])
WORLDS = pytest.mark.parametrize("world", [*SYNC, *LOOPS])


class Raised(Exception):
    """What these doors raise."""

    def __init__(self, failure: Failure, request: Any) -> None:
        super().__init__(str(failure.kind))
        self.failure, self.request = failure, request


class Plain(Door):
    """What both doors have: a request is made of the plan's body, and any failure is a `Raised`."""

    def __init__(self, http: Any, client: Any, url: str) -> None:
        self.package = http.__name__
        self._http, self._client, self._url = http, client, url
        self.forgot = 0
        self.replaced: Any = None
        self.last: Any = None
        self.response: Any = None

    def request(self, action: Send) -> Any:
        """The request of an attempt."""
        headers = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
        body = dict(action.plan.body or BODY)
        return self._client.build_request("POST", self._url, json=body, headers=headers)

    def stand_in_request(self) -> Any:
        """Made up."""
        return self._http.Request("POST", self._url)

    def error_of(
        self, failure: Failure, request: Any, cause: BaseException | None, response: Any
    ) -> Exception:
        """The same for all."""
        error = Raised(failure, request)
        error.__cause__ = cause
        self.response = response
        return error

    def replace(self, http: Any) -> None:
        """Note it."""
        self.replaced = http

    def forget(self) -> None:
        """Count."""
        self.forgot += 1


class SyncPlain(Plain, SyncDoor):
    """A sync door."""

    def call(self, action: Send) -> Any:
        """Send."""
        self.last = self._client.send(self.request(action), stream=True)
        return self.last


class AsyncPlain(Plain, AsyncDoor):
    """An async door."""

    async def call(self, action: Send) -> Any:
        """Send."""
        self.last = await self._client.send(self.request(action), stream=True)
        return self.last


async def settled(result: Any) -> Any:
    """What a call gives, in either world."""
    return await result if isinstance(result, Awaitable) else result


def through(
    world: str,
    http: Any,
    law: Callable[[Any, Any], Coroutine[Any, Any, None]],
    *,
    url: str = "http://api.test/v1/messages",
    handler: Callable[[Any], Any] | None = None,
) -> None:
    """Run a law on an exchange and its door, whose requests a handler answers, or a server."""
    transport = {} if handler is None else {"transport": http.MockTransport(handler)}
    context = Layer(HASTY).begin(BODY)

    async def whole() -> None:
        if world == "sync":
            with http.Client(**transport) as client:
                door: Any = SyncPlain(http, client, url)
                exchange: Any = SyncExchange(door, context)
                await law(exchange, door)
                exchange.release()
            return
        async with http.AsyncClient(**transport) as client:
            door = AsyncPlain(http, client, url)
            exchange = AsyncExchange(door, context)
            await law(exchange, door)
            await exchange.release()

    if world != "sync":
        on_loop(world, whole)
        return
    coroutine = whole()
    with pytest.raises(StopIteration):
        coroutine.send(None)


@WORLDS
@PACKAGES
def test_a_head_and_a_body(http: Any, world: str) -> None:
    """Compressed or not; the record hangs on the request, and a report is found by the response."""

    async def law(exchange: Any, door: Any) -> None:
        assert await settled(exchange.send(FIRST)) == Head(200, "req_1")
        assert isinstance(door.last.request.extensions[RECORD_KEY], object)
        got = b""
        while isinstance(chunk := await settled(exchange.read(5.0)), bytes):
            got += chunk
        assert (got, chunk) == (b"event: ping\n\n", None)

    for encoding, sent in ((None, b"event: ping\n\n"), ("gzip", gzip.compress(b"event: ping\n\n"))):
        headers = EVENTS if encoding is None else {**EVENTS, "content-encoding": encoding}
        through(world, http, law, handler=lambda _: http.Response(200, headers=headers, content=sent))  # noqa: B023


@WORLDS
@PACKAGES
def test_an_error_page_is_judged_and_kept_as_it_came(http: Any, world: str) -> None:
    """What it says is understood; its bytes are there for who hands them on, in their encoding."""
    said = json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "Over"}}).encode()
    page = gzip.compress(said)

    async def law(exchange: Any, door: Any) -> None:
        failure = await settled(exchange.send(FIRST))
        assert (failure.kind, failure.status, failure.detail) == (Kind.OVERLOADED, 529, "overloaded_error")
        assert exchange.page == page
        error = exchange.error_for(failure)
        assert (error.failure, error.request) == (failure, door.last.request)

    headers = {"content-encoding": "gzip", "content-type": "application/json"}

    def handler(request: Any) -> Any:
        return http.Response(529, headers=headers, stream=Once(http, page))

    through(world, http, law, handler=handler)


def Once(http: Any, content: bytes) -> Any:  # noqa: N802 -- a class of either package
    """A stream of those bytes, which the response does not read by itself."""

    class Stream(http.SyncByteStream, http.AsyncByteStream):  # type: ignore[misc]  # as above
        def __iter__(self) -> Any:
            yield content

        async def __aiter__(self) -> Any:
            yield content

    return Stream()


@WORLDS
@PACKAGES
def test_an_error_page_that_breaks_is_replaced(http: Any, world: str) -> None:
    """By one of the same status, without a body, of the same package."""

    async def law(exchange: Any, door: Any) -> None:
        failure = await settled(exchange.send(FIRST))
        assert (failure.kind, failure.status) == (Kind.API_ERROR, 503)
        assert isinstance(door.replaced, http.Response)
        assert (door.replaced.status_code, door.replaced.content) == (503, b"")
        assert exchange.page == b"no gzip"

    headers = {"content-encoding": "gzip"}
    through(
        world, http, law, handler=lambda _: http.Response(503, headers=headers, stream=Once(http, b"no gzip"))
    )


@WORLDS
@PACKAGES
@pytest.mark.parametrize(
    ("name", "kind", "phase"),
    [
        ("ConnectTimeout", Kind.CONNECT, Phase.CONNECT),
        ("ConnectError", Kind.CONNECT, Phase.CONNECT),
        ("PoolTimeout", Kind.CONNECT, Phase.CONNECT),
        ("ReadTimeout", Kind.SILENT, Phase.HEADERS),
        ("ReadError", Kind.RESET, Phase.HEADERS),
        ("RemoteProtocolError", Kind.CLOSED, Phase.HEADERS),
        ("UnsupportedProtocol", Kind.REJECTED, Phase.CONNECT),
    ],
)
def test_exceptions_of_the_package_are_failures(
    http: Any, world: str, name: str, kind: Kind, phase: Phase
) -> None:
    """Each of the same kind as its twin's; the exception is the cause of the one that is raised."""

    async def law(exchange: Any, door: Any) -> None:
        failure = await settled(exchange.send(FIRST))
        assert (failure.kind, failure.phase, failure.detail) == (kind, phase, name)
        error = exchange.error_for(failure)
        assert type(error.__cause__) is getattr(http, name)
        assert report(error).outcome == "running"
        assert exchange.error_for(failure).__cause__ is None

    def handler(request: Any) -> Any:
        raise getattr(http, name)("", request=request)

    through(world, http, law, handler=handler)


@WORLDS
@PACKAGES
def test_a_body_that_breaks_is_a_failure(http: Any, world: str) -> None:
    """Undecodable, or torn; what the last response was is forgotten."""

    async def law(exchange: Any, door: Any) -> None:
        await settled(exchange.send(FIRST))
        failure = await settled(exchange.read(5.0))
        assert (failure.kind, failure.phase) == (Kind.CORRUPT, Phase.BODY)
        assert door.forgot == 1

    headers = {**EVENTS, "content-encoding": "gzip"}
    through(
        world, http, law, handler=lambda _: http.Response(200, headers=headers, stream=Once(http, b"no gzip"))
    )


@WORLDS
@PACKAGES
def test_before_any_request_an_error_has_the_stand_in(http: Any, world: str) -> None:
    """As its request."""

    async def law(exchange: Any, door: Any) -> None:
        error = exchange.error_for(Failure(Kind.CANCELLED, Phase.BODY))
        assert isinstance(error.request, http.Request)

    through(world, http, law)


@WORLDS
@PACKAGES
@pytest.mark.parametrize("how", ["rst", "fin", "clean"])
def test_a_stream_over_real_sockets_survives(http: Any, world: str, how: Any) -> None:
    """The whole engine without the SDK: cut in the middle, read through the response, told in a report."""

    async def law(exchange: Any, door: Any) -> None:
        context, runtime = exchange._context, exchange._context.runtime
        machine = context.machine(exchange.error_for)
        if world == "sync":
            sync = Driver(machine, exchange, runtime, context.watch)
            assert sync.open() is None
            take_over(first := door.last, sync, sync=True)
            body = b"".join(first.iter_bytes())
        else:
            driver = AsyncDriver(machine, exchange, runtime, context.watch)
            assert await driver.open() is None
            take_over(first := door.last, driver, sync=False)
            body = b"".join([chunk async for chunk in first.aiter_bytes()])
        assert body.count(b"event: message_start") == body.count(b"event: message_stop") == 1
        deltas = [
            json.loads(line[6:])
            for line in body.splitlines()
            if line.startswith(b'data: {"type":"content_block_delta"')
        ]
        assert "".join(event["delta"]["text"] for event in deltas) == TEXT.rstrip()
        told = report(first)
        assert [attempt.kind for attempt in told.attempts] == ["first", "user_turn"]
        assert told.outcome == "completed"
        assert first.elapsed.total_seconds() > 0

    with StandIn(reply=TEXT.rstrip(), faults=[cut_at(1500, how)]) as server:
        through(world, http, law, url=f"{server.url}/v1/messages")


@PACKAGES
def test_what_a_consumer_takes_over_has_no_length(http: Any) -> None:
    """Nor an encoding: those were the first attempt's body's, and it is decoded and spliced."""
    headers = {"content-length": "10", "content-encoding": "gzip", "x-own": "1"}
    response = http.Response(200, headers=headers, stream=Once(http, b""))
    take_over(response, sse_events("a"), sync=True)
    assert dict(response.headers) == {"x-own": "1"}


@WORLDS
@pytest.mark.parametrize(("http", "core"), [(httpx2, httpcore2), (httpx, httpcore)])
def test_a_silent_body_is_silent(http: Any, core: Any, world: str) -> None:
    """Over real sockets, with the read timeout of the package's own core beneath."""

    async def law(exchange: Any, door: Any) -> None:
        assert await settled(exchange.send(FIRST)) == Head(200, door.last.headers["request-id"])
        while isinstance(got := await settled(exchange.read(0.2)), bytes):
            pass
        assert (got.kind, got.phase, got.detail) == (Kind.SILENT, Phase.BODY, "ReadTimeout")
        error = exchange.error_for(got)
        assert isinstance(error.__cause__, http.ReadTimeout)
        assert isinstance(error.__cause__.__cause__, core.ReadTimeout)

    with StandIn(reply=TEXT, faults=[Stall(after=7)]) as server:
        through(world, http, law, url=f"{server.url}/v1/messages")
