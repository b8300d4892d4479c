"""What needs packages that the SDK leaves to extras: the older Bedrock client, aiohttp, HTTP/2.

``nox -s vendors`` has them; elsewhere these tests are skipped.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import anthropic
import pytest

from resilient_stream import RetryPolicy, report, resilient
from resilient_stream.journal import Journal, journaled
from resilient_stream.testing import Late, Mangle, Stall, Status, aws_exception, cut_at
from resilient_stream.testing.faults.body import How
from tests.support.doors import each, told
from tests.support.surfaces import SURFACES, Got, Surface, asking
from tests.support.worlds import CUT_HISTORY, HASTY, TEXT, stand_in

sync_and_async = pytest.mark.parametrize("prefix", ["", "Async"], ids=["sync", "async"])


AT = 5000
"""Bytes into a body of Bedrock's: inside the text."""


def bedrock(prefix: str, url: str, policy: RetryPolicy | None = HASTY) -> Any:
    """The older Bedrock client."""
    pytest.importorskip("botocore")
    made = getattr(anthropic, f"{prefix}AnthropicBedrock")
    client = made(base_url=url, aws_access_key="a", aws_secret_key="s", aws_region="eu-west-1")
    return client if policy is None else resilient(client, policy)


def through(door: Surface, client: Any, **options: Any) -> Got:
    """Ask through a door, and leave."""

    async def run() -> Got:
        try:
            return await door(client, asking(**options))
        finally:
            await told(client.close())

    return asyncio.run(run())


@sync_and_async
@pytest.mark.parametrize(
    "model", ["eu.anthropic.claude-sonnet-5-v1:0", "anthropic.claude-haiku-4-5-20251001-v1:0"]
)
@pytest.mark.parametrize("door", SURFACES)
def test_bedrocks_event_stream_survives(door: str, model: str, prefix: str) -> None:
    """An overload, a cut inside a message of AWS's, an overload: the text comes whole, once, and the history
    goes healed."""
    with stand_in(Status(529), cut_at(3000, "rst"), Status(529), None) as server:
        got = through(SURFACES[door], bedrock(prefix, server.url), model=model, messages=CUT_HISTORY)
        form = "prefill" if "haiku" in model else "user_turn"
        assert [request.form for request in server.requests] == ["fresh", "fresh", form, form]
        assert {request.json["model"] for request in server.requests} == {model}
        assert len({request.path for request in server.requests}) == 1
    assert got.text == TEXT
    assert [seam.verified for seam in report(got.source).seams] == [True]


@sync_and_async
@pytest.mark.parametrize("door", SURFACES)
def test_bedrocks_stream_is_replayed_from_a_journal(door: str, prefix: str, tmp_path: Path) -> None:
    """Begun, cut and journaled once; the same key has it again, in AWS's framing, without a request."""
    with stand_in(cut_at(3000, "rst")) as server, Journal(f"sqlite:///{tmp_path}/j.db") as journal:
        for _ in range(2):
            client = resilient(bedrock(prefix, server.url, None), HASTY, journal=journal)
            with journaled("k"):
                assert through(SURFACES[door], client, model="anthropic.claude-sonnet-5-v1:0").text == TEXT
        assert [request.form for request in server.requests] == ["fresh", "user_turn"]


@sync_and_async
@pytest.mark.parametrize("how", ["rst", "fin", "clean"])
def test_a_cut_at_any_place_of_a_message(prefix: str, how: How) -> None:
    """Inside the lengths, the headers, the payload and the checksum."""
    with stand_in(*(cut_at(2900 + 23 * number, how) for number in range(12))) as server:
        client = bedrock(prefix, server.url, HASTY.replace(max_attempts=20))
        assert through(SURFACES["stream"], client).text == TEXT


@sync_and_async
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("throttlingException", "rate_limited"),
        ("modelStreamErrorException", "api_error"),
        ("internalServerException", "api_error"),
    ],
)
def test_an_exception_inside_the_stream_is_resumed(code: str, kind: str, prefix: str) -> None:
    """What Bedrock says inside a 200 is what the API says there."""
    told_inside = Mangle(after=20, how=lambda message: aws_exception(code))
    with stand_in(told_inside, None) as server:
        got = through(SURFACES["create"], bedrock(prefix, server.url))
    assert got.text == TEXT
    failure = report(got.source).attempts[0].failure
    assert failure is not None
    assert (failure.kind, failure.in_band) == (kind if anthropic.__version__ >= "2" else "api_error", True)


