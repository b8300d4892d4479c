"""What only the inside shows; `tests/contract/test_gateway.py` has what a client sees."""

import asyncio
import json
from typing import Any

import httpx2

from resilient_stream.asgi import Gateway
from tests.support.http_clients import asking
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
