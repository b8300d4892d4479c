"""What the library costs when nothing fails: processor time against the bare SDK, in one run.

``python -m chaos.overhead`` streams the same answer from the stand-in with a bare client, a resilient
one, and a resilient one without telemetry, in turns, sync and async, for each way in which a wire may cut
the stream into chunks, and compares the processor time of the reading thread. No OpenTelemetry SDK is
configured.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any, TypeAlias

import anthropic

from resilient_stream import RetryPolicy, resilient
from resilient_stream.testing import StandIn
from resilient_stream.testing.faults import Fault, Slices

ROUNDS = 15
ANSWER = "hello word and some more " * 2000
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
    began, events = time.thread_time(), 0
    asked = client.messages.stream(
        model="claude-sonnet-5", max_tokens=9, messages=[{"role": "user", "content": "x"}]
    )
    if isinstance(client, anthropic.AsyncAnthropic):
        async with asked as stream:
            async for _ in stream:
                events += 1
    else:
        with asked as stream:
            for _ in stream:
                events += 1
    return (time.thread_time() - began) / events * 1e6


async def rounds(bare: Any) -> list[Round]:
    """The costs of the bare client, the resilient one and the one without telemetry, round by round."""
    clients: Clients = (bare, resilient(bare), resilient(bare, RetryPolicy(telemetry=False)))
    for client in clients:
        await cost(client)
    return [[await cost(client) for client in clients] for _ in range(ROUNDS)]


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
    for name, fault in WIRES.items():
        with StandIn(reply=ANSWER, always=fault) as server:
            with anthropic.Anthropic(base_url=server.url, api_key="any") as bare:
                tell(f"{name}, sync", await rounds(bare))
            async with anthropic.AsyncAnthropic(base_url=server.url, api_key="any") as bare:
                tell(f"{name}, async", await rounds(bare))


if __name__ == "__main__":
    asyncio.run(main())
