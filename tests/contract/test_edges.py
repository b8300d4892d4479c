"""What each door does where nearly nobody goes."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import anthropic
import httpx2
import pytest

from resilient_stream import report
from resilient_stream.testing import Status, cut_at
from tests.support.doors import Door, asking, entered, every_door, told
from tests.support.worlds import HASTY, TEXT, USER_TURN_MODEL, stand_in


def http_response(opened: Any) -> Any:
    """The HTTP response of what was opened."""
    return getattr(opened, "response", opened)


@every_door
def test_calls_without_a_stream_go_through(door: Door) -> None:
    """A call without a stream is the client's own business, and so are the retries that the SDK makes of it."""

    async def law(url: str) -> Any:
        ask = asking(max_tokens=9)
        del ask["stream"]
        async with entered(door.client(url)) as client:
            if door.package == "sdk":
                return (await told(client.messages.create(**ask))).to_dict()
            response = await told(client.post("/v1/messages", json=ask))
            with pytest.raises(LookupError, match="no report on this Response"):
                report(response)
            return response.json()

    faults = [Status(529)] if door.package == "sdk" else []
    with stand_in(*faults) as server:
        assert door.run(lambda: law(server.url))["content"][0]["text"] == TEXT
        assert len(server.requests) == len(faults) + 1


@every_door
def test_other_requests_are_not_looked_into(door: Door) -> None:
    """Requests to other paths, with a body or without, go through as they are, and have no report."""

    async def ask(client: Any, method: str, body: Any) -> Any:
        if door.package != "sdk":
            return await told(client.request(method, "/v1/elsewhere", json=body))
        verb = getattr(client, method.lower())
        with pytest.raises(anthropic.NotFoundError) as caught:
            await told(verb("/v1/elsewhere", cast_to=object, **({} if body is None else {"body": body})))
        return caught.value.response

    async def law(url: str) -> None:
        async with entered(door.client(url)) as client:
            for method, body in (("POST", asking()), ("GET", None)):
                response = await ask(client, method, body)
                assert response.status_code == 404
                with pytest.raises(LookupError, match="no report on this Response"):
                    report(response)

    with stand_in() as server:
        door.run(lambda: law(server.url))
        assert len(server.requests) == 2


@every_door
@pytest.mark.parametrize("faults", [[], [cut_at(3000)], [Status(529)] * 9], ids=["whole", "cut", "refused"])
def test_a_response_says_how_long_it_took(door: Door, faults: list[Any]) -> None:
    """As without the library: not before its end, whatever the end, and over all attempts."""

    async def law(url: str) -> Any:
        async with entered(door.client(url)) as client:
            try:
                opened = await door.open(client)
            except anthropic.APIStatusError as error:
                return error.response
            response = http_response(opened)
            with pytest.raises(RuntimeError, match="elapsed"):
                assert response.elapsed
            async for _ in door.pieces(opened):
                pass
            return response

    with stand_in(*faults) as server:
        assert door.run(lambda: law(server.url)).elapsed.total_seconds() >= 0


@every_door
def test_a_stream_that_is_left_says_how_long_it_took(door: Door) -> None:
    """Closing is an end, too."""

    async def law(url: str) -> Any:
        async with entered(door.client(url)) as client:
            opened = await door.open(client)
            await anext(door.pieces(opened))
            await told(door.left(opened))
            return http_response(opened).elapsed

    with stand_in() as server:
        assert door.run(lambda: law(server.url)).total_seconds() >= 0


@every_door
def test_an_exception_that_is_being_handled_stays_as_it_is(door: Door) -> None:
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
    with stand_in(cut_at(300, "rst")) as server:
        try:
            raise mine
        except RuntimeError:
            through = door.stream(server.url, HASTY, model=USER_TURN_MODEL)
        assert (through.text, len(through.report.attempts)) == (TEXT, 2)
    assert next(generator) == "going on"
    assert mine.__cause__.request is request
