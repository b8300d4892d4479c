"""Processor time per event over a socket, through the SDK and through clients of httpx and httpx2.

``python -m benchmarks.sockets`` reads the same answer from the stand-in with a bare client and a resilient
one in turns, for each way in which a wire may cut a stream into chunks. It compares the processor time of the
reading thread. Clients of httpx and httpx2 read lines, as the API's documentation shows, and do not parse
them.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from dataclasses import dataclass
from typing import Any, Final

import anthropic
import httpx
import httpx2

from resilient_stream import resilient
from resilient_stream.testing import StandIn
from resilient_stream.testing.faults import Fault, Slices

ANSWER: Final = "hello word and some more "
SIZES: Final = {3_000: 15, 100_000: 3}
"""About the number of events of a stream, and the number of rounds. The longer streams show how much of a ratio is the
cost of opening a stream; their events have a chunk each."""
EVENTS_OF_EACH: Final = 1.56
"""Events of one `ANSWER`."""
ASKED: Final[dict[str, Any]] = {
    "model": "claude-sonnet-5",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "x"}],
}
WIRES: Final[dict[str, Fault | None]] = {
    "one event a chunk": None,
    "many (1,460 bytes)": Slices(size=1460),
    "cut (80 bytes)": Slices(size=80),
}
DOORS: Final = ("sdk", "httpx", "httpx2")


@dataclass(frozen=True, slots=True)
class Row:
    """The costs of one way to read."""

    door: str
    world: str
    wire: str
    events: int
    """About the number of events of a stream."""
    bare: float
    """Microseconds for each event, of the fastest round."""
    ratio: float
    """The resilient client's time divided by the bare one's, the median of the rounds."""


async def microseconds(client: Any) -> float:
    """This thread's processor time for each event of one stream."""
    sdk = isinstance(client, anthropic.Anthropic | anthropic.AsyncAnthropic)
    began, events = time.thread_time(), await (of_the_sdk if sdk else of_lines)(client)
    return (time.thread_time() - began) / events * 1e6


async def of_the_sdk(client: Any) -> int:
    """Read the SDK's events. Return how many there were."""
    events, asked = 0, client.messages.stream(**ASKED)
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
    """Read the lines of a body. Return how many events there were."""
    events, asked = 0, client.stream("POST", "/v1/messages", json={**ASKED, "stream": True})
    if isinstance(client, httpx.AsyncClient | httpx2.AsyncClient):
        async with asked as response:
            async for line in response.aiter_lines():
                events += line.startswith("data:")
    else:
        with asked as response:
            for line in response.iter_lines():
                events += line.startswith("data:")
    return events


def clients(door: str, url: str) -> tuple[Any, Any]:
    """A sync and an async client."""
    if door == "sdk":
        known: Any = {"base_url": url, "api_key": "any"}
        return anthropic.Anthropic(**known), anthropic.AsyncAnthropic(**known)
    http: Any = {"httpx": httpx, "httpx2": httpx2}[door]
    known = {"base_url": url, "headers": {"x-api-key": "any"}, "timeout": 60.0}
    return http.Client(**known), http.AsyncClient(**known)


async def measure(door: str, world: str, wire: str, events: int, bare: Any) -> Row:
    """One row of the table."""
    ours = resilient(bare)
    for client in (bare, ours):
        await microseconds(client)
    times = [(await microseconds(bare), await microseconds(ours)) for _ in range(SIZES[events])]
    ratio = statistics.median(resilient / alone for alone, resilient in times)
    return Row(door, world, wire, events, min(alone for alone, _ in times), ratio)


async def table() -> list[Row]:
    """All rows."""
    rows = list[Row]()
    for door, events, (wire, fault) in itertools.product(DOORS, SIZES, WIRES.items()):
        if events > min(SIZES) and fault is not None:
            continue
        with StandIn(reply=ANSWER * round(events / EVENTS_OF_EACH), always=fault) as server:
            sync, other = clients(door, server.url)
            rows.append(await measure(door, "sync", wire, events, sync))
            rows.append(await measure(door, "async", wire, events, other))
            sync.close()
            await (other.close() if door == "sdk" else other.aclose())
    return rows


async def main() -> None:
    """Measure and print."""
    for row in await table():
        print(
            f"{row.door:6} {row.world:5} {row.wire:18} {row.events:7,}: "
            f"bare {row.bare:5.1f} us, resilient {row.ratio:.3f}"
        )


if __name__ == "__main__":
    asyncio.run(main())
