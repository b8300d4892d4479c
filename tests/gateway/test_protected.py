"""What only the inside shows; `tests/contract/test_gateway.py` has what a client sees."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from resilient_stream.asgi import Gateway
from tests.support.contents import text
from tests.support.doors import asking
from tests.support.streams import STOP, block, ending, start
from tests.support.worlds import HASTY

from .test_request import piece, receiving


def test_a_response_that_nobody_can_explain_is_answered_502() -> None:
    """A success without a body is none of the API's answers."""
    sent = list[Any]()

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        transport = httpx2.MockTransport(lambda request: httpx2.Response(204))
        app = Gateway("http://api.test", HASTY.replace(max_attempts=1), transport=transport)
        scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": []}
        await app(scope, receiving(piece(json.dumps(asking()).encode(), more=False)), send)

    asyncio.run(run())
    assert [sent[0]["status"], json.loads(sent[1]["body"])["error"]["type"]] == [502, "api_error"]


def test_what_waiting_for_the_client_raises_is_raised() -> None:
    """A server whose `receive` fails is told so, and not only by what sending raises."""
    calls = iter([piece(json.dumps(asking()).encode(), more=False)])

    async def receive() -> Any:
        for message in calls:
            return message
        raise ConnectionError("receiving")

    async def send(_: Any) -> None:
        await asyncio.sleep(0)  # others have their turn

    async def run() -> None:
        events = b"".join([start(), *block(0, text("All is well.")), ending(), STOP])
        kind = {"content-type": "text/event-stream"}
        transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=kind, content=events))
        app = Gateway("http://api.test", HASTY, transport=transport)
        scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": []}
        await app(scope, receive, send)

    with pytest.raises(ConnectionError, match="receiving"):
        asyncio.run(run())
