"""The SDK's part of an exchange."""

from __future__ import annotations

from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import APIRequest, not_given
from anthropic._models import FinalRequestOptions

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.states import Send
from resilient_stream._core.plan.planner import Form, Plan
from resilient_stream._core.record.ledger import RECORD_KEY
from resilient_stream._http.exchange import SyncExchange
from resilient_stream._sdk.door import SyncSdkDoor
from resilient_stream._session.layer import Layer
from resilient_stream.policy import RetryPolicy
from resilient_stream.testing import aws_event
from tests.support.exchanges import (
    BODY,
    CONTINUATION,
    FIRST,
    PING,
    POLICY,
    RESTART,
    Over,
    Talk,
    answer,
    in_worlds,
    probe,
)

from .test_bedrock import Decoder


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
def test_an_error_before_any_request_names_its_url(world: str) -> None:
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


def test_a_continuation_differs_by_its_body_alone() -> None:
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


def door(request: APIRequest) -> SyncSdkDoor:
    """A door that never meets a server."""
    call_next: Any = None
    return SyncSdkDoor(call_next, request, RetryPolicy(), not_given)


def bare_request() -> APIRequest:
    """A request without headers of its own."""
    options = FinalRequestOptions.construct(method="post", url="/v1/messages", json_data={"model": "m"})
    return APIRequest(options=options, cast_to=object, stream=True)


def test_a_continuation_of_a_request_without_headers() -> None:
    """Where the user gave no headers there are none to look through."""
    sent = door(bare_request()).derive(Send(Plan(Form.USER_TURN, {"model": "n"}), 2, 1.0, 1.0))
    assert sent.json == {"model": "n"}
    assert sent.retries_taken == 1


def test_a_body_without_an_encoding_is_asked_for() -> None:
    """Whatever encoding the user asked for, in any spelling; the other headers stay."""
    action = Send(Plan(Form.RESTART), 2, 1.0, 1.0, identity=True)
    user, ours = derived(action, extra_headers={"Accept-Encoding": "br", "x-own": "1"})
    names = [name for name in headers_of(ours) if name.lower() == "accept-encoding"]
    assert [headers_of(ours)[name] for name in names] == ["identity"]
    assert headers_of(ours)["x-own"] == "1"
    assert headers_of(user)["Accept-Encoding"] == "br"
    assert headers_of(door(bare_request()).derive(action)) == {"accept-encoding": "identity"}


def test_interrupting_what_does_not_read() -> None:
    """An interruption before any response interrupts nothing."""
    SyncExchange(door(bare_request()), Layer(RetryPolicy()).begin({"model": "m"})).interrupt()
