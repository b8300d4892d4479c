"""A gateway keeps the promises for programs that know nothing of it but its address."""

from __future__ import annotations

import gzip
import json
import threading
import time
from contextlib import closing
from typing import Any

import anthropic
import httpx2
import pytest

from resilient_stream.asgi import Gateway, Limits
from resilient_stream.testing import (
    CATALOGUE,
    ErrorEvent,
    Stall,
    StandIn,
    Status,
    cut_at,
    refusing,
)
from tests.support.doors import Door, asking, events_of
from tests.support.gateways import Served, body_of, everything, gateway, post, served, until
from tests.support.worlds import CUT_HISTORY, HASTY, NERVOUS, TEXT, Seen, World, stand_in, sync_and_asyncio

from .test_catalogue import FAILED, PASSED, SILENCES, WAITING

BARE = Door("httpx2")
"""httpx2, sync, without the library."""

NONE = {"running": 0, "completed": 0, "retried": 0, "resumed": 0, "lost": 0, "left": 0}

REDIRECTS = {"r301", "r302", "r303", "r307", "r308"}


def told(url: str) -> dict[str, Any]:
    """What a gateway tells of its streams."""
    told: dict[str, Any] = httpx2.get(f"{url}/resilient/streams").json()
    return told


def text_of(body: bytes) -> str:
    """The text of a stream."""
    deltas = [event["delta"] for event in events_of(body) if event["type"] == "content_block_delta"]
    return "".join(delta.get("text", "") for delta in deltas)


@pytest.mark.parametrize("name", [name for name in PASSED if name not in {*WAITING, *REDIRECTS}])
def test_what_is_no_fault_passes(name: str) -> None:
    """What is no fault is served by one request, and comes out whole."""
    with (
        stand_in(*CATALOGUE[name].faults) as api,
        gateway(api.url, NERVOUS if name in SILENCES else HASTY) as door,
    ):
        seen = BARE.stream(door.url, None)
        assert (seen.error, seen.text, seen.ending, seen.status) == (None, TEXT, "whole", 200)
        assert len(api.requests) == 1
        assert told(door.url)["counts"]["completed"] == 1


@pytest.mark.parametrize("name", [name for name in FAILED if name not in {*WAITING, "keepalive_race"}])
def test_faults_do_not_show(name: str) -> None:
    """Whatever breaks the first attempt, a client that knows nothing of it gets the whole answer."""
    with (
        stand_in(*CATALOGUE[name].faults) as api,
        gateway(api.url, NERVOUS if name in SILENCES else HASTY) as door,
    ):
        seen = BARE.stream(door.url, None)
        assert (seen.error, seen.text, seen.ending, seen.status) == (None, TEXT, "whole", 200)
        counts = told(door.url)["counts"]
        assert counts["resumed"] + counts["retried"] == 1


@sync_and_asyncio
def test_the_bare_sdk_gets_its_stream(world: World) -> None:
    """The SDK reads a stream that was cut twice as if nothing had happened."""
    with stand_in(cut_at(700, "rst"), cut_at(900, "fin")) as api, gateway(api.url, HASTY) as door:
        seen: Seen = world.stream(door.url, None, client={"max_retries": 0})
        assert (seen.error, seen.text) == (None, TEXT)
        assert seen.message.stop_reason == "end_turn"
        assert len(api.requests) == 3


def test_a_sound_stream_passes_byte_for_byte() -> None:
    """While nothing fails, the body is the upstream's, and so are the headers but those of one connection."""
    with stand_in() as api, gateway(api.url) as door:
        ours, theirs = (
            httpx2.post(f"{url}/v1/messages?beta=true", json=asking(), headers={"x-api-key": "key"})
            for url in (door.url, api.url)
        )
        number = b"%014d"
        assert ours.content.replace(number % 1, b"") == theirs.content.replace(number % 2, b"")
        assert ours.headers["content-type"] == theirs.headers["content-type"]
        assert ours.headers["request-id"] == "req_0001"
        assert ours.headers["resilient-stream-id"].startswith("rs_")
        assert api.requests[0].path == "/v1/messages?beta=true"


