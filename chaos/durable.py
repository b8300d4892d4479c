"""Processes that are killed while they write, read or store journaled streams: ``python -m chaos.durable --kills 1000``.

Each stream is written by a program with the SDK, and followed by a reader, each in a process of its own; two streams
run at a time. Both processes are killed (SIGKILL) at places that are drawn uniformly over the stream, and begun
again, until the stream is complete. Then must hold: what every writer had handed over to its consumer is a beginning
of the stream; what the readers got, one after the other, is the stream, without a gap or a repetition; its text is
its own answer; and nobody reads it with another stream's cursor or for another owner. With ``--store redis`` a Valkey
server is started, and killed and started again meanwhile, too.

Then writers are suspended (SIGSTOP) until another one has finished their stream, and wake: they may write nothing.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Final

from resilient_stream.errors import ForeignCursor, UnknownStream
from resilient_stream.journal import Journal
from resilient_stream.testing import StandIn

from . import durable_lives as lives
from .durable_laws import wrong
from .durable_lives import DONE, LOST, answer_to, whole_lines
from .durable_roles import Role

PACES: Final = (0.0, 0.001)
"""Seconds between two events of a stand-in: a writer that always has something to do, and one that waits."""

EVENTS: Final = 165
"""Of a stream, about."""

FEW, MANY = 1, 12
"""Kills of one process of a stream."""

LONGEST: Final = 120.0
"""Seconds after which a stream that is not complete is a failure."""


@dataclass
class Tally:
    """What came of it."""

    streams: int = 0
    writers: list[float] = field(default_factory=list)
    """Where writers were killed: what they had handed over by then, as a part of the stream."""
    readers: list[float] = field(default_factory=list)
    restarts: int = 0
    requests: int = 0
    stops: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """Processes that were killed."""
        return len(self.writers) + len(self.readers)


def places(chance: random.Random, most: int) -> list[int]:
    """Where a process is killed: anywhere in the stream, and seldom while it starts."""
    some = chance.randint(min(FEW, most), min(MANY, most))
    return sorted(0 if chance.random() < 0.03 else chance.randrange(1, EVENTS) for _ in range(some))


class Stream:
    """One stream, its writer and its reader."""

    def __init__(
        self, journal_url: str, api: str, key: str, folder: str, chance: random.Random, most: int
    ) -> None:
        self.key, self._url = key, journal_url
        self._lives, self._notes = f"{folder}/{key}.lives", f"{folder}/{key}.notes"
        writers = places(chance, most)
        readers = places(chance, most - len(writers))
        self.writer = Role(lives.write, (journal_url, api, key, self._lives), writers, stop=False)
        self.reader = Role(lives.read, (journal_url, key, self._notes), readers)

    @property
    def roles(self) -> tuple[Role, Role]:
        """Its processes."""
        return self.writer, self.reader

    def judge(self, journal: Journal, tally: Tally, foreign: str) -> None:
        """Say what is wrong with it, and where its processes were killed.

        Args:
            journal: where it is.
            tally: is told.
            foreign: a cursor of another stream.
        """
        frames = [entry.frame.decode() for entry in journal.read(self.key)]
        notes = whole_lines(Path(self._notes))
        tally.streams += 1
        tally.writers += [at / len(frames) for at in self.writer.killed]
        tally.readers += [at / len(frames) for at in self.reader.killed]
        found = [
            *wrong(self.key, frames, whole_lines(Path(self._lives)), notes),
            *self._foreign(journal, foreign),
        ]
        tally.wrong += [f"{self.key}: {what}" for what in found]

    def _foreign(self, journal: Journal, cursor: str) -> Iterator[str]:
        for error, options in (
            (ForeignCursor, {"after": cursor}),
            (UnknownStream, {"owner": journal.owner_of("another")}),
        ):
            try:
                journal.read(self.key, **options)
            except error:
                continue
            yield "it was read by a stranger"

    def close(self) -> None:
        """End what still runs."""
        for role in self.roles:
            if role.process.exitcode is None:
                role.process.kill()
                role.process.join()
            role.pipe.close()


def together(
    tally: Tally,
    journal_url: str,
    apis: list[str],
    chance: random.Random,
    most: int,
    killed: Callable[[], object],
) -> None:
    """Two streams at a time, with so many kills at most; ``killed`` is called after each."""
    with tempfile.TemporaryDirectory(prefix="resilient-durable-") as folder:
        streams = list[Stream]()
        for at in range(2):
            left = most - sum(len(role.places) for stream in streams for role in stream.roles)
            key = f"stream-{tally.streams + at}-{chance.getrandbits(32):08x}"
            some = -(-left // (2 - at))
            streams.append(Stream(journal_url, chance.choice(apis), key, folder, chance, some))
        roles = [role for stream in streams for role in stream.roles]
        try:
            end = time.monotonic() + LONGEST
            while waiting := [each for role in roles for each in role.waits_for]:
                if time.monotonic() > end:
                    tally.wrong.append(f"{[s.key for s in streams]}: not complete after {LONGEST:g} s")
                    return
                starts = any(role.places[:1] == [0] for role in roles if not role.done)
                wait(waiting, 0.0 if starts else 1.0)
                for role in roles:
                    if role.tend(chance):
                        killed()
        finally:
            for stream in streams:
                stream.close()
        with Journal(journal_url) as journal:
            cursors = [next(iter(journal.read(stream.key))).cursor for stream in streams]
            for stream, foreign in zip(streams, reversed(cursors), strict=True):
                stream.judge(journal, tally, foreign)


def torture(
    journal_url: str,
    kills: int,
    seed: int,
    *,
    restart: Callable[[], object] = bool,
    restarts: int = 0,
    say: Callable[[str], object] = bool,
) -> Tally:
    """Kill processes until so many were killed.

    Args:
        journal_url: of the journal.
        kills: how many.
        seed: of chance.
        restart: kills the journal's server and starts it again.
        restarts: how often that is done, spread over all.
        say: is told how far it is.
    """
    chance, tally, count = random.Random(seed), Tally(), 0

    def killed() -> None:
        nonlocal count
        count += 1
        if tally.restarts * kills < restarts * count:
            restart()
            tally.restarts += 1

    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                StandIn(reply=lambda body: answer_to(body["messages"][0]["content"]), pace=pace)
            )
            for pace in PACES
        ]
        while tally.kills < kills and len(tally.wrong) < 5:
            together(tally, journal_url, [each.url for each in servers], chance, kills - tally.kills, killed)
            say(f"{tally.kills} kills, {tally.streams} streams, wrong: {len(tally.wrong)}")
        tally.requests = sum(len(server.requests) for server in servers)
    return tally


def stopped(journal_url: str, seed: int = 0) -> list[str]:
    """A writer that is suspended (SIGSTOP) until another one has finished its stream, and wakes then; what is wrong."""
    found, key, place = list[str](), f"stopped-{seed}", random.Random(seed).randrange(1, EVENTS - 20)
    api = StandIn(reply=lambda body: answer_to(body["messages"][0]["content"]), pace=PACES[1])
    with api as server, tempfile.TemporaryDirectory() as folder:
        first = Role(lives.write, (journal_url, server.url, key, f"{folder}/first"), [place], stop=True)
        assert first.pipe.recv_bytes() == lives.THERE
        _until_stopped(first.process.pid)
        second = Role(lives.write, (journal_url, server.url, key, f"{folder}/second"), [], stop=False)
        second.process.join(LONGEST)
        with Journal(journal_url) as journal:
            before = [entry.frame for entry in journal.read(key)]
            os.kill(first.process.pid, signal.SIGCONT)
            first.process.join(LONGEST)
            after = [entry.frame for entry in journal.read(key)]
        if (ends := (first.process.exitcode, second.process.exitcode)) != (LOST, DONE):
            found.append(f"the writers ended with {ends}")
        if before != after:
            found.append("who was suspended has written")
        frames = [frame.decode() for frame in after]
        notes = [json.dumps(["", at, frame]).encode() for at, frame in enumerate(frames, 1)]
        for role in (first, second):
            found += wrong(key, frames, whole_lines(role.log), notes)
            role.pipe.close()
    return [f"{key}: {what}" for what in found]


def _until_stopped(pid: int) -> None:
    """Wait until a child of the fork server is suspended: nobody but its parent is told by the system."""
    end = time.monotonic() + LONGEST
    while Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"T":
        assert time.monotonic() < end, "it was not suspended"
        time.sleep(0.001)


def _tenths(places_: list[float]) -> str:
    counts = collections.Counter(min(9, int(place * 10)) for place in places_ if place)
    return (
        f"{' '.join(str(counts[tenth]) for tenth in range(10))}; before the first event {places_.count(0.0)}"
    )


def told(tally: Tally, seconds: float) -> str:
    """What came of it, for people."""
    return (
        f"{tally.kills} kills of {tally.streams} streams, {tally.requests} requests, {tally.restarts} restarts of the "
        f"store, {tally.stops} suspended writers, {seconds:.0f} s\n"
        f"{len(tally.writers)} writers killed, by tenths of their stream: {_tenths(tally.writers)}\n"
        f"{len(tally.readers)} readers killed, by tenths of their stream: {_tenths(tally.readers)}\n"
        f"wrong: {len(tally.wrong)}\n" + "".join(f"wrong: {what}\n" for what in tally.wrong)
    )


def main() -> int:
    """Run it; 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--store", choices=("sqlite", "redis"), default="sqlite")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--restarts", type=int, default=20, help="of a Redis server")
    parser.add_argument("--stops", type=int, default=3, help="writers that are suspended")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        url, restarts = f"sqlite:///{folder}/streams.db", 0
        restart: Callable[[], object] = bool
        if args.store == "redis":
            from tests.support.journals import Server

            server = Server(lasting=True)
            stack.callback(server.close)
            url, restart, restarts = server.url, server.restart, args.restarts
        tally = torture(
            url,
            args.kills,
            args.seed,
            restart=restart,
            restarts=restarts,
            say=lambda line: sys.stderr.write(f"\r{line}"),
        )
        for seed in range(args.stops):
            tally.wrong += stopped(url, args.seed + seed)
            tally.stops += 1
    sys.stdout.write(f"\n{args.store}: {told(tally, time.monotonic() - began)}")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
