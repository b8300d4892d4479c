"""Breaking off what another task is in: a send, an error's page, a read of a shared connection."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import httpx2
import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._driver.upstream import Head
from resilient_stream._http.exchange import ERROR_BODY_PATIENCE
from resilient_stream._http.read_timeout import MOMENT
from tests.support.exchanges import RESTART, STREAM, Talk, Wire, answer, body_of, probe
from tests.support.loops import LOOPS

in_async_worlds = pytest.mark.parametrize("world", LOOPS)
PROMPTLY = 60.0


class Endless(httpx2.AsyncByteStream):
    """A body that brings some bytes and then nothing more; it knows whether it was ended."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks, self.reading, self.closed = chunks, anyio.Event(), 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk
        self.reading.set()
        await anyio.sleep_forever()

    async def aclose(self) -> None:
        """Count."""
        self.closed += 1


def over_http2(body: Endless, status: int = 200, read: float = 600.0) -> Callable[[Any], Awaitable[Any]]:
    """What stands in for the rest of the chain: it answers with a body on a shared connection."""
    return over(body, status, read, version=b"HTTP/2")


def over(
    body: Endless, status: int = 200, read: float = 600.0, version: bytes = b"HTTP/1.1", wire: Any = None
) -> Callable[[Any], Awaitable[Any]]:
    """The same, on any connection."""
    request = httpx2.Request("POST", "http://api.test/v1/messages", extensions={"timeout": {"read": read}})
    extensions = {"http_version": version} | ({} if wire is None else {"network_stream": wire})
    http = httpx2.Response(status, headers=STREAM, stream=body, request=request, extensions=extensions)

    class Answer:
        http_response = http
        _client = type("Client", (), {"_make_status_error": None})

    async def call_next(request: Any) -> Any:
        return Answer()

    return call_next


async def broken_off(talk: Talk, act: Callable[[], Awaitable[Any]], begun: anyio.Event) -> Any:
    """What ``act`` gives when it is interrupted by another task once it has begun."""
    async with anyio.create_task_group() as others:

        async def interrupt() -> None:
            await begun.wait()
            talk.exchange.interrupt()

        others.start_soon(interrupt)
        with anyio.fail_after(PROMPTLY):
            return await act()


def sending(begun: anyio.Event) -> Callable[[Any], Awaitable[Any]]:
    """The rest of a chain whose connection never comes about."""

    async def call_next(request: Any) -> Any:
        begun.set()
        await anyio.sleep_forever()

    return call_next