def test_a_request_reaches_the_upstream_as_it_was_sent() -> None:
    """Body, query and headers, known or not; but not the gateway's own, nor those of the connection."""
    content = b'{ "model":"claude-sonnet-5",\n"stream" : true, "max_tokens":9, "a_new_field":[1.0],"messages":[{"role":"user","content":"\\u00e9"}]}'
    headers = {
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "one-2026-01-01,two-2026-02-02",
        "anthropic-new-thing": "1",
        "x-stainless-retry-count": "0",
        "resilient-report": "1",
        "te": "trailers",
    }
    with StandIn(strict=False) as api, gateway(api.url) as door:
        door.speak(post(content, headers=headers))
        (request,) = api.requests
        assert request.body == content
        sent = {
            name: value for name, value in request.headers.items() if name.startswith(("anthropic-", "x-"))
        }
        kept = {name: headers[name] for name in headers if name.startswith(("anthropic-", "x-"))}
        assert sent == {**kept, "x-api-key": "key"}
        assert {"resilient-report", "te", "connection"}.isdisjoint(request.headers)
        assert request.headers["host"] == f"127.0.0.1:{api.port}"
        assert request.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PUT", "POST"])
def test_other_calls_pass(method: str) -> None:
    """Whatever is asked, by whatever method, the answer is the upstream's."""
    with stand_in() as api, gateway(api.url) as door:
        headers = {"x-api-key": "key", "accept-encoding": "gzip"}
        ours, theirs = (
            httpx2.request(method, f"{url}/v1/models/claude-opus-5?a=%2F&b", headers=headers)
            for url in (door.url, api.url)
        )
        assert (ours.status_code, ours.content) == (
            theirs.status_code,
            theirs.content.replace(b"req_0002", b"req_0001"),
        )
        assert [one.path for one in api.requests] == ["/v1/models/claude-opus-5?a=%2F&b"] * 2
        assert [one.method for one in api.requests] == [method] * 2


def test_paths_keep_their_spelling() -> None:
    """A path is not decoded, normalised or redirected on its way."""
    target = "/v1/files/a%2fb//c/../d%20e/?x=%41&y="
    with stand_in() as api, gateway(f"{api.url}") as door:
        door.speak(f"GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
        assert [one.path for one in api.requests] == [target]


def test_an_upstream_may_have_a_path() -> None:
    """The gateway's paths are below that of the upstream."""
    with StandIn(prefix="/proxy/anthropic", reply=TEXT) as api, gateway(f"{api.url}/", HASTY) as door:
        assert BARE.stream(door.url, None).text == TEXT
        assert api.requests[0].path == "/proxy/anthropic/v1/messages"


def test_a_message_that_is_no_stream_passes() -> None:
    """It is sent once, and its failure is the client's to retry."""
    with stand_in(None, Status(529)) as api, gateway(api.url, HASTY) as door:
        first, second = (
            httpx2.post(f"{door.url}/v1/messages", json=asking(stream=False), headers={"x-api-key": "k"})
            for _ in range(2)
        )
        assert first.json()["content"][0]["text"] == TEXT
        assert second.status_code == 529
        assert "x-should-retry" not in second.headers
        assert len(api.requests) == 2


def test_uploads_flow() -> None:
    """A body that comes in pieces goes on in pieces, whole."""
    pieces = [b"a" * 70_000, b"b", b"c" * 200_000]
    with stand_in() as api, gateway(api.url) as door:
        httpx2.post(f"{door.url}/v1/files", content=iter(pieces), headers={"x-api-key": "key"})
        (request,) = api.requests
        assert request.body == b"".join(pieces)


def test_a_history_is_healed() -> None:
    """What a cut has left in a history does not make the API refuse the next request, streamed or counted."""
    with stand_in() as api, gateway(api.url, HASTY) as door:
        ask = asking(messages=CUT_HISTORY)
        for path in ("messages", "messages/count_tokens"):
            answer = httpx2.post(f"{door.url}/v1/{path}", json=ask, headers={"x-api-key": "key"})
            assert answer.status_code == 200
        assert [one.rule for one in api.requests] == [None, None]


# -- failures ------------------------------------------------------------------------------------


def test_the_api_has_the_last_word_before_the_head() -> None:
    """Its own last response comes back, told not to be asked for again, so that no SDK multiplies the attempts."""
    with StandIn(always=Status(529)) as api, gateway(api.url, HASTY.replace(max_attempts=3)) as door:
        client = anthropic.Anthropic(base_url=door.url, api_key="key", max_retries=2)
        with client, pytest.raises(anthropic.APIStatusError) as raised:
            client.messages.create(**asking())
        assert raised.value.status_code == 529
        assert raised.value.response.headers["x-should-retry"] == "false"
        assert raised.value.response.headers["request-id"] == "req_0003"
        assert raised.value.request_id == "req_0003"
        assert len(api.requests) == 3


def test_a_refusal_is_the_apis_word_for_word() -> None:
    """What the API refuses at once comes back as it was said, byte for byte."""
    with stand_in() as api, gateway(api.url) as door:
        answers = [
            httpx2.post(f"{url}/v1/messages", json=asking(max_tokens=-1), headers={"x-api-key": "key"})
            for url in (door.url, api.url)
        ]
        ours, theirs = answers
        assert ours.status_code == 400
        assert ours.content == theirs.content.replace(b"req_0002", b"req_0001")
        assert len(api.requests) == 2


@pytest.mark.parametrize("name", ["gzip", "plain"])
def test_error_pages_keep_their_encoding(name: str) -> None:
    """A page that came compressed goes on compressed."""
    page = json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}).encode()

    def answer(request: httpx2.Request) -> httpx2.Response:
        packed, headers = (gzip.compress(page), {"content-encoding": name}) if name == "gzip" else (page, {})
        return httpx2.Response(400, stream=httpx2.ByteStream(packed), headers=headers)

    with gateway("http://api.test", HASTY, transport=httpx2.MockTransport(answer)) as door:
        got = httpx2.post(f"{door.url}/v1/messages", json=asking())
        assert (got.status_code, got.content) == (400, page)


