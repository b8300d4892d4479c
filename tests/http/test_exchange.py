"""Requests sent, responses and exceptions judged, bodies read."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import anthropic
import anyio
import anyio.lowlevel
import httpcore2
import httpx2
import pytest
from anthropic import not_given

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.record.ledger import RECORD_KEY
from resilient_stream._driver.runtime import Runtime
from resilient_stream._driver.upstream import Head
from resilient_stream._http import exchange as _exchange
from resilient_stream._http.async_exchange import AsyncExchange
from resilient_stream._http.attach import GIVEN_UP, SPLICED
from resilient_stream._http.exchange import ERROR_BODY_PATIENCE, SyncExchange
from resilient_stream._session.context import StreamContext
from tests.support.exchanges import (
    CONTINUATION,
    DOORS,
    FIRST,
    PING,
    POLICY,
    RESTART,
    STREAM,
    Body,
    Talk,
    Wire,
    answer,
    body_of,
    context_of,
    in_worlds,
    probe,
    settled,
)
from tests.support.stages import Clock, run

# -- sending and reading ---------------------------------------------------------------------------


@in_worlds
def test_a_good_head_comes_back_with_its_body_unread(world: str) -> None:
    """What is an event stream is handed on at its head; its bytes follow as they come."""

    async def law(talk: Talk) -> None:
        assert await talk.send() == Head(200, "req_1")
        assert talk.door.response.http_response is given
        assert [await talk.read() for _ in range(4)] == [b"one", b"two", None, None]
        assert len(talk.seen) == 1

    given = answer(b"one", b"two")
    probe(world, law, given)


@in_worlds
def test_an_encoded_body_is_decoded(world: str) -> None:
    """A proxy may compress a stream; the bytes that are read are the API's."""

    async def law(talk: Talk) -> None:
        await talk.send()
        got = b""
        while isinstance(chunk := await talk.read(), bytes):
            got += chunk
        assert (got, chunk) == (b"event: ping", None)

    packed = gzip.compress(b"event: ping")
    probe(world, law, answer(packed[:9], packed[9:], headers=STREAM | {"content-encoding": "gzip"}))


@in_worlds
def test_broken_compression_is_corrupt(world: str) -> None:
    """An encoding that does not decode is a failure of the body."""

    async def law(talk: Talk) -> None:
        await talk.send()
        failure = await talk.read()
        assert (failure.kind, failure.phase) == (Kind.CORRUPT, Phase.BODY)

    probe(world, law, answer(b"no gzip at all", headers=STREAM | {"content-encoding": "gzip"}))


@in_worlds
def test_every_request_carries_the_record(world: str) -> None:
    """A report can be found from any response or exception; the budget's account is known once."""

    async def law(talk: Talk) -> None:
        addressed: list[tuple[Any, Any]] = []
        with patch.object(StreamContext, "addressed", lambda _, *where: addressed.append(where)):
            for action in (FIRST, RESTART, CONTINUATION):
                await talk.send(action)
        record = talk.context.record
        assert [request.extensions[RECORD_KEY] for request in talk.seen] == [record] * 3
        assert addressed == [(talk.seen[0].url, talk.seen[0].headers)]

    probe(world, law, answer(), httpx2.ConnectError("refused"), answer())


@in_worlds
def test_the_next_request_gives_the_last_connection_back(world: str) -> None:
    """No two responses of one stream are open at a time, and each is closed once."""

    async def law(talk: Talk) -> None:
        await talk.send()
        await talk.send(RESTART)
        assert (body_of(first).closed, body_of(second).closed) == (1, 0)
        await talk.release()
        await talk.release()
        assert (body_of(first).closed, body_of(second).closed) == (1, 1)

    first, second = answer(b"one"), answer(b"two")
    probe(world, law, first, second)


@in_worlds
def test_releasing_nothing_is_nothing(world: str) -> None:
    """Before anything was sent there is nothing to give back, read or interrupt."""

    async def law(talk: Talk) -> None:
        await talk.release()
        talk.exchange.interrupt()
        assert await talk.read() is None

    probe(world, law)


@in_worlds
def test_a_connection_is_borrowed_only_while_its_body_is_read(world: str) -> None:
    """The wire's ``read`` is taken over at the head and given back with the connection."""

    async def law(talk: Talk) -> None:
        await talk.send()
        assert "read" in vars(wire)
        await talk.read(7.0)
        assert talk.exchange._patience.seconds == 7.0
        await talk.release()
        assert "read" not in vars(wire)

    wire = Wire()
    probe(world, law, answer(b"one", wire=wire))


@in_worlds
def test_interrupting_ends_the_connection(world: str) -> None:
    """A read that blocks elsewhere is ended by shutting its socket down."""

    async def law(talk: Talk) -> None:
        await talk.send()
        talk.exchange.interrupt()
        assert theirs.recv(1) == b""
        await talk.release()
        talk.exchange.interrupt()

    ours, theirs = socket.socketpair()
    with ours, theirs:
        probe(world, law, answer(wire=Wire(ours)))


