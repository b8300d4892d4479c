"""One streamed call, piece by piece: through a resilient client, or through the bare SDK."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import anthropic

from resilient_stream import RetryPolicy, StreamReport, report, resilient

Hear = Callable[[str, StreamReport | None], None]
"""Called with each piece of text as it arrives, and with the report so far."""


def nobody(text: str, report: StreamReport | None) -> None:
    """Do nothing."""


MODEL = "claude-sonnet-5"


@dataclass(frozen=True, slots=True)
class Call:
    """One streamed call: where it goes, what it asks, and its policy.

    ``policy`` None is the bare SDK. ``timeout`` None is the SDK's own. For each function in ``before`` a call
    of the same kind is made first, without output, and then the function is called.
    """

    url: str
    policy: RetryPolicy | None = None
    model: str = MODEL
    prompt: str = "Please write down what you know about tides."
    max_tokens: int = 4096
    key: str = "none-needed"
    timeout: float | None = None
    before: Sequence[Callable[[], object]] = ()

    @property
    def request(self) -> dict[str, Any]:
        """The arguments of ``messages.stream``."""
        messages = [{"role": "user", "content": self.prompt}]
        return {"model": self.model, "max_tokens": self.max_tokens, "messages": messages}

    @property
    def client(self) -> dict[str, Any]:
        """The arguments of the client, sync or async."""
        timeout = {} if self.timeout is None else {"timeout": self.timeout}
        return {"base_url": self.url, "api_key": self.key, **timeout}


@dataclass(slots=True)
class Told:
    """The result of a call for a program."""

    text: str = ""
    """The text as it was streamed."""
    final: str = ""
    """The text of the message at the end."""
    stop_reason: str | None = None
    error: str = ""
    """The class of the exception that ended it; empty if none did."""
    complaint: str = ""
    """The text of that exception."""
    report: StreamReport | None = None
    """None for the bare SDK."""
    seconds: float = 0.0
    usage: dict[str, int] = field(default_factory=dict[str, int])
    """The token numbers of the message at the end."""

    def end(self, message: anthropic.types.Message) -> None:
        """Note the message at the end."""
        self.final = "".join(block.text for block in message.content if block.type == "text")
        self.stop_reason = message.stop_reason
        usage = message.usage
        self.usage = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}

    def fail(self, error: Exception) -> None:
        """Note the exception that ended the call."""
        self.error, self.complaint, self.report = name_of(error), str(error), report_of(error)

    def is_whole(self, expected: str | None) -> bool:
        """Whether the text is complete: equal to the author's text, or without an author ended by a stop
        reason."""
        if expected is None:
            return self.stop_reason is not None and self.text == self.final
        return self.text == self.final == expected


def listen(call: Call, hear: Hear = nobody) -> Told:
    """Stream the call through a sync client."""
    told, began = Told(), time.monotonic()
    # trust_env: a proxy named in the environment has no business on the loopback interface.
    transport = anthropic.DefaultHttpxClient(trust_env=False)
    with anthropic.Anthropic(**call.client, http_client=transport) as bare:
        client = bare if call.policy is None else resilient(bare, call.policy)
        for after in call.before:
            with client.messages.stream(**call.request) as stream:
                stream.until_done()
            after()
        try:
            with client.messages.stream(**call.request) as stream:
                for text in stream.text_stream:
                    told.text += text
                    hear(text, report_of(stream))
                told.end(stream.get_final_message())
                told.report = report_of(stream)
        except BrokenPipeError:  # the reader of the output has gone
            raise
        except Exception as error:  # noqa: BLE001 - the bare SDK lets all sorts through; which, is the point
            told.fail(error)
    told.seconds = time.monotonic() - began
    return told


async def listen_async(call: Call, hear: Hear = nobody) -> Told:
    """As `listen`, through an async client."""
    told, began = Told(), time.monotonic()
    transport = anthropic.DefaultAsyncHttpxClient(trust_env=False)
    async with anthropic.AsyncAnthropic(**call.client, http_client=transport) as bare:
        client = bare if call.policy is None else resilient(bare, call.policy)
        for after in call.before:
            async with client.messages.stream(**call.request) as stream:
                await stream.until_done()
            after()
        try:
            async with client.messages.stream(**call.request) as stream:
                async for text in stream.text_stream:
                    told.text += text
                    hear(text, report_of(stream))
                told.end(await stream.get_final_message())
                told.report = report_of(stream)
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            told.fail(error)
    told.seconds = time.monotonic() - began
    return told


def run(call: Call, hear: Hear, *, in_async: bool = False) -> Told:
    """Stream the call, in a new event loop if it is async."""
    return asyncio.run(listen_async(call, hear)) if in_async else listen(call, hear)


def report_of(source: object) -> StreamReport | None:
    """The report of a stream or an exception, if there is one."""
    try:
        return report(source)
    except LookupError:
        return None


def name_of(error: Exception) -> str:
    """An exception's class with its top-level package."""
    package = type(error).__module__.partition(".")[0]
    return type(error).__name__ if package == "builtins" else f"{package}.{type(error).__name__}"
