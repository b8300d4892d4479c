"""What the gateway costs, next to other proxies: ``python -m benchmarks.gateway`` writes the figures into
docs/gateway.md.

An API that writes paced streams, a proxy and a reader are separate processes. Each event has the time at
which it was written. What a proxy adds is the reader's delay through it, less the delay without it, in the
same round. The proxies take turns. Processor time is that of the proxy's process alone. Parts that need nginx
or litellm (``--litellm FILE``, the command in its own environment) report if it is missing.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import os
import platform
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chaos.pages import put

from . import crowd
from .proxies import EVENTS, PACE, Door, apart, api, gateway, litellm, more_files, nginx

PAGE: Final = Path(__file__).parents[1] / "docs" / "gateway.md"

CROWDS: Final = (1, 16, 256)
RAMP: Final = (256, 384, 512, 640, 768, 896)
LATE: Final = 100.0
"""Milliseconds of added delay, at the 99th percentile, at which a worker counts as full."""
ROUNDS: Final = 3
MANY: Final = 1_000
"""Streams at once, a tenth of which is cut."""
STUCK: Final = 100
"""Clients that read nothing."""
DELTA: Final = b'data: {"type":"content_block_delta"'
STAMP: Final = re.compile(rb'"text":"(\d{20}) ')
BODY: Final = json.dumps(
    {
        "model": "claude-sonnet-5",
        "max_tokens": 4096,
        "stream": True,
        "messages": [{"role": "user", "content": "word " * 400}],
    }
).encode()


# -- the reader ----------------------------------------------------------------------------------


def request(path: str, body: bytes = BODY) -> bytes:
    """A request for a stream."""
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: k\r\nauthorization: Bearer k\r\n"
    fields = f"anthropic-version: 2023-06-01\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return (head + fields).encode() + body


@dataclass
class Read:
    """The result of reading some streams at once."""

    delays: list[float] = field(default_factory=list)
    """Milliseconds from the API's writing an event until it was read."""
    whole: int = 0
    seconds: float = 0.0

    def at(self, percent: int) -> float:
        """A percentile of the delays."""
        return sorted(self.delays)[min(len(self.delays) - 1, len(self.delays) * percent // 100)]


async def read(door: Door, streams: int) -> Read:
    """Read this many streams at once."""
    got = Read()

    async def one(number: int) -> None:
        await asyncio.sleep(PACE * number / streams)  # so that they are not in step
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(request(door.path))
        last = b""
        while b"message_stop" not in last:
            piece = await reader.read(65536)
            if not piece:
                break
            now = time.monotonic_ns()
            got.delays += [(now - int(stamp)) / 1e6 for stamp in STAMP.findall(piece)]
            last = last[-40:] + piece
        got.whole += b"message_stop" in last
        writer.close()

    began, used = time.monotonic(), door.seconds()
    await asyncio.gather(*(one(number) for number in range(streams)))
    got.seconds = (door.seconds() - used) / (time.monotonic() - began)
    if got.whole != streams:
        print(f"  {door.name}: {got.whole} of {streams} streams came whole")
    return got


# -- the figures ---------------------------------------------------------------------------------


@dataclass
class Figures:
    """The median of the rounds, for one proxy and one number of streams."""

    name: str
    streams: int
    event: list[float] = field(default_factory=list)
    """Microseconds of processor time for each event."""
    median: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    """Milliseconds that it adds: half of the events, and 99 of 100, have less."""

    def row(self) -> str:
        """As a row of the table."""
        event, median, late = map(statistics.median, (self.event, self.median, self.late))
        return f"| {self.name} | {self.streams} | {event:,.0f} µs | {median:.2f} ms | {late:.2f} ms |"


async def compare(direct: Door, doors: Sequence[Door]) -> list[Figures]:
    """The proxies next to each other."""
    found = [Figures(door.name, streams) for streams in CROWDS for door in doors]
    for door in doors:
        await read(door, 1)  # to load what is loaded with the first request
    for round_ in range(ROUNDS):
        places = iter(found)
        for streams in CROWDS:
            bare = await read(direct, streams)
            for door in doors:
                used, got, into = door.seconds(), await read(door, streams), next(places)
                into.event.append((door.seconds() - used) / max(1, len(got.delays)) * 1e6)
                into.median.append(got.at(50) - bare.at(50))
                into.late.append(got.at(99) - bare.at(99))
            print(f"round {round_ + 1}, {streams} streams", flush=True)
    return found


async def full(direct: Door, door: Door) -> list[tuple[int, float, float]]:
    """Number of streams, share of a processor, and added delay of 99 of 100 events, until a worker is
    full."""
    found = list[tuple[int, float, float]]()
    for streams in RAMP:
        bare, got = await read(direct, streams), await read(door, streams)
        found.append((streams, got.seconds, got.at(99) - bare.at(99)))
        print("ramp", found[-1], flush=True)
        if found[-1][2] > LATE:
            break
    return found


async def many() -> str:
    """A thousand streams, a tenth of them cut, several times: how many are complete, and the memory."""
    said = list[str]()
    policy = 'wait_initial = 0.01\nbudget = "none"\n'
    with tempfile.TemporaryDirectory() as folder, crowd.serving(faulty=True) as (url, length):
        file = Path(folder) / "policy.toml"
        file.write_text(policy)
        port = int(url.rpartition(":")[2])
        with gateway("gateway", port, f"--policy={file}") as door:
            said.append(f"at the start {door.memory():.0f} MB")
            for _ in range(ROUNDS):
                whole = await asyncio.gather(*(text_of(door) for _ in range(MANY)))
                right = sum(each == length for each in whole)
                said.append(f"{right:,} of {MANY:,} whole, then {door.memory():.0f} MB")
                print(said[-1], flush=True)
            said.append(f"at most {door.memory('VmHWM'):.0f} MB")
    return "; ".join(said)


async def text_of(door: Door) -> int:
    """The length of one stream's text, if the stream ended normally."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(request(door.path))
    got = bytearray()
    while piece := await reader.read(65536):
        got += piece
        if b"message_stop" in got[-200:]:
            break
    writer.close()
    whole = b"message_stop" in got
    deltas = [line[6:] for line in bytes(got).splitlines() if line.startswith(DELTA)]
    return sum(len(json.loads(line)["delta"]["text"]) for line in deltas) if whole else 0


async def stuck(door: Door) -> str:
    """Clients that read nothing of endless streams: the gateway's memory, and the delay of other streams."""
    before, quiet = door.memory(), await read(door, 16)
    body = BODY.replace(b"word", b"much", 1)
    clients = [await asyncio.open_connection("127.0.0.1", door.port, limit=1024) for _ in range(STUCK)]
    for _, writer in clients:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(request(door.path, body))
    filling, first = await read(door, 16), door.memory()
    after, second = await read(door, 16), door.memory()
    for _, writer in clients:
        writer.transport.abort()
    seconds = EVENTS * PACE
    return (
        f"{before:.0f} MB before, {first:.0f} MB after {seconds:.0f} s, {second:.0f} MB after {2 * seconds:.0f} s; "
        f"99 of 100 events of 16 other streams come within {filling.at(99):.1f} ms while buffers fill, "
        f"{after.at(99):.1f} ms then, {quiet.at(99):.1f} ms without them"
    )


async def measure(command: str) -> str:
    """All figures: the part of the page between the marks."""
    load = os.getloadavg()[0]
    with contextlib.ExitStack() as stack:
        port: int = stack.enter_context(apart(api))
        direct, missing = Door("direct", port), list[str]()
        ours = stack.enter_context(gateway("gateway", port))
        doors = [stack.enter_context(gateway("gateway, `--policy off`", port, "--policy=off")), ours]
        try:
            doors.insert(0, stack.enter_context(nginx(port)))
        except (OSError, RuntimeError) as error:
            missing.append(f"nginx was not measured: {error}")
        try:
            doors.append(stack.enter_context(litellm(command, port)))
        except (OSError, RuntimeError) as error:
            missing.append(f"litellm was not measured: {error}")
        rows = await compare(direct, doors)
        ramp, held = await full(direct, ours), await stuck(ours)
    return page(rows, ramp, await many(), held, (load, *missing))


def page(
    rows: Sequence[Figures],
    ramp: Sequence[tuple[int, float, float]],
    crowded: str,
    held: str,
    notes: tuple[Any, ...],
) -> str:
    """The figures in Markdown."""
    load, *missing = notes
    ours = statistics.median(next(row.event for row in reversed(rows) if row.name == "gateway"))
    fullest = 1e6 / ours
    climbed = ", ".join(
        f"{streams} streams +{late:.0f} ms at {share:.0%} of a core" for streams, share, late in ramp
    )
    about = (
        f"Measured on {dt.datetime.now(dt.UTC):%Y-%m-%d} with `nox -s bench -- gateway`, Python "
        f"{platform.python_version()}, {os.cpu_count()} cores that the API, the proxy and the reader share with "
        f"other work (load {load:.1f} before the run); {1 / PACE:.0f} events a second in each stream, median of "
        f"{ROUNDS} rounds."
    )
    if load > (os.cpu_count() or 1):
        about += (
            " The machine was busy, so the delays compare the proxies, and are no figures of a quiet machine."
        )
    carried = (
        f"At {ours:.0f} µs an event one worker is full at {fullest:,.0f} events a second: {fullest * PACE:,.0f} such "
        f"streams. The delay that 99 of 100 events stay below, with more and more streams on this machine: {climbed}."
    )
    lines = [
        about,
        "",
        "| proxy | streams | processor time for each event | added, half of the events | added, 99 of 100 |",
        "|---|---:|---:|---:|---:|",
        *(row.row() for row in rows),
        "",
        f"- {carried}",
        f"- {MANY:,} streams at once, a tenth of them cut, {ROUNDS} times: {crowded}.",
        f"- {STUCK} clients that read nothing of streams without an end: {held}.",
        *(f"- {each}" for each in missing),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser()
    home = os.environ.get("LITELLM", "litellm")
    parser.add_argument("--litellm", default=home, help="the command; default $LITELLM, or litellm")
    asked = parser.parse_args()
    more_files()
    part = asyncio.run(measure(asked.litellm))
    print(part)
    put(PAGE, "figures", part)


if __name__ == "__main__":
    main()
