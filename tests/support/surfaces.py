"""The SDK's ways to open a stream, each written once for sync and async clients.

A sync client works inside a coroutine as well: it blocks, and nobody else is there.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from anthropic import beta_async_tool, beta_tool

from .doors import each, entered, told
from .worlds import ASK, USER_TURN_MODEL


@dataclass
class Got:
    """What came of it."""

    text: str
    source: Any
    """What `report` is asked of."""


Surface = Callable[[Any, dict[str, Any]], Awaitable[Got]]


def asking(**options: Any) -> dict[str, Any]:
    """The arguments of a call."""
    return {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK, **options}


async def written(stream: Any) -> str:
    """The text of a stream of raw events."""
    deltas = [event.delta async for event in each(stream) if event.type == "content_block_delta"]
    return "".join(delta.text for delta in deltas if delta.type == "text_delta")


async def _helper(manager: Any) -> Got:
    async with entered(manager) as stream:
        text = "".join([piece async for piece in each(stream.text_stream)])
        message = await told(stream.get_final_message())
        assert "".join(block.text for block in message.content if block.type == "text") == text
        return Got(text, stream)


async def _raw(stream: Any) -> Got:
    return Got(await written(stream), stream)


async def stream(client: Any, ask: dict[str, Any]) -> Got:
    """``messages.stream``."""
    return await _helper(client.messages.stream(**ask))


async def create(client: Any, ask: dict[str, Any]) -> Got:
    """``messages.create(stream=True)``."""
    return await _raw(await told(client.messages.create(**ask, stream=True)))


async def beta_stream(client: Any, ask: dict[str, Any]) -> Got:
    """``beta.messages.stream``."""
    return await _helper(client.beta.messages.stream(**ask))


async def beta_create(client: Any, ask: dict[str, Any]) -> Got:
    """``beta.messages.create(stream=True)``, with a beta."""
    return await _raw(
        await told(client.beta.messages.create(**ask, stream=True, betas=["a-beta-2026-01-01"]))
    )


async def raw_response(client: Any, ask: dict[str, Any]) -> Got:
    """``with_raw_response``."""
    response = await told(client.messages.with_raw_response.create(**ask, stream=True))
    assert response.headers["request-id"]
    return Got(await written(await told(response.parse())), response)


async def streaming_response(client: Any, ask: dict[str, Any]) -> Got:
    """``with_streaming_response``."""
    async with entered(client.messages.with_streaming_response.create(**ask, stream=True)) as response:
        return Got(await written(await told(response.parse())), response)


async def with_options(client: Any, ask: dict[str, Any]) -> Got:
    """A client with other options."""
    return await stream(client.with_options(max_retries=0, timeout=20.0), ask)


async def copied(client: Any, ask: dict[str, Any]) -> Got:
    """A copy of the client."""
    return await create(client.copy(), ask)


def _running(client: Any, ask: dict[str, Any], **options: Any) -> Any:
    """``tool_runner(stream=True)`` with one tool."""

    def tide(place: str) -> str:
        """The tide at a place."""
        return place

    async def later(place: str) -> str:
        """The tide at a place."""
        return place

    sync = not inspect.iscoroutinefunction(client.post)
    tool: Any = beta_tool(tide) if sync else beta_async_tool(name="tide")(later)
    return client.beta.messages.tool_runner(**ask, tools=[tool], stream=True, **options)


async def runner(client: Any, ask: dict[str, Any], **options: Any) -> Got:
    """``tool_runner(stream=True)``, whose model calls no tool."""
    got = [Got(await written(one), one) async for one in each(_running(client, ask, **options))]
    (only,) = got
    return only


async def turns(client: Any, ask: dict[str, Any]) -> list[str]:
    """The texts of all turns of ``tool_runner(stream=True)``."""
    try:
        return [await written(one) async for one in each(_running(client, ask))]
    finally:
        await told(client.close())


SURFACES: Final[dict[str, Surface]] = {
    surface.__name__: surface
    for surface in (
        stream,
        create,
        beta_stream,
        beta_create,
        raw_response,
        streaming_response,
        with_options,
        copied,
    )
}
"""All but the tool runner, which is not every client's."""
