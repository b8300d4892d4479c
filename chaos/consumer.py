"""The user's program: it reads one stream to its end, to an exception, or until it leaves."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

import anthropic

from resilient_stream import StreamReport, report

from .plans import Plan

WIRE_EVENTS = frozenset(
    {
        "message_start",
        "message_delta",
        "message_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
    }
)
"""The events that the API sends. The SDK makes others from them."""


@dataclass
class Seen:
    """What the program saw."""

    text: str = ""
    events: list[Any] = field(default_factory=list)
    message: Any = None
    error: Exception | None = None
    left: bool = False
    """Whether it left in the middle."""
    told: StreamReport | None = None

    @property
    def report(self) -> StreamReport:
        """The report; every stream has one."""
        assert self.told is not None, "no report on the stream, nor on its exception"
        return self.told

    def note(self, event: Any, plan: Plan) -> bool:
        """Note an event. Return whether the program leaves now."""
        if event.type == "text":
            self.text += event.text
        elif event.type in WIRE_EVENTS:
            self.events.append(event)
        self.left = plan.leaves_after is not None and len(self.events) >= plan.leaves_after
        return self.left

    def ask(self, source: object) -> None:
        """Call `report`."""
        with contextlib.suppress(LookupError):
            self.told = report(source)


def _messages(client: Any, plan: Plan) -> Any:
    """The interface of the client that knows the reply's blocks."""
    return client.beta.messages if plan.reply.beta else client.messages


def read(client: anthropic.Anthropic, plan: Plan) -> Seen:
    """Read a stream with a sync client."""
    seen = Seen()
    try:
        with _messages(client, plan).stream(**plan.request) as stream:
            for event in stream:
                if seen.note(event, plan):
                    break
            else:
                seen.message = stream.get_final_message()
        seen.ask(stream)
    except anthropic.AnthropicError as error:
        seen.error = error
        seen.ask(error)
    return seen


async def read_async(client: anthropic.AsyncAnthropic, plan: Plan) -> Seen:
    """Read a stream with an async client."""
    seen = Seen()
    try:
        async with _messages(client, plan).stream(**plan.request) as stream:
            async for event in stream:
                if seen.note(event, plan):
                    break
            else:
                seen.message = await stream.get_final_message()
        seen.ask(stream)
    except anthropic.AnthropicError as error:
        seen.error = error
        seen.ask(error)
    return seen
