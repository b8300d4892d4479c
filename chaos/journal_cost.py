"""What a journal costs: ``python -m chaos.journal_cost``, for a SQLite file, one that survives a power cut,
and Valkey.

It measures the time of one event with a journal and without, sync and async, by the clock and as processor
time (on a busy machine the first is mostly waiting for a processor). It also measures how long a frame takes
from its writer to a reader of the same process, and to one with another connection to the store.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

import httpx2

from resilient_stream import RetryPolicy, resilient
from resilient_stream.journal import Journal, journaled
from resilient_stream.testing import sse_events
from tests.support.journals import Server, missing

EVENTS: Final = 1_000
WORDS: Final = "The moon pulls. "
READERS_EVENTS: Final = 400
POLICY: Final = RetryPolicy(telemetry=False)
BODY: Final = {"model": "claude-sonnet-5", "max_tokens": 60_000, "stream": True, "messages": []}


class Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A stream that arrives one event at a time."""

    def __init__(self, frames: list[bytes], pause: float = 0.0) -> None:
        self._frames, self._pause = frames, pause

    def __iter__(self) -> Iterator[bytes]:
        for frame in self._frames:
            if self._pause:
                time.sleep(self._pause)
            yield frame

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for frame in self._frames:
            await asyncio.sleep(self._pause)
            yield frame


def transport(count: int, pause: float = 0.0) -> httpx2.MockTransport:
    """A transport that answers with this many events."""
    frames = list(sse_events(WORDS * count, delta_size=len(WORDS)))
    headers = {"content-type": "text/event-stream"}
    return httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, stream=Body(frames, pause)))


def sync_run(journal: Journal | None, key: str, count: int = EVENTS, pause: float = 0.0) -> float:
    """Seconds for one event."""
    with (
        resilient(httpx2.Client(transport=transport(count, pause)), POLICY, journal=journal) as client,
        journaled(key),
    ):
        began = time.perf_counter()
        with client.stream("POST", "https://api.test/v1/messages", json=BODY) as response:
            events = sum(1 for _ in response.iter_raw())
        return (time.perf_counter() - began) / events


def async_run(journal: Journal | None, key: str, streams: int = 1) -> float:
    """Seconds for one event, with this many streams at once."""

    async def one(number: int) -> int:
        made = httpx2.AsyncClient(transport=transport(EVENTS // streams))
        async with resilient(made, POLICY, journal=journal) as client:
            with journaled(f"{key}-{number}"):
                async with client.stream("POST", "https://api.test/v1/messages", json=BODY) as response:
                    return len([chunk async for chunk in response.aiter_raw()])

    async def main() -> float:
        began = time.perf_counter()
        events = sum(await asyncio.gather(*map(one, range(streams))))
        return (time.perf_counter() - began) / events

    return asyncio.run(main())


def latencies(url: str, own: bool) -> list[float]:
    """Seconds from writing a frame to reading it, by the writer's journal or by another one."""
    written, read = dict[int, float](), dict[int, float]()
    with Journal(url) as journal, Journal(url) as other:
        commit = journal.store.commit

        def noted(writes: Any, ttl: float) -> Any:
            answers = commit(writes, ttl)
            now = time.perf_counter()
            for write in writes:
                written.update((write.first + at, now) for at in range(len(write.frames)))
            return answers

        journal.store.commit = noted  # type: ignore[method-assign]  # to know when
        key = f"latency-{own}-{time.time_ns()}"
        writer = threading.Thread(target=sync_run, args=(journal, key, READERS_EVENTS, 0.005))
        writer.start()
        reader = journal if own else other
        while not reader.streams() or all(head.key != key for head in reader.streams()):
            time.sleep(0.001)
        for entry in reader.read(key):
            read[entry.number] = time.perf_counter()
        writer.join()
    return [read[number] - written[number] for number in sorted(written) if number in read][20:]


def microseconds(run: Callable[[int], float], times: int = 5) -> list[int]:
    """The least time for one event of several runs: by the clock, and as processor time."""
    passed, worked = list[float](), list[float]()
    for number in range(times):
        began, wall = time.process_time(), time.perf_counter()
        passed.append(run(number))
        share = (time.process_time() - began) / (time.perf_counter() - wall)
        worked.append(passed[-1] * share)
    return [round(min(passed) * 1e6), round(min(worked) * 1e6)]


def milliseconds(seconds: list[float]) -> list[float]:
    """The median, and the 99th percentile."""
    ordered = sorted(seconds)
    return [round(each * 1e3, 2) for each in (statistics.median(ordered), ordered[int(len(ordered) * 0.99)])]


def measured(url: str, times: int) -> dict[str, Any]:
    """The costs of one store."""
    with Journal(url) as journal:
        return {
            "us an event, sync": microseconds(lambda at: sync_run(journal, f"s{at}"), times),
            "us an event, async": microseconds(lambda at: async_run(journal, f"a{at}"), times),
            "us an event, 20 async streams": microseconds(lambda at: async_run(journal, f"m{at}", 20), times),
            "ms to a reader of the same journal: median, p99": milliseconds(latencies(url, own=True)),
            "ms to a reader of another: median, p99": milliseconds(latencies(url, own=False)),
        }


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=3, help="runs, of which the least counts")
    args = parser.parse_args()
    told: dict[str, Any] = {
        "without a journal": {
            "us an event, sync": microseconds(lambda _: sync_run(None, "none"), args.times),
            "us an event, async": microseconds(lambda _: async_run(None, "none"), args.times),
            "us an event, 20 async streams": microseconds(lambda _: async_run(None, "none", 20), args.times),
        }
    }
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        stores = {
            "SQLite": f"sqlite:///{folder}/streams.db",
            "SQLite, synchronous=full": f"sqlite:///{folder}/full.db?synchronous=full",
        }
        if missing() is None:
            server = Server()
            stack.callback(server.close)
            stores["Valkey"] = server.url
        for name, url in stores.items():
            told[name] = measured(url, args.times)
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