@sync_and_async
@pytest.mark.parametrize("place", [1, 9, 14, 60, -1])
def test_a_message_that_was_spoilt_is_noticed(place: int, prefix: str) -> None:
    """A wrong byte in lengths, headers, payload or checksum is a corrupt stream, and is resumed."""

    def spoilt(message: bytes) -> bytes:
        damaged = bytearray(message)
        damaged[place] ^= 0x55
        return bytes(damaged)

    with stand_in(Mangle(after=20, how=spoilt), None) as server:
        got = through(SURFACES["stream"], bedrock(prefix, server.url))
    assert got.text == TEXT
    failure = report(got.source).attempts[0].failure
    assert failure is not None and failure.kind == "corrupt"


@sync_and_async
def test_bedrocks_healthy_events_are_the_upstreams(prefix: str) -> None:
    """With nothing failing, the events are those that the bare client sees, and so is the request."""

    async def events(client: Any, ask: dict[str, Any]) -> Got:
        stream = await told(client.messages.create(**ask, stream=True))
        return Got("\n".join([event.to_json() async for event in each(stream)]), stream)

    with stand_in() as server:
        ours = through(events, bedrock(prefix, server.url))
        bare = through(events, bedrock(prefix, server.url, None))
        first, second = server.requests
    assert ours.text.replace("msg_01StandIn00000000000001", "") == bare.text.replace(
        "msg_01StandIn00000000000002", ""
    )
    assert first.body == second.body


@sync_and_async
def test_bedrocks_failure_is_raised_as_the_sdks(prefix: str) -> None:
    """With nothing more to try, the user's ``except`` catches what the stream died of."""
    with stand_in(cut_at(AT, "rst")) as server:
        client = bedrock(prefix, server.url, HASTY.replace(max_attempts=1))
        with pytest.raises(anthropic.APIConnectionError) as caught:
            through(SURFACES["stream"], client)
    partial = report(caught.value).partial
    assert partial is not None and TEXT.startswith(partial["content"][0]["text"])


@pytest.mark.parametrize("backend", ["aiohttp", "http2"])
def test_other_transports_are_resumed(backend: str) -> None:
    """With aiohttp below, or a client that may speak HTTP/2, a stream survives all the same."""
    pytest.importorskip("aiohttp" if backend == "aiohttp" else "h2")
    http: Any = (
        anthropic.DefaultAioHttpClient()
        if backend == "aiohttp"
        else anthropic.DefaultAsyncHttpxClient(http2=True)
    )
    with stand_in(
        Status(529), cut_at(1500, "rst"), Status(529), cut_at(1700, "fin"), cut_at(1700, "clean")
    ) as server:
        client = resilient(
            anthropic.AsyncAnthropic(base_url=server.url, api_key="key", http_client=http), HASTY
        )
        assert through(SURFACES["stream"], client).text == TEXT
        assert server.wait_closed()


def aiohttp_client(url: str, policy: RetryPolicy = HASTY) -> Any:
    """An async client over aiohttp, whose connections can't be reached."""
    pytest.importorskip("aiohttp")
    http = anthropic.DefaultAioHttpClient()
    return resilient(anthropic.AsyncAnthropic(base_url=url, api_key="key", http_client=http), policy)


def test_a_silence_over_aiohttp_ends_when_the_clock_says() -> None:
    """Its own timeout was set before the head; the read is broken off from outside."""
    with stand_in(Stall(after=9), None) as server:
        client = aiohttp_client(server.url, HASTY.replace(silence_timeout=0.2))
        got = through(SURFACES["stream"], client)
        assert server.wait_closed()
    assert got.text == TEXT
    assert [attempt.failure and attempt.failure.kind for attempt in report(got.source).attempts] == [
        "silent",
        None,
    ]


@pytest.mark.parametrize("faults", [[Stall(after=9)], [cut_at(1500, "rst"), Late(60)]], ids=["read", "send"])
def test_closing_over_aiohttp_ends_what_it_is_in(faults: list[Any]) -> None:
    """A blocked read or send is broken off at once, and its connection is closed."""

    async def main() -> None:
        with stand_in(*faults) as server:
            async with aiohttp_client(server.url) as client:
                stream = await client.messages.create(**asking(), stream=True)

                async def read() -> None:
                    with pytest.raises(anthropic.APIConnectionError):
                        async for _ in stream:
                            pass

                async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
                    tasks.create_task(read())
                    assert await asyncio.to_thread(server.wait_requests, len(faults))
                    await stream.response.aclose()
                assert await asyncio.to_thread(server.wait_closed)
            assert len(server.requests) == len(faults)
            assert report(stream).outcome == "cancelled"

    asyncio.run(main())
