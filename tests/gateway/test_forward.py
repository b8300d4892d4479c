import asyncio
from typing import Any

import httpx2
import pytest

from resilient_stream._gateway.downstream import Downstream
from resilient_stream._gateway.forward import forward, while_there
from resilient_stream._gateway.request import Body, ClientLeft
from resilient_stream._gateway.upstream import Upstream

from .test_request import LEFT, piece, receiving


def sent_for(error: Exception) -> list[Any]:
    """What a client gets whose upstream raises something."""
    sent = list[Any]()

    async def send(message: Any) -> None:
        sent.append(message)

    def answer(request: httpx2.Request) -> httpx2.Response:
        raise error

    upstream = Upstream("http://api.test", transport=httpx2.MockTransport(answer))
    request = httpx2.Request("GET", "http://api.test/")
    asyncio.run(forward(upstream, request, Downstream(send)))
    return sent


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (httpx2.ConnectError("no"), 502),
        (httpx2.ConnectTimeout("no"), 502),
        (httpx2.ReadError("no"), 502),
        (httpx2.ReadTimeout("no"), 504),
        (httpx2.TransportError("no"), 502),
    ],
)
def test_no_answer_is_told(error: Exception, status: int) -> None:
    """By the status of a proxy, and the name of what happened."""
    head, body = sent_for(error)
    assert head["status"] == status
    assert type(error).__name__.encode() in body["body"]


def test_what_is_no_failure_of_the_upstream_is_raised() -> None:
    """It is a fault of ours, to be seen."""
    with pytest.raises(ZeroDivisionError):
        sent_for(ZeroDivisionError())


async def read(*messages: Any) -> Body:
    """A body that was read, and what its channel says then."""
    body = Body(receiving(piece(b"", more=False), *messages))
    await body.whole(0)
    return body


def test_work_ends_when_the_client_leaves() -> None:
    """In the middle."""

    async def run() -> str:
        state = "nothing"

        async def work() -> None:
            nonlocal state
            try:
                await asyncio.Event().wait()
            finally:
                state = "cancelled"

        await while_there(await read(LEFT), work())
        return state

    assert asyncio.run(run()) == "cancelled"


def test_work_comes_to_its_end() -> None:
    """Where the client stays; what it raises is raised, but that a client left is nothing to say."""

    async def run(error: Exception | None) -> None:
        async def work() -> None:
            if error is not None:
                raise error

        await while_there(await read(), work())

    asyncio.run(run(None))
    asyncio.run(run(ClientLeft()))
    with pytest.raises(ZeroDivisionError):
        asyncio.run(run(ZeroDivisionError()))


def test_a_server_that_ends_cancels_the_work() -> None:
    """And is told that it was cancelled."""

    async def run() -> bool:
        ended = False

        async def work() -> None:
            nonlocal ended
            try:
                await asyncio.Event().wait()
            finally:
                ended = True

        serving = asyncio.ensure_future(while_there(await read(), work()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        return ended

    assert asyncio.run(run())