def hurried(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Have every time limit pass at once; how long each would have been."""
    told: list[float] = []

    def at_once(seconds: float) -> anyio.CancelScope:
        told.append(seconds)
        return anyio.CancelScope(deadline=math.inf if seconds == math.inf else anyio.current_time())

    monkeypatch.setattr("resilient_stream._http.async_exchange.anyio.move_on_after", at_once)
    return told


@in_async_worlds
def test_a_send_is_broken_off(world: str) -> None:
    """Whoever waits for a connection or a head is back at once, and no other request is sent after."""

    async def law(talk: Talk) -> None:
        begun = anyio.Event()
        talk.door._call_next = sending(begun)
        failure = await broken_off(talk, talk.send, begun)
        assert isinstance(failure, Failure) and failure.phase is Phase.HEADERS
        talk.door._call_next = None
        assert isinstance(await talk.send(RESTART), Failure)

    probe(world, law)


@in_async_worlds
def test_a_cancellation_from_further_out_passes(world: str) -> None:
    """An interrupted send does not swallow the cancellation of its task that comes at the same time."""

    async def law(talk: Talk) -> None:
        begun = anyio.Event()
        talk.door._call_next = sending(begun)
        async with anyio.create_task_group() as others:
            with anyio.CancelScope() as outer:

                async def both() -> None:
                    await begun.wait()
                    talk.exchange.interrupt()
                    outer.cancel()

                others.start_soon(both)
                await talk.send()
                raise AssertionError("it should have been cancelled")
            assert outer.cancelled_caught

    probe(world, law)


@pytest.mark.parametrize("first", ["cancel", "interrupt"])
def test_a_cancellation_of_asyncios_own_passes(first: str) -> None:
    """`asyncio.Task.cancel` as well, whichever of the two comes first."""

    async def law(talk: Talk) -> None:
        begun = anyio.Event()
        talk.door._call_next = sending(begun)
        task = asyncio.ensure_future(talk.send())
        await begun.wait()
        acts = [task.cancel, talk.exchange.interrupt]
        for act in acts if first == "cancel" else acts[::-1]:
            act()
        with pytest.raises(asyncio.CancelledError):
            await task

    probe("asyncio", law)


@in_async_worlds
def test_a_response_that_was_there_already_is_given_back(world: str) -> None:
    """An interruption that comes too late for the send leaves its response to the release."""

    async def law(talk: Talk) -> None:
        before = talk.door._call_next

        async def call_next(request: Any) -> Any:
            answered = await before(request)
            talk.exchange.interrupt()
            return answered

        talk.door._call_next = call_next
        assert await talk.send() == Head(200, "req_1")
        await talk.release()
        assert body_of(given).closed == 1

    given = answer(b"one")
    probe(world, law, given)


@in_async_worlds
def test_a_read_of_a_shared_connection_is_broken_off(world: str) -> None:
    """Its socket is not touched, for others read from it; its own stream is closed."""

    async def law(talk: Talk) -> None:
        body = Endless(b"one")
        talk.door._call_next = over_http2(body)
        await talk.send()
        assert await talk.read() == b"one"
        assert isinstance(await broken_off(talk, talk.read, body.reading), Failure)
        await talk.release()
        assert body.closed == 1

    probe(world, law)


@in_async_worlds
@pytest.mark.parametrize(("patience", "given", "counts"), [(7.0, 600.0, 7.0), (30.0, 5.0, 5.0)])
def test_one_silent_stream_of_many_is_noticed(
    world: str, patience: float, given: float, counts: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection on which others speak never times out by itself: each stream is given its own patience, the
    user's where that is shorter, and a moment more, so that a connection that is dead is found out first."""

    async def law(talk: Talk) -> None:
        talk.door._call_next = over_http2(Endless(), read=given)
        await talk.send()
        failure = await talk.read(patience)
        assert (failure.kind, failure.phase, failure.detail) == (Kind.SILENT, Phase.BODY, "ReadTimeout")
        assert told[-1] == counts + MOMENT

    told = hurried(monkeypatch)
    probe(world, law)


@in_async_worlds
def test_an_error_on_a_shared_connection_costs_no_connection(
    world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of an error that never comes is waited for as long as any, and the connection's own timeout stays
    what silence may last."""

    async def law(talk: Talk) -> None:
        talk.door._call_next = call_next = over_http2(Endless(), status=529)
        failure = await talk.send()
        assert (failure.kind, failure.status) == (Kind.OVERLOADED, 529)
        assert told[-1] == ERROR_BODY_PATIENCE
        http = (await call_next(None)).http_response
        assert http.request.extensions["timeout"]["read"] == 30.0  # the silence of these tests

    told = hurried(monkeypatch)
    probe(world, law)


@in_async_worlds
def test_a_connection_of_ones_own_is_timed_by_itself(world: str) -> None:
    """There a read costs nothing on top."""

    async def law(talk: Talk) -> None:
        await talk.send()
        before = talk.exchange._scope
        assert await talk.read() == b"one"
        assert talk.exchange._scope is before
        await talk.release()

    ours, theirs = socket.socketpair()
    with ours, theirs:
        probe(world, law, answer(b"one", wire=Wire(ours)))


@in_async_worlds
def test_a_connection_without_a_socket_is_left_by_whoever_reads(world: str) -> None:
    """Nothing can be shut down there, so the read itself is broken off."""

    async def law(talk: Talk) -> None:
        body = Endless(b"one")
        talk.door._call_next = over(body, wire=Wire())
        await talk.send()
        assert await talk.read() == b"one"
        assert isinstance(await broken_off(talk, talk.read, body.reading), Failure)

    probe(world, law)
