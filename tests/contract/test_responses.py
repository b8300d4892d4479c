"""What a response says of itself, and the ways to read it: a resumed one is like a whole one of the bare SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
import httpx2
import pytest

from resilient_stream import report, resilient
from resilient_stream.testing import Chain, Gzip, cut_at
from tests.support.doors import each, entered, told
from tests.support.surfaces import asking, written
from tests.support.worlds import HASTY, TEXT, stand_in

sync_and_async = pytest.mark.parametrize("prefix", ["", "Async"], ids=["sync", "async"])
STOP = "event: message_stop"


def about(response: Any) -> tuple[Any, ...]:
    """What it says at its end."""
    elapsed = type(response.elapsed).__name__
    return response.is_closed, response.http_response.is_stream_consumed, response.http_version, elapsed


async def lines(response: Any) -> Any:
    """``iter_lines``."""
    got = [line async for line in each(response.iter_lines())]
    return got.count(STOP), max(line.count("\n") for line in got)


async def in_bytes(response: Any) -> Any:
    """``iter_bytes``, as they come."""
    got = [chunk async for chunk in each(response.iter_bytes())]
    whole = b"".join(got)
    return whole.count(STOP.encode()), all(got), response.http_response.num_bytes_downloaded == len(whole)


async def in_pieces(response: Any) -> Any:
    """``iter_bytes`` of a size."""
    *got, last = [chunk async for chunk in each(response.iter_bytes(64))]
    return {len(chunk) for chunk in got}, len(last) <= 64


async def in_text(response: Any) -> Any:
    """``iter_text``."""
    return "".join([chunk async for chunk in each(response.iter_text())]).count(STOP)


async def raw(response: Any) -> Any:
    """``iter_raw`` of the HTTP response."""
    http = response.http_response
    chunks = http.aiter_raw() if isinstance(response, anthropic.AsyncAPIResponse) else http.iter_raw()
    got = b"".join([chunk async for chunk in each(chunks)])
    return got.count(STOP.encode()), http.num_bytes_downloaded == len(got)


async def read(response: Any) -> Any:
    """``read``, twice, and ``text``."""
    got, again = await told(response.read()), await told(response.read())
    same = got == again == response.http_response.content == (await told(response.text())).encode()
    return got.count(STOP.encode()), same


async def parsed(response: Any) -> Any:
    """``parse``, twice, and its events."""
    stream = await told(response.parse())
    same = stream is await told(response.parse())
    return type(stream).__name__, same, await written(stream) == TEXT


async def read_late(response: Any) -> Any:
    """``read`` after the bytes were iterated."""
    await in_bytes(response)
    with pytest.raises(Exception, match="already been streamed") as raised:
        await told(response.read())
    return type(raised.value)


async def left(response: Any) -> Any:
    """Closed after the first bytes."""
    chunks = each(response.iter_bytes())
    assert await anext(chunks)
    await chunks.aclose()
    await told(response.close())
    with pytest.raises(Exception, match=r"closed|streamed") as raised:
        await told(response.read())
    return type(raised.value)


WAYS: list[Callable[[Any], Awaitable[Any]]] = [
    lines,
    in_bytes,
    in_pieces,
    in_text,
    raw,
    read,
    parsed,
    read_late,
    left,
]


def all_of(client: Any, *ways: Callable[[Any], Awaitable[Any]]) -> dict[str, Any]:
    """What is seen each way."""

    async def run() -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for way in ways:
            made = client.messages.with_streaming_response.create(**asking(), stream=True)
            async with entered(made) as response:
                assert not response.is_closed
                seen[way.__name__] = await way(response), about(response), sorted(response.headers)
        response = await told(client.messages.with_raw_response.create(**asking(), stream=True))
        assert not response.is_closed
        seen["raw response"] = await parsed(response), about(response), response.retries_taken
        await told(client.close())
        return seen

    return asyncio.run(run())


@sync_and_async
def test_a_resumed_response_is_like_a_whole_one(prefix: str) -> None:
    """However it is read: what comes, whether it is closed, how long it took, how many bytes came, what reading it
    once more raises."""

    def cuts(number: int, body: Any) -> Any:
        return cut_at(1500, "rst") if len(body["messages"]) == 1 else None

    made = getattr(anthropic, f"{prefix}Anthropic")
    with stand_in(faults=cuts) as server, stand_in() as whole:
        ours = all_of(resilient(made(base_url=server.url, api_key="key"), HASTY), *WAYS)
        assert all_of(made(base_url=whole.url, api_key="key"), *WAYS) == ours
        assert len(server.requests) > len(whole.requests)


@sync_and_async
def test_an_encoded_response_is_handed_over_decoded(prefix: str) -> None:
    """Two encoded bodies can't be spliced: it no longer says that it is encoded, and its raw bytes are the text's."""

    def cuts(number: int, body: Any) -> Any:
        return Chain((Gzip(), cut_at(700, "rst"))) if len(body["messages"]) == 1 else Gzip()

    with stand_in(faults=cuts) as server:
        made = getattr(anthropic, f"{prefix}Anthropic")(base_url=server.url, api_key="key")
        seen = all_of(resilient(made, HASTY), raw, in_bytes)
    assert seen["raw"][0] == (1, True)
    assert seen["in_bytes"][0] == (1, True, True)
    assert "content-encoding" not in seen["raw"][2]


@sync_and_async
def test_a_response_that_was_read_already_is_resumed(prefix: str) -> None:
    """An event hook that reads every response leaves nothing to stream, and what it read may be cut all the same."""

    async def aread(response: httpx2.Response) -> None:
        await response.aread()

    hooks: Any = {"response": [aread if prefix else httpx2.Response.read]}

    def cuts(number: int, body: Any) -> Any:
        return cut_at(1500, "clean") if len(body["messages"]) == 1 else None

    async def run(client: Any) -> None:
        async with entered(client.messages.stream(**asking())) as stream:
            message = await told(stream.get_final_message())
            assert (message.content[0].text, message.stop_reason) == (TEXT, "end_turn")
            assert report(stream).outcome == "completed"
        await told(client.close())

    with stand_in(faults=cuts) as server:
        http = getattr(httpx2, f"{prefix}Client")(event_hooks=hooks)
        made = getattr(anthropic, f"{prefix}Anthropic")(base_url=server.url, api_key="key", http_client=http)
        asyncio.run(run(resilient(made, HASTY)))
        assert len(server.requests) == 2
