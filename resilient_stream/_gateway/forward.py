"""Forwards what is not protected: any request, unchanged, and its response."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

import httpx2

from resilient_stream._core.failures import Phase
from resilient_stream._http import classify

from . import errors
from .downstream import Downstream
from .headers import passing
from .request import Body, ClientLeft

if TYPE_CHECKING:
    from .upstream import Upstream

CONNECT: Final = 10.0
"""Seconds that connecting may take. Only the client knows how long an answer may take."""


async def forward(upstream: Upstream, request: httpx2.Request, downstream: Downstream) -> None:
    """Forward a request, and its response back. If the response breaks, so does the one to the client."""
    request.extensions["timeout"] = {"connect": CONNECT, "read": None, "write": None, "pool": None}
    try:
        response = await upstream.transport.handle_async_request(request)
    except httpx2.TransportError as error:
        failure = classify.of_exception(error, Phase.HEADERS)
        status = 502 if failure is None else errors.status_of(failure)
        said = f"the upstream gave no response ({type(error).__name__})"
        await downstream.answer(status, errors.page(status, said))
        return
    await relay(response, downstream)


async def relay(response: httpx2.Response, downstream: Downstream) -> None:
    """Send a response back. If its body breaks, the one to the client stays without an end."""
    stream: Any = response.stream
    try:
        await downstream.begin(response.status_code, passing(response.headers.raw))
        async for piece in stream:
            await downstream.write(piece)
    except httpx2.TransportError:
        return
    finally:
        await response.aclose()
    await downstream.finish()


async def while_there(body: Body, work: Coroutine[Any, Any, None]) -> None:
    """Work for a client as long as it is connected: when it leaves, the work is cancelled.

    Args:
        body: of the client's request.
        work: what to do.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(body.until_left())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        if body.left or not working.done():
            working.cancel()
        with contextlib.suppress(ClientLeft, asyncio.CancelledError):
            await working