def test_without_any_response_the_gateway_answers() -> None:
    """502 for an upstream that is not there, in the API's shape."""
    with refusing() as url, gateway(url, HASTY.replace(max_attempts=2)) as door:
        got = httpx2.post(f"{door.url}/v1/messages", json=asking())
        assert (got.status_code, got.headers["x-should-retry"]) == (502, "false")
        error = got.json()["error"]
        assert error["type"] == "api_error"
        assert "gave up after 2 attempts" in error["message"]
        assert "docs/failures.md#" in error["message"]
        assert "resilient_stream." not in error["message"]


def test_silence_before_the_head_is_a_timeout() -> None:
    """504 for an upstream that says nothing, in the API's shape."""
    policy = HASTY.replace(max_attempts=1, first_event_timeout=0.2)
    with StandIn(always=CATALOGUE["no_headers"].fault) as api, gateway(api.url, policy) as door:
        got = httpx2.post(f"{door.url}/v1/messages", json=asking())
        assert (got.status_code, got.json()["error"]["type"]) == (504, "timeout_error")


def test_an_unprotected_call_without_upstream() -> None:
    """502, which the client may retry."""
    with refusing() as url, gateway(url) as door:
        got = httpx2.get(f"{door.url}/v1/models")
        assert (got.status_code, got.json()["error"]["type"]) == (502, "api_error")
        assert "x-should-retry" not in got.headers


def test_a_lost_stream_ends_uncleanly() -> None:
    """An error event says why, in the API's shape, and no last chunk follows."""
    with (
        StandIn(reply=TEXT, always=cut_at(900, "rst")) as api,
        gateway(api.url, HASTY.replace(max_attempts=1)) as door,
    ):
        body, ended = body_of(door.speak(post()))
        error = events_of(body)[-1]
        assert (error["type"], error["error"]["type"]) == ("error", "api_error")
        assert "gave up after 1 attempt" in error["error"]["message"]
        assert "characters of text were received" in error["error"]["message"]
        assert not ended
        assert told(door.url)["counts"]["lost"] == 1


def test_the_apis_error_event_is_handed_on_as_it_came() -> None:
    """Its bytes are the API's."""
    fault = ErrorEvent("overloaded_error", after=6)
    policy = HASTY.replace(max_attempts=1)
    with StandIn(reply=TEXT, always=fault) as api, gateway(api.url, policy) as door:
        body, ended = body_of(door.speak(post()))
        bare = httpx2.post(f"{api.url}/v1/messages", json=asking(), headers={"x-api-key": "key"}).content
        assert body.rpartition(b"event: error")[2] == bare.rpartition(b"event: error")[2].replace(
            b"req_0002", b"req_0001"
        )
        assert not ended


def test_http_1_0_is_told_by_the_event_alone() -> None:
    """Its bodies end with their connection, so the error event is all that can tell."""
    with (
        StandIn(reply=TEXT, always=cut_at(900, "rst")) as api,
        gateway(api.url, HASTY.replace(max_attempts=1)) as door,
    ):
        got = door.speak(post(version="1.0"))
        assert b"transfer-encoding" not in got
        assert events_of(got.partition(b"\r\n\r\n")[2])[-1]["type"] == "error"


