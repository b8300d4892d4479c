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
from tests.support.doors import DOORS, HEADERS, HTTP, Door, asking, each, entered, told
from tests.support.loops import LOOPS, on_loop
from tests.support.worlds import HASTY, TEXT, stand_in

WHOLE = sse_events(TEXT)
BEGUN = WHOLE[:-6]

REDIRECTS = {"r301", "r302", "r303", "r307", "r308"}
"""Which are followed by a client, above its transport, where it is told to; and lead to another path."""

http_doors = pytest.mark.parametrize(
    "door", [door for door in DOORS if door.package != "sdk"], ids=lambda door: door.name
)
sync_doors = pytest.mark.parametrize("door", [Door(package) for package in HTTP], ids=lambda door: door.name)


def chunks() -> Iterator[bytes]:
    """A body that can be read once."""
    yield json.dumps(asking()).encode()


UNPROTECTED: dict[str, tuple[dict[str, Any], str]] = {
    "generator": ({"content": chunks}, "its body can be sent only once"),
    "signed": ({"headers": {**HEADERS, "authorization": "AWS4-HMAC-SHA256 Credential=a"}}, "signed"),
    "compressed": ({"headers": {**HEADERS, "content-encoding": "gzip"}}, "compressed"),
}


@sync_doors
@pytest.mark.parametrize("name", UNPROTECTED)
def test_what_is_not_protected_says_why(name: str, door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """The call goes through as it is; `report` and one line of the log have the reason."""
    send, reason = UNPROTECTED[name]
    send = {"content": json.dumps(asking()), **send}
    if callable(send["content"]):
        send["content"] = send["content"]()
    caplog.set_level("DEBUG", "resilient_stream")
    with stand_in() as server, door.client(server.url) as client:
        response = client.post("/v1/messages", **send)
    with pytest.raises(LookupError, match=reason):
        report(response)
    assert [line for line in caplog.messages if reason in line]


@http_doors
def test_a_continuation_is_redirected_to_no_other_host(door: Door) -> None:
    """Neither the partial answer nor the key goes there: the stream ends with what ended it first."""
    hosts: list[str] = []

    def answer(request: Any) -> Any:
        hosts.append(request.url.host)
        if len(hosts) == 1:
            headers = {"content-type": "text/event-stream"}
            return door.http.Response(200, headers=headers, content=b"".join(BEGUN))
        return door.http.Response(307, headers={"location": "http://elsewhere.test/v1/messages"})

    seen = door.stream("http://api.test", client={"transport": door.http.MockTransport(answer)})
    assert set(hosts) == {"api.test"}
    assert type(seen.error) is door.http.RemoteProtocolError
    assert seen.kinds[:2] == ["truncated", "rejected"]


@http_doors
@pytest.mark.parametrize("name", sorted(REDIRECTS))
def test_a_redirect_before_the_head_is_the_clients(door: Door, name: str) -> None:
    """It sees what it would see without us, and follows as it would."""
    with stand_in(*CATALOGUE[name].faults) as server:
        bare = door.stream(server.url, None)
    with stand_in(*CATALOGUE[name].faults) as server:
        seen = door.stream(server.url)
    assert (seen.status, seen.raw) == (bare.status, bare.raw)


@sync_doors
def test_an_event_hook_may_read_the_response(door: Door) -> None:
    """What a hook has read is whole."""
    texts: list[str] = []

    def hook(response: Any) -> None:
        texts.append(response.read().decode())

    with stand_in(cut_at(2000)) as server:
        seen = door.stream(server.url, client={"event_hooks": {"response": [hook]}})
    assert texts == [seen.raw.decode()]
    assert (seen.text, seen.kinds) == (TEXT, ["closed", None])


@sync_doors
def test_a_wsgi_application_is_an_upstream_like_any_other(door: Door) -> None:
    """In the same process."""
    calls: list[int] = []

    def application(environ: Any, start: Any) -> Any:
        calls.append(1)
        start("200 OK", [("content-type", "text/event-stream")])
        return [b"".join(BEGUN if len(calls) == 1 else WHOLE)]

    seen = door.stream("http://app.test", client={"transport": door.http.WSGITransport(app=application)})
    assert (seen.ending, seen.kinds) == ("whole", ["truncated", None])


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
