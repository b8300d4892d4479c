"""Many streams at once, a tenth of which is cut, against the bare SDK.

The SDK alone reads the same streams without a fault, and with the same faults, where the program asks again.
``python -m benchmarks.crowd`` runs a thousand async streams in one loop, then two hundred threads, with short
streams and long ones. The stand-in is a separate process. A cut stream needs a second request, so what counts is
how long that takes beside the rest.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import multiprocessing
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

import anthropic
import httpx2

from resilient_stream import RetryPolicy, resilient
from resilient_stream.testing import StandIn, cut_at, markdown

from .overhead import ASKED

STREAMS: Final = {"async": 1_000, "threads": 200}
TENTH: Final = 10
PARAGRAPHS: Final = (4, 40, 120)
"""Lengths of the texts."""
ROUNDS: Final = 3
LONG: Final = 30_000
"""Paragraphs of all its streams together from which on a crowd takes half a minute or more."""
ROUNDS_OF_LONG: Final = 2
"""Rounds of such a crowd."""
SIZE: Final = 40
"""Characters of a delta."""
NO_WAIT: Final = RetryPolicy(
    wait_initial=0, wait_max=0, overload_wait_initial=0, overload_wait_max=0, connect_timeout=60, budget=None
)
"""A policy that waits for connections as long as the bare client does. A thousand connections at once take a
busy loop more than the default of 5 s. They would then count as failures, and be retried from a budget to
which they have not contributed yet."""
UNLIMITED: Final = httpx2.Limits(max_connections=None, max_keepalive_connections=None)


def serve(pipe: Connection) -> None:
    """Run a stand-in, which cuts a tenth of the first answers in their middle if it is told to."""
    faulty, paragraphs = pipe.recv()
    text = markdown(paragraphs)

    def fault(number: int, _: Any) -> Any:
        return cut_at(len(text) // 2, "rst") if faulty and number % TENTH == 0 else None

    with StandIn(reply=text, faults=fault, delta_size=SIZE, strict=False) as server:
        pipe.send((server.url, len(text)))
        pipe.recv()


@contextmanager
def serving(paragraphs: int = PARAGRAPHS[0], *, faulty: bool) -> Generator[tuple[str, int]]:
    """The address of such a stand-in, and the length of its text."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    process.start()
    try:
        ours.send((faulty, paragraphs))
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one crowd."""

    world: str
    who: str
    deltas: int
    whole: int
    streams: int
    seconds: float
    """Processor time of the client's process for each stream whose text was complete."""


BARE, AGAIN, OURS = "bare, no fault", "bare, a tenth cut", "resilient, a tenth cut"
WHO: Final = (BARE, AGAIN, OURS)
TRIES: Final = 5
"""How often a stream that breaks is asked for, from its beginning, where nothing continues it."""
BROKEN: Final = (anthropic.APIError, httpx2.TransportError)


async def in_one_loop(client: Any, streams: int) -> list[int]:
    """The lengths of the texts of this many async streams at once."""

    async def one() -> int:
        for _ in range(TRIES):
            with contextlib.suppress(*BROKEN):
                async with client.messages.stream(**ASKED) as stream:
                    return sum([len(text) async for text in stream.text_stream])
        return 0

    results = await asyncio.gather(*(one() for _ in range(streams)), return_exceptions=True)
    return [each if isinstance(each, int) else 0 for each in results]


def in_threads(client: Any, streams: int) -> list[int]:
    """As `in_one_loop`, each in a thread."""

    def one(_: int) -> int:
        for _ in range(TRIES):
            with contextlib.suppress(*BROKEN), client.messages.stream(**ASKED) as stream:
                return sum(len(text) for text in stream.text_stream)
        return 0

    with ThreadPoolExecutor(streams) as pool:
        return list(pool.map(one, range(streams)))


async def measure(world: str, who: str, paragraphs: int) -> Row:
    """One crowd, after a few streams that are not counted: a client imports what its first streams need."""
    with serving(paragraphs, faulty=who != BARE) as (url, length):
        options: Any = {"api_key": "any", "base_url": url, "max_retries": 0}
        if world == "async":
            bare: Any = anthropic.AsyncAnthropic(
                **options, http_client=httpx2.AsyncClient(limits=UNLIMITED, timeout=60)
            )
        else:
            bare = anthropic.Anthropic(**options, http_client=httpx2.Client(limits=UNLIMITED, timeout=60))
        client = resilient(bare, NO_WAIT) if who == OURS else bare
        for streams in (TENTH, STREAMS[world]):
            gc.collect()  # else it looks at all objects of the SDK's import in some crowds, and not in others
            began = time.process_time()
            came = await in_one_loop(client, streams) if world == "async" else in_threads(client, streams)
            took, whole = time.process_time() - began, sum(each == length for each in came)
    return Row(world, who, math.ceil(length / SIZE), whole, streams, took / max(1, whole))


async def table() -> list[Row]:
    """The best of the rounds, which are interleaved."""
    rows = list[Row]()
    for world, streams in STREAMS.items():
        for paragraphs in PARAGRAPHS:
            rounds = ROUNDS if streams * paragraphs < LONG else ROUNDS_OF_LONG
            crowds = [[await measure(world, who, paragraphs) for who in WHO] for _ in range(rounds)]
            rows += [min(each, key=lambda row: row.seconds) for each in zip(*crowds, strict=True)]
    return rows


async def main() -> None:
    """Measure and print."""
    for row in await table():
        print(
            f"{row.streams:5,} {row.world:7} {row.deltas:5,} deltas, {row.who:22}: {row.whole:5,} whole, "
            f"{row.seconds * 1e3:5.2f} ms of processor time for each"
        )


if __name__ == "__main__":
    asyncio.run(main())
