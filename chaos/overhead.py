"""What the library costs when nothing fails: processor time against the bare SDK, in one run.

``python -m chaos.overhead`` streams the same answer from the stand-in with a bare client, a resilient
one, and a resilient one without telemetry, in turns, sync and async, for each way in which a wire may cut
the stream into chunks, and compares the processor time of the reading thread. The clients are the SDK's, or
those of the packages that are named: ``python -m chaos.overhead sdk httpx httpx2``. No OpenTelemetry SDK is
configured.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from typing import Any, TypeAlias

import anthropic
import httpx
import httpx2

from resilient_stream import RetryPolicy, resilient
from resilient_stream.testing import StandIn
from resilient_stream.testing.faults import Fault, Slices

ROUNDS = 15
ANSWER = "hello word and some more " * 2000
ASK: Any = {"model": "claude-sonnet-5", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
WIRES: dict[str, Fault | None] = {
    "an event in each chunk": None,
    "many in each (1460 bytes)": Slices(size=1460),
    "one in two (80 bytes)": Slices(size=80),
}
"""How chunks cut the stream; an event has some 150 bytes."""

Clients: TypeAlias = tuple[Any, Any, Any]
Round: TypeAlias = list[float]


async def cost(client: Any) -> float:
    """Microseconds of this thread's processor time per event."""
    sdk = isinstance(client, anthropic.Anthropic | anthropic.AsyncAnthropic)
    began, events = time.thread_time(), await (of_the_sdk if sdk else of_lines)(client)
    return (time.thread_time() - began) / events * 1e6


async def of_the_sdk(client: Any) -> int:
    """Read the SDK's events; how many there were."""
    events, asked = 0, client.messages.stream(**ASK)
    if isinstance(client, anthropic.AsyncAnthropic):
        async with asked as stream:
            async for _ in stream:
                events += 1
    else:
        with asked as stream:
            for _ in stream:
                events += 1
    return events


async def of_lines(client: Any) -> int:
    """Read the lines of a body, as the API's documentation shows it; how many events there were."""
    events, asked = 0, client.stream("POST", "/v1/messages", json={**ASK, "stream": True})
    if isinstance(client, httpx.AsyncClient | httpx2.AsyncClient):
        async with asked as response:
            async for line in response.aiter_lines():
                events += line.startswith("data:")
    else:
        with asked as response:
            for line in response.iter_lines():
                events += line.startswith("data:")
    return events


def clients(package: str, url: str) -> tuple[Any, Any]:
    """A sync and an async client."""
    if package == "sdk":
        known: Any = {"base_url": url, "api_key": "any"}
        return anthropic.Anthropic(**known), anthropic.AsyncAnthropic(**known)
    http: Any = {"httpx": httpx, "httpx2": httpx2}[package]
    known = {"base_url": url, "headers": {"x-api-key": "any"}, "timeout": 60.0}
    return http.Client(**known), http.AsyncClient(**known)


async def rounds(bare: Any) -> list[Round]:
    """The costs of the bare client, the resilient one and the one without telemetry, round by round."""
    made: Clients = (bare, resilient(bare), resilient(bare, RetryPolicy(telemetry=False)))
    for client in made:
        await cost(client)
    return [[await cost(client) for client in made] for _ in range(ROUNDS)]


def tell(name: str, measured: list[Round]) -> None:
    """Print the ratios of one wire."""
    bares, ours, untold = zip(*measured, strict=True)
    middle = statistics.median(one / other for one, other in zip(ours, bares, strict=True))
    telemetry = statistics.median(one / other for one, other in zip(ours, untold, strict=True))
    print(
        f"{name:32} bare {min(bares):5.1f}, resilient {min(ours):5.1f} us per event at best: "
        f"{min(ours) / min(bares):.3f} ({middle:.3f} in the middle); of it telemetry {telemetry:.3f}"
    )


async def main() -> None:
    """Measure and print."""
    for package in sys.argv[1:] or ["sdk"]:
        print(package)
        for name, fault in WIRES.items():
            with StandIn(reply=ANSWER, always=fault) as server:
                sync, other = clients(package, server.url)
                tell(f"{name}, sync", await rounds(sync))
                tell(f"{name}, async", await rounds(other))
                sync.close()
                await (other.close() if package == "sdk" else other.aclose())


if __name__ == "__main__":
    asyncio.run(main())
