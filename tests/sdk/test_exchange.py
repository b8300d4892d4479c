"""The SDK's side of a stream: requests derived, responses and exceptions judged."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import anthropic
import anyio
import anyio.lowlevel
import httpcore2
import httpx2
import pytest
from anthropic import APIRequest, not_given

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.states import Send
from resilient_stream._core.plan.planner import Form, Plan
from resilient_stream._core.record.ledger import RECORD_KEY
from resilient_stream._driver.runtime import Runtime
from resilient_stream._driver.upstream import Head
from resilient_stream._http import exchange as _exchange
from resilient_stream._http.exchange import ERROR_BODY_PATIENCE, AsyncExchange, SyncExchange
from resilient_stream._sdk.door import AsyncSdkDoor, SyncSdkDoor
from resilient_stream._session.context import StreamContext
from resilient_stream._session.layer import Layer
from resilient_stream.policy import RetryPolicy
from resilient_stream.testing import aws_event, sse_event
from tests.support.stages import ASYNC, SYNC, Clock, run

from .test_bedrock import Decoder

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

    def __init__(self, law: Callable[[Talk], Coroutine[Any, Any, None]], seen: list[httpx2.Request]) -> None:
        self.law, self.seen = law, seen

    def _talk(self, kind: Any, request: APIRequest, call_next: Any) -> Talk:
        context = context_of(Runtime(wall=lambda: NOW))
        door = DOORS[kind](call_next, request, POLICY, not_given)
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


def context_of(runtime: Runtime) -> StreamContext:
    """The context of a stream."""
    return Layer(POLICY, runtime).begin(BODY)


def probe(world: str, law: Callable[[Talk], Coroutine[Any, Any, None]], *answers: Any) -> None:
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
        "middleware": [Probe(law, seen)],
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
        whole_sync() if world == "sync" else anyio.run(whole, backend=world)
    assert not left, "not all was asked for"


in_worlds = pytest.mark.parametrize("world", [*SYNC, *ASYNC])


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
def test_the_record_hangs_on_every_request_and_the_first_is_told_of(world: str) -> None:
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
def test_an_error_response_whose_body_breaks_is_judged_by_its_status(
    world: str, breaks: Exception | bytes
) -> None:
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
def test_an_error_page_may_not_keep_us_waiting(world: str) -> None:
    """The body of an error is read with a patience of its own, and the wire is given back."""

    async def law(talk: Talk) -> None:
        await talk.send()
        assert talk.seen[0].extensions["timeout"]["read"] == ERROR_BODY_PATIENCE
        assert "read" not in vars(wire)

    wire = Wire()
    probe(world, law, answer(b"<html>", status=502, headers={}, wire=wire))


@in_worlds
def test_an_error_page_has_its_time_in_all(world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that comes in drops is given up when its time is over, however soon each drop comes."""
    clock, drops = Clock(), list[bytes]()
    monkeypatch.setattr(_exchange, "ERROR_BODY_PATIENCE", 0.1)  # older anyio has no virtual clock for trio

    class Drops(Body):
        def __iter__(self) -> Iterator[bytes]:
            for _ in range(100):
                clock.now += 0.03
                drops.append(b" ")
                yield drops[-1]

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for _ in range(100):
                await anyio.sleep(0.03)
                drops.append(b" ")
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
def test_an_error_page_that_breaks_by_somebodys_own_fault_is_no_failure(world: str) -> None:
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
def test_a_success_that_is_no_event_stream_is_refused(world: str) -> None:
    """A captive portal's page never reaches the SDK's parser."""

    async def law(talk: Talk) -> None:
        failure = await talk.send()
        assert (failure.kind, failure.status) == (Kind.PROTOCOL, 200)
        assert body_of(given).closed == 1
        assert type(talk.exchange.error_for(failure)) is anthropic.APIConnectionError

    given = answer(b"<html>", headers={"content-type": "text/html"})
    probe(world, law, given)


