"""Processor time per event while nothing fails, against the bare SDK.

``python -m benchmarks.overhead`` reads the same stream with a bare client, one with the library, and one with
the SDK's own fallback middleware, in turns. A round's ratio compares reads that follow one another, and the
result is the median of the rounds, so other work on the machine affects all of them alike.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from anthropic.lib.middleware import BetaRefusalFallbackMiddleware

from resilient_stream import resilient

from .streams import KINDS, WIRES, Memory, async_client, chunks, client, events

ASKED: Final[dict[str, Any]] = {
    "model": "claude-sonnet-5",
    "max_tokens": 1_000_000,
    "messages": [{"role": "user", "content": "x"}],
}
SIZES: Final = {3_000: 15, 100_000: 3}
"""Deltas of a stream, and the number of rounds."""
WORLDS: Final = ("sync", "async")

Read = Callable[[], Awaitable[float]]
"""Reads one stream. Returns microseconds of this thread's processor time for each event."""


@dataclass(frozen=True, slots=True)
class Row:
    """The costs of one way to read."""

    world: str
    wire: str
    kind: str
    deltas: int
    bare: float
    """Microseconds for each event, of the fastest round."""
    resilient: float
    """Ratio to the bare SDK, the median of the rounds."""
    fallback: float
    """As `resilient`, of the SDK's middleware."""

    def __str__(self) -> str:
        return (
            f"{self.world:5} {self.wire:19} {self.kind:9} {self.deltas:7,}: bare {self.bare:5.1f} us, "
            f"resilient {self.resilient:.3f}, fallback middleware {self.fallback:.3f}"
        )


def sync_reader(made: Any) -> Read:
    """Read with a sync client."""

    async def read() -> float:
        began, count = time.thread_time(), 0
        with made.beta.messages.stream(**ASKED) as stream:
            for _ in stream:
                count += 1
        return (time.thread_time() - began) / count * 1e6

    return read


def async_reader(made: Any) -> Read:
    """Read with an async client."""

    async def read() -> float:
        began, count = time.thread_time(), 0
        async with made.beta.messages.stream(**ASKED) as stream:
            async for _ in stream:
                count += 1
        return (time.thread_time() - began) / count * 1e6

    return read


def readers(world: str, body: Sequence[bytes]) -> list[Read]:
    """The bare client, the resilient one, and one with the SDK's middleware."""
    made, read = (client, sync_reader) if world == "sync" else (async_client, async_reader)
    fallback: Any = BetaRefusalFallbackMiddleware([{"model": "claude-haiku-4-5"}])
    return [
        read(made(Memory(body))),
        read(resilient(made(Memory(body)))),
        read(made(Memory(body), middleware=[fallback])),
    ]


async def measure(world: str, wire: str, kind: str, deltas: int, rounds: int) -> Row:
    """One row of the table."""
    for read in readers(world, chunks(events(kind, min(SIZES)), WIRES[wire])):
        await read()
    reads = readers(world, chunks(events(kind, deltas), WIRES[wire]))
    gc.collect()
    gc.disable()
    try:
        times = [[await read() for read in reads] for _ in range(rounds)]
    finally:
        gc.enable()
    bare = [each[0] for each in times]
    ratios = [statistics.median(each[which] / each[0] for each in times) for which in (1, 2)]
    return Row(world, wire, kind, deltas, min(bare), *ratios)


async def table(sizes: dict[int, int]) -> list[Row]:
    """All rows."""
    return [
        await measure(world, wire, kind, deltas, rounds)
        for deltas, rounds in sizes.items()
        for wire in WIRES
        for kind in KINDS
        for world in WORLDS
    ]


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="only streams of 3,000 events, in few rounds")
    arguments = parser.parse_args()
    for row in await table({3_000: 7} if arguments.short else SIZES):
        print(row)


if __name__ == "__main__":
    asyncio.run(main())