def test_http_1_0_gets_whole_streams() -> None:
    """Without chunks."""
    with stand_in(cut_at(900, "rst")) as api, gateway(api.url, HASTY) as door:
        got = door.speak(post(version="1.0"))
        assert b"transfer-encoding" not in got
        assert text_of(got.partition(b"\r\n\r\n")[2]) == TEXT


def test_a_broken_response_of_an_unprotected_call_breaks() -> None:
    """Half an answer does not look like a whole one."""
    with (
        stand_in(cut_at(300, "fin")) as api,
        gateway(api.url) as door,
        pytest.raises(httpx2.RemoteProtocolError),
    ):
        httpx2.post(f"{door.url}/v1/messages", json=asking(stream=False), headers={"x-api-key": "k"})


@pytest.mark.parametrize("name", sorted(REDIRECTS))
def test_redirects_are_the_clients(name: str) -> None:
    """A redirect of the first attempt comes back as it is."""
    with stand_in(*CATALOGUE[name].faults) as api, gateway(api.url) as door:
        got = httpx2.post(f"{door.url}/v1/messages", json=asking(), headers={"x-api-key": "key"})
        assert got.status_code == int(name[1:])
        assert got.headers["location"]


# -- clients that leave --------------------------------------------------------------------------


def gone(api: StandIn, door: Served) -> None:
    """The upstream sees within a second that the client has left, and is asked for nothing more."""
    before = len(api.requests)
    assert api.wait_closed(1.0)
    assert len(api.requests) == before
    assert told(door.url)["counts"]["running"] == 0


def test_leaving_in_the_body() -> None:
    """A client that leaves in the middle of a body, or in a silence, ends the upstream's."""
    with StandIn(reply=TEXT, always=Stall(after=6)) as api, gateway(api.url) as door:
        with door.connect() as sock:
            sock.sendall(post())
            until(sock, b"content_block_delta")
        gone(api, door)


def test_leaving_before_the_head() -> None:
    """So does one that leaves before anything has come."""
    with StandIn(always=CATALOGUE["no_headers"].fault) as api, gateway(api.url) as door:
        with door.connect() as sock:
            sock.sendall(post())
            assert api.wait_requests(1)
        gone(api, door)


def test_leaving_in_a_wait() -> None:
    """And one that leaves while the gateway waits before it asks again."""
    policy = HASTY.replace(overload_wait_initial=60.0, overload_wait_max=60.0, retry_after_max=60.0)
    with (
        StandIn(always=Status(529, headers=(("retry-after", "30"),))) as api,
        gateway(api.url, policy) as door,
    ):
        with door.connect() as sock:
            sock.sendall(post())
            assert api.wait_requests(1)
        ends = time.monotonic() + 60
        while told(door.url)["counts"]["running"] and time.monotonic() < ends:
            pass
        assert told(door.url)["counts"] == {**NONE, "left": 1}
        assert len(api.requests) == 1


def test_leaving_an_unprotected_call() -> None:
    """And one that asked for no stream."""
    with StandIn(always=CATALOGUE["no_headers"].fault) as api, gateway(api.url) as door:
        with door.connect() as sock:
            sock.sendall(post(json.dumps(asking(stream=False)).encode()))
            assert api.wait_requests(1)
        gone(api, door)


def test_leaving_in_an_upload() -> None:
    """What a client has not sent to its end does not look whole to the upstream."""
    with stand_in() as api, gateway(api.url) as door:
        with door.connect() as sock:
            sock.sendall(post(b"", path="/v1/files", headers={"content-length": "1000"}) + b"begun")
        with door.connect() as sock:
            sock.sendall(post(b"", headers={"content-length": "1000"}) + b"begun")
        assert api.wait_closed(2.0)
        assert api.requests == []


# -- silences ------------------------------------------------------------------------------------


def test_pings_fill_a_silence() -> None:
    """Between two events, and before the first, a client gets pings, and they are whole events."""
    with StandIn(reply=TEXT, always=Stall(after=6)) as api, gateway(api.url, ping_after=0.05) as door:
        with door.connect() as sock:
            sock.sendall(post())
            got = until(sock, b'event: ping\ndata: {"type": "ping"}')
            got += until(sock, b'event: ping\ndata: {"type": "ping"}')
        frames = body_of(got)[0].split(b"\n\n")[:-1]
        assert all(frame.startswith(b"event: ") for frame in frames)