def test_interrupting_closes_what_another_layer_reads() -> None:
    """Its connection is that layer's: closing its body from here ends the read that blocks in it."""

    async def law(talk: Talk) -> None:
        await talk.send()
        assert body_of(given).closed == 0
        talk.exchange.interrupt()
        assert body_of(given).closed == 1

    given = answer(b"one")
    given.extensions[SPLICED] = True
    probe("sync", law, given)


# -- failures --------------------------------------------------------------------------------------


@in_worlds
def test_an_error_response_is_read_and_judged(world: str) -> None:
    """A status is a failure with what the API said of it; its connection is given back."""

    async def law(talk: Talk) -> None:
        failure = await talk.send()
        assert failure == Failure(
            Kind.OVERLOADED,
            Phase.HEADERS,
            detail="overloaded_error",
            status=529,
            retry_after=60.0,
            request_id="req_1",
        )
        assert failure.body == said
        assert body_of(given).closed == 1
        error = talk.exchange.error_for(failure)
        assert isinstance(error, anthropic.OverloadedError)
        assert (error.body, error.request_id) == (said, "req_1")

    said = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    headers = {"request-id": "req_1", "retry-after": "Mon, 17 Mar 2030 17:47:40 GMT"}
    given = answer(json.dumps(said).encode(), status=529, headers=headers)
    probe(world, law, given)


@in_worlds
@pytest.mark.parametrize(
    "breaks",
    [
        httpx2.ReadError(""),
        httpx2.ReadTimeout(""),
        OSError(9, "x"),
        b"no gzip",
        httpcore2.ConnectionNotAvailable(),
    ],
)
def test_a_broken_error_page_is_judged_by_its_status(world: str, breaks: Exception | bytes) -> None:
    """A 500 whose page never comes is still a 500, and a response that the SDK can read."""

    async def law(talk: Talk) -> None:
        failure = await talk.send()
        assert (failure.kind, failure.phase, failure.status) == (Kind.API_ERROR, Phase.HEADERS, 503)
        left = talk.door.response.http_response
        assert (left.status_code, left.text, left.headers["request-id"]) == (503, "", "req_1")
        assert left.request is talk.seen[0]
        assert body_of(given).closed >= 1
        assert isinstance(talk.exchange.error_for(failure), anthropic.InternalServerError)

    headers = {"request-id": "req_1", "content-encoding": "gzip", "content-length": "99"}
    given = answer(breaks, status=503, headers=headers)
    probe(world, law, given)


@in_worlds
@pytest.mark.parametrize(("silence", "patience"), [(300.0, ERROR_BODY_PATIENCE), (0.4, 0.4)])
def test_an_error_page_may_not_keep_us_waiting(world: str, silence: float, patience: float) -> None:
    """The body of an error is read with a patience of its own, no longer than a silence may last, and the wire is given
    back."""

    async def law(talk: Talk) -> None:
        await talk.send()
        assert talk.seen[0].extensions["timeout"]["read"] == patience
        assert "read" not in vars(wire)

    wire = Wire()
    page = answer(b"<html>", status=502, headers={}, wire=wire)
    probe(world, law, page, policy=POLICY.replace(silence_timeout=silence))