@in_worlds
def test_another_framing_is_read_by_the_clients_own_decoder(
    world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages of AWS's event stream come as the server-sent events that they carry."""

    async def law(talk: Talk) -> None:
        await talk.send()
        assert [await talk.read() for _ in range(2)] == [PING, None]

    for client in (anthropic.Anthropic, anthropic.AsyncAnthropic):
        monkeypatch.setattr(client, "_make_sse_decoder", lambda self: Decoder())
    probe(world, law, answer(aws_event(PING), headers={"content-type": "application/vnd.amazon.eventstream"}))


@in_worlds
def test_a_connection_that_fails_is_raised_as_the_sdk_did(world: str) -> None:
    """What the SDK raised before the head is the exception that giving up raises."""

    async def law(talk: Talk) -> None:
        for cause, kind, wanted in (
            (refused, Kind.CONNECT, anthropic.APIConnectionError),
            (silent, Kind.SILENT, anthropic.APITimeoutError),
        ):
            failure = await talk.send()
            assert failure.kind is kind
            error = talk.exchange.error_for(failure)
            assert type(error) is wanted
            assert error.__cause__ is cause
            assert error.request.extensions[RECORD_KEY] is talk.context.record

    refused, silent = httpx2.ConnectError("refused"), httpx2.ReadTimeout("")
    probe(world, law, refused, silent)


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
def test_before_any_request_an_error_still_names_where_it_would_have_gone(world: str) -> None:
    """A failure that precedes the httpx request has one made up for it."""

    async def law(talk: Talk) -> None:
        error = talk.exchange.error_for(Failure(Kind.CANCELLED, Phase.BODY))
        assert (error.request.method, error.request.url.path) == ("POST", "/v1/messages")

    probe(world, law)


# -- requests --------------------------------------------------------------------------------------


def derived(action: Send, client_timeout: Any = not_given, **options: Any) -> tuple[APIRequest, APIRequest]:
    """The user's request and what is made of it."""
    made: list[tuple[APIRequest, APIRequest]] = []

    class Look(anthropic.Middleware):
        def handle(self, request: Any, call_next: Any) -> Any:
            door = SyncSdkDoor(call_next, request, POLICY, client_timeout)
            made.append((request, door.derive(action)))
            raise Over

    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(500)))
    with (
        anthropic.Anthropic(api_key="k", middleware=[Look()], http_client=http) as client,
        pytest.raises(Over),
    ):
        client.messages.create(
            model="m", max_tokens=99, messages=[{"role": "user", "content": "Tides?"}], stream=True, **options
        )
    return made[0]


def whole_body(request: APIRequest) -> dict[str, Any]:
    """A request's JSON, with what ``extra_body`` adds; some versions of the SDK add it earlier."""
    json_data: Any = request.json
    return {**json_data, **(request.options.extra_json or {})}


def headers_of(request: APIRequest) -> dict[str, Any]:
    """The headers that were given with the call."""
    given: Any = request.options.headers
    return dict(given)


def test_the_first_request_is_the_users_own() -> None:
    """Where no timeout can be seen the very request goes on, not a copy."""
    user, ours = derived(FIRST)
    assert ours is user


def test_a_repeated_request_says_the_same() -> None:
    """A restart differs in nothing but the count of retries that the SDK tells the API."""
    user, ours = derived(
        RESTART, extra_body={"top_k": 5}, extra_headers={"Idempotency-Key": "i", "x-own": "1"}
    )
    assert ours is not user
    assert whole_body(ours) == whole_body(user)
    assert ours.options.headers == user.options.headers
    assert ours.retries_taken == 1


def test_a_continuation_has_another_body_and_nothing_else_of_its_own() -> None:
    """Everything of the user's request but its body stays, except the key that was for that body."""
    headers = {"Idempotency-Key": "i", "x-own": "1"}
    user, ours = derived(
        CONTINUATION, extra_body={"top_k": 5}, extra_headers=headers, extra_query={"beta": "true"}
    )
    assert whole_body(ours) == BODY
    names = {name.lower() for name in headers_of(ours)}
    assert "x-own" in names
    assert "idempotency-key" not in names
    assert ours.options.params == user.options.params
    assert (ours.url, ours.method) == (user.url, user.method)
    assert (ours.cast_to, ours.stream, ours.stream_cls) == (user.cast_to, True, user.stream_cls)
    assert ours.retries_taken == 2


def test_the_users_request_is_not_changed() -> None:
    """What other middleware, and the SDK's own loop, hold of the request stays as it was."""
    headers = {"Idempotency-Key": "i"}
    user, ours = derived(CONTINUATION, httpx2.Timeout(600.0), extra_headers=headers, extra_body={"top_k": 5})
    assert ours.options is not user.options
    assert headers_of(user)["Idempotency-Key"] == "i"
    assert (whole_body(user)["top_k"], whole_body(user)["max_tokens"]) == (5, 99)
    assert isinstance(user.timeout, type(not_given))


@pytest.mark.parametrize(
    ("client", "call", "connect", "read", "rest"),
    [
        (600.0, None, 5.0, 300.0, 600.0),
        (2.0, None, 2.0, 2.0, 2.0),
        (httpx2.Timeout(600.0, connect=1.0), None, 1.0, 300.0, 600.0),
        (httpx2.Timeout(600.0, read=None, connect=None), None, 5.0, 300.0, 600.0),
        (httpx2.Timeout(None), None, 5.0, 300.0, None),
        (None, None, 5.0, 300.0, None),
        (600.0, 7.0, 5.0, 7.0, 7.0),
        (2.0, 60.0, 5.0, 60.0, 60.0),
        (not_given, 60.0, 5.0, 60.0, 60.0),
    ],
)
def test_the_shorter_timeout_wins(
    client: Any, call: Any, connect: float, read: float, rest: float | None
) -> None:
    """Of the user's timeouts, the call's before the client's, and the policy's, the shorter is sent."""
    _, ours = derived(FIRST, client, **({} if call is None else {"timeout": call}))
    assert ours.timeout == httpx2.Timeout(connect=connect, read=read, write=rest, pool=rest)


def test_no_timeout_with_the_call_leaves_the_policys() -> None:
    """``timeout=None`` means no limit of the user's, so the policy's hold."""
    _, ours = derived(FIRST, 2.0, timeout=None)
    assert ours.timeout == httpx2.Timeout(connect=5.0, read=300.0, write=None, pool=None)
