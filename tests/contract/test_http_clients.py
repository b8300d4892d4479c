"""What clients of httpx and httpx2 have of their own; the promises they share with the SDK are tried through each door."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import httpx2
import pytest

from resilient_stream import report, resilient
from resilient_stream.testing import CATALOGUE, Chain, Gzip, Status, cut_at, sse_events
from tests.support.doors import DOORS, Door, each, entered, told
from tests.support.http_clients import (
    HEADERS,
    HttpWorld,
    asking,
    every_http_world,
    httpx_sync_and_asyncio,
)
from tests.support.loops import LOOPS, on_loop
from tests.support.worlds import HASTY, NERVOUS, TEXT, stand_in

WHOLE = sse_events(TEXT)
BEGUN = WHOLE[:-6]

REDIRECTS = {"r301", "r302", "r303", "r307", "r308"}
"""Which are followed by a client, above its transport, where it is told to; and lead to another path."""


@every_http_world
def test_a_client_is_made_resilient(world: HttpWorld) -> None:
    """The same type comes back, the client stays as it was, and a second time replaces the policy."""
    bare = world.client(None)
    made = resilient(resilient(bare, "batch"), HASTY)
    assert type(made) is type(bare)
    with stand_in(cut_at(1500, "rst")) as server:
        seen = world.stream(server.url, client=made)
    assert (seen.text, seen.kinds) == (TEXT, ["reset", None])
    assert not hasattr(vars(bare)["_transport"], "policy")
    assert vars(made)["_transport"].policy is HASTY
    assert vars(made)["_transport"].wrapped is vars(bare)["_transport"]


@httpx_sync_and_asyncio
@pytest.mark.parametrize("options", [{"timeout": 5.0}, {"timeout": None}])
def test_the_packages_default_timeout_is_no_wish(world: HttpWorld, options: Any) -> None:
    """Neither the default of 5 s nor the absence of any sets a clock: the policy's are obeyed."""
    with stand_in(always=CATALOGUE["stall_mid"].faults[0]) as server:
        seen = world.stream(server.url, client=world.client(NERVOUS.replace(max_attempts=1), **options))
    assert type(seen.error) is world.package.ReadTimeout
    assert seen.kinds == ["silent"]


def chunks() -> Iterator[bytes]:
    """A body that can be read once."""
    yield json.dumps(asking()).encode()


UNPROTECTED: dict[str, tuple[dict[str, Any], str]] = {
    "generator": ({"content": chunks}, "its body can be sent only once"),
    "signed": ({"headers": {**HEADERS, "authorization": "AWS4-HMAC-SHA256 Credential=a"}}, "signed"),
    "compressed": ({"headers": {**HEADERS, "content-encoding": "gzip"}}, "compressed"),
}