def test_no_pings_into_a_quick_stream() -> None:
    """Where nothing waits, nothing is added."""
    with stand_in() as api, gateway(api.url, ping_after=30) as door:
        body, ended = body_of(door.speak(post()))
        assert body.count(b"event: ping") == 1
        assert ended


# -- requests about the gateway itself -----------------------------------------------------------


def test_a_request_names_its_policy() -> None:
    """By the name of a preset; ``off`` hands everything through as it is."""
    with StandIn(always=Status(529)) as api, gateway(api.url, HASTY) as door:
        got = httpx2.post(f"{door.url}/v1/messages", json=asking(), headers={"resilient-policy": "off"})
        assert got.status_code == 529
        assert len(api.requests) == 1
        got = httpx2.post(f"{door.url}/v1/messages", json=asking(), headers={"resilient-policy": "../x"})
        assert got.status_code == 400
        assert "agent, batch, interactive, observe, off" in got.json()["error"]["message"]


def test_a_report_is_for_who_asks() -> None:
    """At the end of a stream that was resumed, as a comment; of none else."""
    for faults, headers, there in (
        ([cut_at(900, "rst")], {"resilient-report": "1"}, True),
        ([cut_at(900, "rst")], {}, False),
        ([], {"resilient-report": "1"}, False),
    ):
        with StandIn(reply=TEXT, faults=faults) as api, gateway(api.url, HASTY) as door:
            body, ended = body_of(door.speak(post(headers=headers)))
            last = body.split(b"\n\n")[-2]
            assert last.startswith(b": resilient-report {") == there
            assert ended
            if there:
                report = json.loads(last.partition(b"{")[1] + last.partition(b"{")[2])
                assert (report["outcome"], report["resumed"], len(report["attempts"])) == (
                    "completed",
                    True,
                    2,
                )
                assert TEXT[:40] not in last.decode()


def test_running_streams_are_shown() -> None:
    """By id, with their attempts, and without anything of what they say."""
    with (
        StandIn(reply=TEXT, always=Stall(after=6)) as api,
        gateway(api.url) as door,
        door.connect() as sock,
    ):
        sock.sendall(post())
        head = until(sock, b"content_block_delta")
        page = httpx2.get(f"{door.url}/resilient/streams")
        (shown,) = page.json()["streams"]
        assert f"resilient-stream-id: {shown['id']}\r\n".encode() in head
        assert (shown["model"], shown["attempts"], shown["failures"]) == ("claude-sonnet-5", 1, [])
        assert "key" not in page.text
        assert TEXT[:10] not in page.text


def test_metrics_are_those_of_the_library() -> None:
    """By the same names, as Prometheus writes them."""
    with stand_in(cut_at(900, "rst")) as api, gateway(api.url, HASTY) as door:
        assert BARE.stream(door.url, None).text == TEXT
        page = httpx2.get(f"{door.url}/resilient/metrics")
        assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert 'resilient_stream_gateway_streams_total{outcome="resumed"} 1.0' in page.text
        assert "resilient_stream_client_stream_duration_seconds_count{" in page.text
        assert 'resilient_stream_fault_kind="reset"' in page.text


def test_a_person_finds_a_page() -> None:
    """It runs its own script, and nothing else."""
    with gateway("http://api.test") as door:
        page = httpx2.get(f"{door.url}/resilient/")
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert httpx2.get(f"{door.url}/resilient/health").json()["status"] == "ok"
        assert httpx2.get(f"{door.url}/resilient/ready").status_code == 200
        assert httpx2.get(f"{door.url}/resilient/no").status_code == 404
        assert httpx2.post(f"{door.url}/resilient/streams").status_code == 405


# -- who is let in -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8642", 200),
        ("127.0.0.1", 200),
        ("[::1]:1", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
    ],
)
def test_only_known_hosts_are_answered(host: str, status: int) -> None:
    """A page that has had its name point to this machine gets nothing."""
    with gateway("http://api.test", allow_hosts=["localhost", "127.0.0.1", "[::1]"]) as door:
        assert httpx2.get(f"{door.url}/resilient/health", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    "line", ["GET http://evil.example/v1/models", "CONNECT evil.example:443", "OPTIONS *"]
)
def test_it_is_no_proxy_for_others(line: str) -> None:
    """A target that names another host is refused, and goes nowhere."""
    with stand_in() as api, gateway(api.url) as door:
        got = door.speak(f"{line} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
        assert got.startswith(b"HTTP/1.1 400 ")
        assert api.requests == []


def test_large_bodies_are_refused() -> None:
    """Before they are read, where they say so; and else where they pass the limit."""
    with stand_in() as api, gateway(api.url, limits=Limits(body=1000)) as door:
        assert door.speak(post(b"", headers={"content-length": "1001"})).startswith(b"HTTP/1.1 413 ")
        chunked = {"transfer-encoding": "chunked", "connection": "close", "host": "localhost"}
        head = "POST /v1/messages HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in chunked.items()
        )
        assert door.speak(f"{head}\r\n3e9\r\n{'x' * 1001}\r\n".encode()).startswith(b"HTTP/1.1 413 ")
        assert api.requests == []