@in_worlds
def test_an_error_page_has_its_time_in_all(world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that comes in drops is given up when its time is over, however soon each drop comes."""
    clock, drops, scopes = Clock(), list[bytes](), list[anyio.CancelScope]()
    monkeypatch.setattr(_exchange, "ERROR_BODY_PATIENCE", 0.1)

    def limited(seconds: float) -> anyio.CancelScope:
        """Of the tasks' limits only the page's: its time is over when the body says so."""
        assert seconds == 0.1 or scopes
        scopes.append(anyio.CancelScope())
        return scopes[-1]

    monkeypatch.setattr("resilient_stream._http.async_exchange.anyio.move_on_after", limited)

    class Drops(Body):
        def __iter__(self) -> Iterator[bytes]:
            for _ in range(100):
                clock.now += 0.03
                drops.append(b" ")
                yield drops[-1]

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for _ in range(100):
                await anyio.lowlevel.checkpoint()
                drops.append(b" ")
                if len(drops) == 4:
                    scopes[0].cancel()
                yield drops[-1]

    async def law() -> None:
        asked = httpx2.Request("POST", "http://api.test")
        page = httpx2.Response(529, stream=Drops(), request=asked)
        kind: Any = SyncExchange if world == "sync" else AsyncExchange
        request: Any = SimpleNamespace(options=None)
        door = DOORS[kind](None, request, POLICY, not_given)
        exchange = kind(door, context_of(Runtime(clock=clock)))
        door.response = SimpleNamespace(http_response=page)
        left = await settled(exchange._read_error(page))
        assert 1 <= len(drops) <= 4
        assert left is door.response.http_response
        assert exchange.page == b"".join(drops)
        assert (left is page, left.status_code, left.content) == (False, 529, b"")

    run(world, law)


@in_worlds
def test_an_exception_in_an_error_page_is_raised(world: str) -> None:
    """What is no exception of the transport's is raised as it is, and the page is closed."""

    async def law(talk: Talk) -> None:
        with pytest.raises(KeyError) as raised:
            await talk.send()
        assert raised.value is own
        assert body_of(given).closed == 1

    own = KeyError("own")
    given = answer(own, status=503)
    probe(world, law, given)


@in_worlds
def test_an_error_response_knows_how_long_it_took(world: str) -> None:
    """Its page was read for it, and its stream is its own again."""

    async def law(talk: Talk) -> None:
        await talk.send()
        assert talk.door.response.http_response.elapsed.total_seconds() >= 0

    probe(world, law, answer(b"{}", status=503))


@in_worlds
def test_a_connection_that_was_given_back_is_not_borrowed(world: str) -> None:
    """A response that somebody has read already has none any more, be it a success or not."""

    async def law(talk: Talk) -> None:
        for action in (FIRST, RESTART):
            await talk.send(action)
            assert "read" not in vars(wire)
        assert [await talk.read() for _ in range(2)] == [PING, None]

    wire = Wire()
    extensions = {"network_stream": wire}
    probe(
        world,
        law,
        httpx2.Response(503, content=b"{}", extensions=extensions),
        httpx2.Response(200, content=PING, headers=STREAM, extensions=extensions),
    )


@in_worlds
@pytest.mark.parametrize("label", ["text/html", "application/json", "application/octet-stream", None])
def test_a_success_is_read_whatever_its_label(world: str, label: str | None) -> None:
    """Many gateways label a sound event stream wrongly; the body tells what it is."""

    async def law(talk: Talk) -> None:
        assert await talk.send() == Head(200, "req_1")
        assert [await talk.read() for _ in range(2)] == [PING, None]

    headers = {"request-id": "req_1"} | ({} if label is None else {"content-type": label})
    probe(world, law, answer(PING, headers=headers))


@in_worlds
def test_a_body_that_breaks_is_a_failure_with_its_cause(world: str) -> None:
    """The exception by which a break was noticed hangs on the one that is raised, and on no other."""

    async def law(talk: Talk) -> None:
        await talk.send()
        assert await talk.read() == b"one"
        failure = await talk.read()
        assert (failure.kind, failure.phase, failure.detail) == (Kind.RESET, Phase.BODY, "ReadError")
        assert talk.door.response is None, "the request that it holds may be large"
        error = talk.exchange.error_for(failure)
        assert isinstance(error, anthropic.APIConnectionError)
        assert error.__cause__ is broke
        assert talk.exchange.error_for(failure).__cause__ is None

    broke = httpx2.ReadError("")
    probe(world, law, answer(b"one", broke))


@in_worlds
def test_a_new_answer_forgets_the_last_cause(world: str) -> None:
    """What broke one attempt is not blamed for the next."""

    async def law(talk: Talk) -> None:
        assert isinstance(await talk.send(), Failure)
        await talk.send(RESTART)
        error = talk.exchange.error_for(Failure(Kind.TRUNCATED, Phase.BODY))
        assert error.__cause__ is None

    probe(world, law, httpx2.ConnectError("refused"), answer())


@in_worlds
def test_what_is_no_failure_passes_unchanged(world: str) -> None:
    """An exception of the user's own, in a body or another middleware, is raised as it is."""

    async def law(talk: Talk) -> None:
        await talk.send()
        with pytest.raises(KeyError) as raised:
            await talk.read()
        assert raised.value is own

        def user(request: Any) -> Any:
            raise own

        talk.door._call_next = user
        with pytest.raises(KeyError) as raised:
            await talk.send()
        assert raised.value is own

    own = KeyError("own")
    probe(world, law, answer(own))


@in_worlds
def test_what_a_layer_further_in_gave_up_is_final(world: str) -> None:
    """Its response is a failure by its status, and stays unread."""

    async def law(talk: Talk) -> None:
        failure = await talk.send()
        assert isinstance(failure, Failure)
        assert failure.given_up

    given = answer(b"one")
    given.extensions[GIVEN_UP] = True
    probe(world, law, given)


@in_worlds
def test_what_is_not_open_has_no_chunks(world: str) -> None:
    """Only a body that was begun can be iterated; a driver reads it in other ways then."""

    async def law(talk: Talk) -> None:
        assert talk.exchange.chunks(1.0) is None

    probe(world, law)