@pytest.mark.parametrize("name", UNPROTECTED)
@pytest.mark.parametrize("package", [httpx, httpx2])
def test_what_is_not_protected_says_why(name: str, package: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The call goes through as it is; `report` and one line of the log have the reason."""
    send, reason = UNPROTECTED[name]
    send = {"content": json.dumps(asking()), "headers": HEADERS, **send}
    if callable(send["content"]):
        send["content"] = send["content"]()
    caplog.set_level("DEBUG", "resilient_stream")
    with stand_in() as server, HttpWorld(package).client() as client:
        response = client.post(f"{server.url}/v1/messages", **send)
    with pytest.raises(LookupError, match=reason):
        report(response)
    assert [line for line in caplog.messages if reason in line]


@pytest.mark.parametrize("package", [httpx, httpx2])
def test_everything_else_passes_through(package: Any) -> None:
    """Other paths and methods, and messages without a stream, have no report and no reason."""
    with stand_in() as server, HttpWorld(package).client() as client:
        told = client.post(f"{server.url}/v1/messages", json=asking(stream=False), headers=HEADERS)
        models = client.get(f"{server.url}/v1/models", headers=HEADERS)
    assert (told.status_code, told.json()["content"][0]["text"]) == (200, TEXT)
    assert models.status_code == 200
    for response in (told, models):
        with pytest.raises(LookupError, match="no report on this Response"):
            report(response)


class Token(httpx.Auth):
    """A token that the server stops taking, and how to get the next."""

    def __init__(self) -> None:
        self.token = 0

    def auth_flow(self, request: Any) -> Any:
        """Send with the token; after a 401 with the next."""
        request.headers["authorization"] = f"Bearer {self.token}"
        response = yield request
        if response.status_code == 401:
            self.token += 1
            request.headers["authorization"] = f"Bearer {self.token}"
            yield request


@httpx_sync_and_asyncio
def test_a_refused_continuation_is_authenticated_again(world: HttpWorld) -> None:
    """Once, as a first request would; the stream goes on with the new token."""
    auth = Token()
    with stand_in(cut_at(1500, "rst"), Status(401, message="expired")) as server:
        made = resilient(world.client(None, auth=auth), HASTY)
        seen = world.stream(server.url, client=made)
        tokens = [request.headers["authorization"] for request in server.requests]
    assert (seen.text, seen.error) == (TEXT, None)
    assert tokens == ["Bearer 0", "Bearer 0", "Bearer 1"]


@httpx_sync_and_asyncio
def test_a_continuation_is_redirected_to_no_other_host(world: HttpWorld) -> None:
    """Neither the partial answer nor the key goes there: the stream ends with what ended it first."""
    moved = httpx.Response(307, headers={"location": "http://elsewhere.test/v1/messages"})
    asked: list[str] = []

    def answer(request: Any) -> Any:
        asked.append(request.url.host)
        if len(asked) == 1:
            return world.package.Response(
                200, headers={"content-type": "text/event-stream"}, content=b"".join(BEGUN)
            )
        return world.package.Response(307, headers=moved.headers)

    seen = world.stream("http://api.test", client=_mocked(world, answer))
    assert set(asked) == {"api.test"}
    assert type(seen.error) is world.package.RemoteProtocolError
    assert seen.kinds[:2] == ["truncated", "rejected"]


@httpx_sync_and_asyncio
def test_a_redirect_on_the_same_host_is_followed(world: HttpWorld) -> None:
    """By a later attempt as well, which its client never sees."""
    asked: list[str] = []

    def answer(request: Any) -> Any:
        asked.append(request.url.path)
        if len(asked) == 2:
            return world.package.Response(307, headers={"location": "/other/v1/messages"})
        content = b"".join(BEGUN if len(asked) == 1 else WHOLE)
        return world.package.Response(200, headers={"content-type": "text/event-stream"}, content=content)

    seen = world.stream("http://api.test", client=_mocked(world, answer))
    assert asked == ["/v1/messages", "/v1/messages", "/other/v1/messages"]
    assert (seen.whole, seen.error) == (True, None)


def _mocked(world: HttpWorld, answer: Any) -> Any:
    below = world.package.MockTransport(answer)
    return resilient(world.client(None, transport=below, follow_redirects=True), HASTY)


@httpx_sync_and_asyncio
@pytest.mark.parametrize("name", sorted(REDIRECTS))
def test_a_redirect_before_the_head_is_the_clients(world: HttpWorld, name: str) -> None:
    """It sees what it would see without us, and follows as it would."""
    with stand_in(*CATALOGUE[name].faults) as server:
        bare = world.stream(server.url, client=world.client(None, follow_redirects=True))
    with stand_in(*CATALOGUE[name].faults) as server:
        seen = world.stream(server.url, client=world.client(follow_redirects=True))
    assert (seen.status, seen.raw) == (bare.status, bare.raw)


def test_an_event_hook_may_read_the_response() -> None:
    """What a hook has read is whole."""
    texts: list[str] = []

    def hook(response: Any) -> None:
        texts.append(response.read().decode())

    with stand_in(cut_at(2000)) as server:
        client = HttpWorld(httpx).client(event_hooks={"response": [hook]})
        with client:
            response = client.post(f"{server.url}/v1/messages", json=asking(), headers=HEADERS)
    assert texts == [response.text]
    assert "message_stop" in response.text


def test_a_wsgi_application_is_an_upstream_like_any_other() -> None:
    """In the same process."""
    calls: list[int] = []

    def application(environ: Any, start: Any) -> Any:
        calls.append(1)
        start("200 OK", [("content-type", "text/event-stream")])
        return [b"".join(BEGUN if len(calls) == 1 else WHOLE)]

    client = httpx.Client(transport=httpx.WSGITransport(app=application))
    seen = HttpWorld(httpx).stream("http://app.test", client=resilient(client, HASTY))
    assert (seen.whole, seen.kinds) == (True, ["truncated", None])


http_doors = pytest.mark.parametrize(
    "door", [door for door in DOORS if door.package != "sdk"], ids=lambda door: door.name
)


@http_doors
def test_a_signed_stream_is_the_upstreams(door: Door) -> None:
    """AWS signs the body, which nobody else can change: a cut stays one, no other request is sent, and the report
    has the reason."""

    async def law() -> bytes:
        raw = b""
        signed = {"authorization": "AWS4-HMAC-SHA256 Credential=a"}
        async with entered(door.client(server.url)) as client:
            made = client.stream("POST", "/v1/messages", json=asking(), headers=signed)
            with pytest.raises(door.http.RemoteProtocolError) as caught:
                async with entered(made) as response:
                    async for chunk in door.pieces(response):
                        raw += chunk
            with pytest.raises(LookupError, match="signed"):
                report(caught.value)
        return raw

    with stand_in(cut_at(1500)) as server:
        raw = door.run(law)
        assert len(server.requests) == 1
    assert 0 < len(raw) < 2000


@http_doors
def test_a_challenge_is_answered_by_the_clients_digest(door: Door) -> None:
    """The first by the client; that of a continuation, whose nonce is new, through the client's own authentication."""

    def challenge(nonce: str) -> Status:
        told = f'Digest realm="r", nonce="{nonce}", qop="auth", algorithm=MD5'
        return Status(401, headers=(("www-authenticate", told),))

    with stand_in(challenge("one"), cut_at(1500, "rst"), challenge("two")) as server:
        seen = door.stream(server.url, client={"auth": door.http.DigestAuth("me", "secret")})
        answers = [request.headers.get("authorization", "") for request in server.requests]
    assert (seen.ending, seen.text) == ("whole", TEXT)
    assert [re.findall('nonce="(.*?)"', answer)[:1] for answer in answers] == [[], ["one"], ["one"], ["two"]]


@http_doors
@pytest.mark.parametrize("how", ["proxy", "mounts"])
def test_a_continuation_takes_the_clients_way(door: Door, how: str) -> None:
    """Its proxy, or the transport that it has mounted for the host."""
    with stand_in(cut_at(1500, "rst"), prefix="http://api.test") as server:
        proxy = f"http://127.0.0.1:{server.port}"
        mounted = door.http.AsyncHTTPTransport if door.loop else door.http.HTTPTransport
        options = (
            {"proxy": proxy} if how == "proxy" else {"mounts": {"http://api.test": mounted(proxy=proxy)}}
        )
        seen = door.stream("http://api.test", client=options)
        assert len(server.requests) == 2
    assert (seen.ending, seen.text, seen.kinds) == ("whole", TEXT, ["reset", None])


@http_doors
def test_what_a_client_adds_is_in_a_continuation(door: Door) -> None:
    """Its cookies, and what its hooks have written; the hooks see one request and one response."""
    seen: list[str] = []

    def request(sent: Any) -> None:
        sent.headers["x-hook"] = "was here"
        seen.append("request")

    def response(got: Any) -> None:
        seen.append("response")

    async def later(hook: Any, about: Any) -> None:
        hook(about)

    hooks = [[partial(later, hook) if door.loop else hook] for hook in (request, response)]
    options = {
        "cookies": {"a": "1"},
        "event_hooks": dict(zip(("request", "response"), hooks, strict=True)),
    }
    with stand_in(cut_at(1500, "rst")) as server:
        assert door.stream(server.url, client=options).text == TEXT
        added = [(sent.headers["cookie"], sent.headers["x-hook"]) for sent in server.requests]
    assert added == [("a=1", "was here")] * 2
    assert seen == ["request", "response"]


@http_doors
def test_an_encoded_body_that_is_spliced_says_so_no_more(door: Door) -> None:
    """Neither its encoding nor its length is told, and its bytes are those of the text."""
    with stand_in(Chain((Gzip(), cut_at(700, "rst"))), Gzip()) as server:
        seen = door.stream(server.url)
    assert (seen.ending, seen.text, seen.kinds[-1]) == ("whole", TEXT, None)
    assert not {"content-encoding", "content-length"} & set(seen.headers)


@http_doors
@pytest.mark.parametrize("read", ["aread", "aiter_text", "aiter_lines", "aiter_raw", "aiter_bytes"])
def test_every_way_to_read(door: Door, read: str) -> None:
    """Each gives the whole answer, after a cut; sync clients have theirs."""
    name = read if door.loop else read.removeprefix("a")

    async def law(url: str) -> str:
        async with entered(door.client(url)) as client:
            response = await door.open(client)
            got = getattr(response, name)()
            parts = [await told(got)] if name.endswith("read") else [part async for part in each(got)]
            await told(door.left(response))
        return "".join(part.decode() if isinstance(part, bytes) else part for part in parts)

    with stand_in(cut_at(2000)) as server:
        assert door.run(lambda: law(server.url)).count("message_stop") == 2  # the event's name and its type


@pytest.mark.parametrize("package", [httpx, httpx2])
@pytest.mark.parametrize("loop", LOOPS)
def test_an_asgi_application_is_an_upstream_like_any_other(package: Any, loop: str) -> None:
    """In the same process, on every event loop."""
    calls: list[int] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        calls.append(1)
        head = {"status": 200, "headers": [(b"content-type", b"text/event-stream")]}
        await send({"type": "http.response.start", **head})
        await send({"type": "http.response.body", "body": b"".join(BEGUN if len(calls) == 1 else WHOLE)})

    async def law() -> str:
        below = package.ASGITransport(app=application)
        async with resilient(package.AsyncClient(transport=below), HASTY) as client:
            return str((await client.post("http://app.test/v1/messages", json=asking())).text)

    assert on_loop(loop, law).count("message_stop") == 2
    assert len(calls) == 2
