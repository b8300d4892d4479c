"""What the adapter does where nearly nobody goes."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import anthropic
import httpx2
import pytest

from resilient_stream import report
from resilient_stream.testing import Status, cut_at
from tests.support.worlds import ASK, HASTY, TEXT, USER_TURN_MODEL, async_client, stand_in, sync_client


def test_async_calls_without_a_stream_go_through() -> None:
    """An async call without a stream is the SDK's own business."""

    async def main() -> Any:
        with stand_in() as server:
            async with async_client(server.url, HASTY) as client:
                return await client.messages.create(model=USER_TURN_MODEL, max_tokens=9, messages=ASK)

    assert asyncio.run(main()).content[0].text == TEXT


def test_other_requests_are_not_looked_into() -> None:
    """Requests to other paths, with a body or without, go through as they are."""
    with stand_in() as server, sync_client(server.url, HASTY) as client:
        with pytest.raises(anthropic.NotFoundError):
            client.post("/v1/elsewhere", body={"messages": ASK}, cast_to=object)
        with pytest.raises(anthropic.NotFoundError):
            client.get("/v1/elsewhere", cast_to=object)


@pytest.mark.parametrize("faults", [[], [cut_at(3000)], [Status(529)] * 9], ids=["whole", "cut", "refused"])
def test_a_response_says_how_long_it_took(faults: list[Any]) -> None:
    """As without the library: not before its end, whatever the end, and over all attempts."""
    with stand_in(*faults) as server, sync_client(server.url, HASTY) as client:
        asked: dict[str, Any] = {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK}
        if len(faults) > 1:
            with pytest.raises(anthropic.APIStatusError) as caught, client.messages.stream(**asked):
                pass
            assert caught.value.response.elapsed.total_seconds() >= 0
            return
        with client.messages.stream(**asked) as stream:
            with pytest.raises(RuntimeError, match="elapsed"):
                assert stream.response.elapsed
            stream.until_done()
        assert stream.response.elapsed.total_seconds() >= 0


def test_an_async_stream_that_is_left_says_how_long_it_took() -> None:
    """Closing is an end, too."""

    async def main() -> Any:
        with stand_in() as server:
            async with async_client(server.url, HASTY) as client:
                asked: dict[str, Any] = {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK}
                async with client.messages.stream(**asked) as stream:
                    await anext(stream)
                return stream.response.elapsed

    assert asyncio.run(main()).total_seconds() >= 0


def test_an_exception_that_is_being_handled_stays_as_it_is() -> None:
    """A stream that is begun in an ``except`` and resumed there changes neither that exception nor its frames."""

    def waiting(error: Exception) -> Generator[str]:
        try:
            raise error
        except RuntimeError:
            yield "begun"
            yield "going on"

    mine = RuntimeError("mine")
    mine.__cause__ = httpx2.ConnectError("no", request=(request := httpx2.Request("GET", "http://mine.test")))
    mine.__cause__.__cause__ = mine
    generator = waiting(mine)
    assert next(generator) == "begun"
    with stand_in(cut_at(300, "rst")) as server, sync_client(server.url, HASTY) as client:
        try:
            raise mine
        except RuntimeError:
            ask: Any = {"model": USER_TURN_MODEL, "max_tokens": 900, "messages": ASK}
            with client.messages.stream(**ask) as stream:
                assert stream.get_final_text() == TEXT
            assert len(report(stream).attempts) == 2
    assert next(generator) == "going on"
    assert mine.__cause__.request is request
