"""What only the inside shows; `tests/contract/test_gateway.py` has what a client sees."""

import asyncio
from typing import Any

import httpx2

from resilient_stream.asgi import Gateway

from .test_request import receiving


class Transport(httpx2.AsyncBaseTransport):
    """Notes that it was closed."""

    closed = False

    async def aclose(self) -> None:
        """Close it."""
        self.closed = True


def test_connections_are_closed_with_the_server() -> None:
    """When it ends, not when it starts."""
    sent = list[Any]()

    async def send(message: Any) -> None:
        sent.append((message["type"], transport.closed))

    transport = Transport()
    app = Gateway("http://api.test", transport=transport)
    receive = receiving({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    asyncio.run(app({"type": "lifespan"}, receive, send))
    assert sent == [("lifespan.startup.complete", False), ("lifespan.shutdown.complete", True)]
