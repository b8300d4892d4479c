"""What the tests of the stand-in share: a client for scripts, and the bare SDK in both worlds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anthropic
import h11

from resilient_stream.testing import Fault, StandIn
from resilient_stream.testing.endpoint import Endpoint, Settings
from resilient_stream.testing.requests import Incoming, Received
from resilient_stream.testing.transcript import compact
from resilient_stream.testing.wire import Answer, Close, Reset, Script, Send

TEXT = "Hello world, café 👋 end."
"""Five deltas of five characters."""

ASK: list[Any] = [{"role": "user", "content": "Tell me about tides."}]
PATIENT = 20.0
HASTY = 0.4

ANSWER = Answer(
    headers=(("request-id", "req_0001"), ("content-type", "text/event-stream")),
    body=(b"one\n\n", b"two\n\n", b"three\n\n"),
    number=1,
)


@dataclass(frozen=True)
class Heard:
    """What an HTTP client makes of a script."""

    status: int
    headers: Mapping[str, str]
    chunks: list[bytes]
    whole: bool

    @property
    def body(self) -> bytes:
        """The body's bytes."""
        return b"".join(self.chunks)


def heard(script: Script) -> Heard:
    """Read a script as an HTTP client would, pauses left out."""
    parser = h11.Connection(h11.CLIENT)
    parser.send(h11.Request(method="POST", target="/", headers=[("host", "x"), ("content-length", "0")]))
    parser.send(h11.EndOfMessage())
    for step in script:
        if isinstance(step, Send):
            parser.receive_data(step.data)
    if isinstance(script[-1], Close):
        parser.receive_data(b"")
    status, headers, chunks = 0, dict[str, str](), list[bytes]()
    while True:
        try:
            event = parser.next_event()
        except h11.RemoteProtocolError:
            return Heard(status, headers, chunks, whole=False)
        if isinstance(event, h11.Response):
            status = event.status_code
            headers = {name.decode(): value.decode() for name, value in event.headers}
        elif isinstance(event, h11.Data):
            chunks.append(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage):
            return Heard(status, headers, chunks, whole=not isinstance(script[-1], Reset))
        elif not isinstance(event, h11.InformationalResponse):
            return Heard(status, headers, chunks, whole=False)


def request(messages: Sequence[Any] = ASK, **more: Any) -> dict[str, Any]:
    """A request's JSON."""
    return {"model": "claude-opus-5", "max_tokens": 4000, "messages": list(messages), **more}


def incoming(body: Any, path: str = "/v1/messages", method: str = "POST", **headers: str) -> Incoming:
    """A request as the server hands it on."""
    raw = body if isinstance(body, bytes) else compact(body).encode()
    return Incoming(method, path, {"x-api-key": "k"} | headers, raw)


def endpoint(**settings: Any) -> Endpoint:
    """An endpoint without a server."""
    return Endpoint(Settings(**settings))


def ask(point: Endpoint, body: Any, path: str = "/v1/messages", **more: str) -> tuple[Heard, Received]:
    """One request to an endpoint: the answer and the record."""
    """One request to an endpoint: the answer as a client reads it, and the record."""
    answer = heard(point.take(incoming(body, path, **more)))
    return answer, point.received[-1]


@dataclass
class Got:
    """What a program got out of one call with the bare SDK."""

    raised: str = ""
    text: str = ""
    stop: str | None = None
    events: list[str] = field(default_factory=list[str])


def name_of(error: Exception) -> str:
    """An exception's class with its top-level package."""
    package = type(error).__module__.partition(".")[0]
    return type(error).__name__ if package == "builtins" else f"{package}.{type(error).__name__}"


class QuickClient(anthropic.Anthropic):
    """The SDK's client without its pauses between retries."""

    def _calculate_retry_timeout(self, *_args: Any, **_kwargs: Any) -> float:
        return 0.0


def client(server: StandIn, *, timeout: float = PATIENT, max_retries: int = 0) -> anthropic.Anthropic:
    """The SDK's own client for a stand-in."""
    transport = anthropic.DefaultHttpxClient(verify=False)
    return QuickClient(
        base_url=server.url, api_key="k", timeout=timeout, max_retries=max_retries, http_client=transport
    )


def consume(client: anthropic.Anthropic, messages: Sequence[Any] = ASK, **more: Any) -> Got:
    """One streamed call, sync."""
    got = Got()
    try:
        with client.messages.stream(**request(messages, **more)) as stream:
            for event in stream:
                got.events.append(event.type)
                got.text += event.text if event.type == "text" else ""
            got.stop = stream.get_final_message().stop_reason
    except Exception as error:  # noqa: BLE001 - that is what is asked for
        got.raised = name_of(error)
    return got


async def consume_async(client: anthropic.AsyncAnthropic, messages: Sequence[Any] = ASK, **more: Any) -> Got:
    """One streamed call, async."""
    got = Got()
    try:
        async with client.messages.stream(**request(messages, **more)) as stream:
            async for event in stream:
                got.events.append(event.type)
                got.text += event.text if event.type == "text" else ""
            got.stop = (await stream.get_final_message()).stop_reason
    except Exception as error:  # noqa: BLE001 - that is what is asked for
        got.raised = name_of(error)
    return got


def sync_calls(server: StandIn, calls: int, timeout: float, pause: Callable[[], object]) -> Got:
    """Some calls over one client, sync; what the last one got."""
    with client(server, timeout=timeout) as bare:
        got = Got()
        for number in range(calls):
            got = consume(bare)
            if number < calls - 1:
                pause()
        return got


def async_calls(server: StandIn, calls: int, timeout: float, pause: Callable[[], object]) -> Got:
    """Some calls over one client, async; what the last one got."""

    async def run() -> Got:
        transport = anthropic.DefaultAsyncHttpxClient(verify=False)
        async with anthropic.AsyncAnthropic(
            base_url=server.url, api_key="k", timeout=timeout, max_retries=0, http_client=transport
        ) as bare:
            got = Got()
            for number in range(calls):
                got = await consume_async(bare)
                if number < calls - 1:
                    pause()
            return got

    return asyncio.run(run())


CONSUMERS: Mapping[str, Callable[[StandIn, int, float, Callable[[], object]], Got]] = {
    "sync": sync_calls,
    "async": async_calls,
}


def meet(faults: Sequence[Fault | None], consumer: str = "sync", timeout: float = PATIENT) -> Got:
    """Let the bare SDK meet faults, one per call; what the last call got."""
    with StandIn(reply=TEXT, faults=faults, delta_size=5) as server:
        # An idle connection that the server closes has to be closed before the next call.
        pause = server.wait_closed if type(faults[0]).__name__ == "IdleClose" else lambda: None
        return CONSUMERS[consumer](server, len(faults), timeout, pause)