def test_slow_bodies_are_refused() -> None:
    """One that stops in the middle gets 408."""
    with stand_in() as api, gateway(api.url, limits=Limits(body_patience=0.1)) as door:
        assert door.speak(post(b"", headers={"content-length": "10"})).startswith(b"HTTP/1.1 408 ")
        upload = post(b"", path="/v1/files", headers={"content-length": "10"})
        assert door.speak(upload).startswith(b"HTTP/1.1 408 ")


def test_too_many_requests_are_refused() -> None:
    """As by an API that is overloaded; what the gateway says of itself can still be read."""
    with (
        StandIn(reply=TEXT, always=Stall(after=6)) as api,
        gateway(api.url, limits=Limits(requests=1)) as door,
        door.connect() as sock,
    ):
        sock.sendall(post())
        until(sock, b"content_block_delta")
        got = httpx2.post(f"{door.url}/v1/messages", json=asking())
        assert (got.status_code, got.json()["error"]["type"]) == (529, "overloaded_error")
        assert told(door.url)["counts"]["running"] == 1


def test_an_expected_continue_is_answered() -> None:
    """A client that waits to be told gets told, and the upstream never hears of it."""
    with stand_in() as api, gateway(api.url) as door:
        head, _, content = post(headers={"expect": "100-continue"}).partition(b"\r\n\r\n")
        with door.connect() as sock:
            sock.sendall(head + b"\r\n\r\n")
            assert until(sock, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            sock.sendall(content)
            assert text_of(body_of(everything(sock))[0]) == TEXT
        assert "expect" not in api.requests[0].headers


def test_what_one_credential_has_taught_is_its_own() -> None:
    """A form that was refused to one key is tried for another."""
    prefill = {"model": "claude-haiku-4-5"}
    with StandIn(
        reply=TEXT,
        faults=lambda number, _: cut_at(900, "rst") if number in (1, 4, 6) else None,
        prefill=False,
    ) as api:
        with gateway(api.url, HASTY) as door:
            for key in ("one", "one", "two"):
                httpx2.post(f"{door.url}/v1/messages", json=asking(**prefill), headers={"x-api-key": key})
        assert [one.form for one in api.requests] == [
            *("fresh", "prefill", "user_turn"),
            *("fresh", "user_turn"),
            *("fresh", "prefill", "user_turn"),
        ]


def test_a_mounted_gateway_knows_its_place() -> None:
    """Below a path of another application, the upstream gets what is behind that path."""
    api = StandIn(reply=TEXT)
    inner = Gateway(api.url, HASTY)

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        within = {**scope, "root_path": "/claude"} if scope["type"] == "http" else scope
        await inner(within, receive, send)

    with api, served(outer) as door:
        assert BARE.stream(f"{door.url}/claude", None).text == TEXT
        assert api.requests[0].path == "/v1/messages"


def test_websockets_are_closed() -> None:
    """There is nothing to talk to."""
    sent = list[Any]()

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError

    with (
        closing(Gateway("http://api.test")({"type": "websocket"}, receive, send)) as call,
        pytest.raises(StopIteration),
    ):
        call.send(None)
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_many_streams_at_once() -> None:
    """Each gets its own answer, whole, whatever breaks the others."""
    texts = list[str]()

    def ask() -> None:
        texts.append(BARE.stream(door.url, None).text)

    faults = [cut_at(700 + 10 * number, "rst") if number % 3 else None for number in range(20)]
    with stand_in(*faults) as api, gateway(api.url, HASTY) as door:
        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert texts == [TEXT] * 20


def test_policies_are_checked_at_the_start() -> None:
    """A gateway with a policy that there is not does not start."""
    with pytest.raises(ValueError, match="unknown preset"):
        Gateway(policy="no_such_policy")
