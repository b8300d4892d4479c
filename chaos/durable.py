"""Processes that are killed while they write, read or store a journaled stream: ``python -m chaos.durable --kills 1000``.

Each stream is written by a program with the SDK, and followed by a reader, each in a process of its own. Both are
killed (SIGKILL) at moments by chance, and begun again, until the stream is complete. Then must hold: what every
writer had handed over to its consumer is a beginning of the stream; what the readers got, one after the other, is
the stream, without a gap or a repetition; and its text is the answer. With a Redis URL and ``--restarts`` the
server is killed and started again meanwhile, too.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anthropic

from resilient_stream import RetryPolicy, resilient
from resilient_stream.errors import UnknownStream, WriterGone
from resilient_stream.journal import Journal, journal_key
from resilient_stream.testing import ANSWER, StandIn

PACE: Final = 0.006
"""Seconds between two events of the stand-in."""

ANSWERED: Final = ANSWER[:900].rstrip()
DONE, GONE = 0, 3
LONGEST: Final = 120.0
"""Seconds after which a stream that is not complete is a failure."""

POLICY: Final = RetryPolicy(
    wait_initial=0.001, wait_max=0.01, budget=None, max_attempts=10_000, max_barren_attempts=100
)


def write(journal_url: str, base_url: str, key: str, log: str, stop_at: int = 0) -> None:
    """A writer's life: stream, and note each event once it was handed over. It may suspend itself on the way; at
    any other moment it could hold a lock of SQLite's meanwhile, for which everybody waits."""
    with Journal(journal_url, ttl=2.0, patience=30.0) as journal, Path(log).open("ab", buffering=0) as out:
        client = resilient(anthropic.Anthropic(base_url=base_url, api_key="key"), POLICY, journal=journal)
        stream = client.messages.create(
            model="claude-sonnet-5",
            max_tokens=4096,
            messages=[{"role": "user", "content": key}],
            stream=True,
            extra_headers=journal_key(key),
        )
        out.write(b'"life"\n')
        for number, event in enumerate(stream, 1):
            out.write(event.model_dump_json().encode() + b"\n")
            if number == stop_at:
                os.kill(os.getpid(), signal.SIGSTOP)


def read(journal_url: str, key: str, log: str) -> None:
    """A reader's life: go on behind the last frame that was noted, and note each one."""
    path = Path(log)
    noted = _whole_lines(path)
    path.write_bytes(b"".join(line + b"\n" for line in noted))  # what a kill has cut is no note
    with Journal(journal_url, ttl=2.0, patience=30.0) as journal, path.open("ab", buffering=0) as out:
        try:
            for entry in journal.read(key, after=json.loads(noted[-1])[0] if noted else None):
                out.write(json.dumps([entry.cursor, entry.number, entry.frame.decode()]).encode() + b"\n")
        except (WriterGone, UnknownStream):
            sys.exit(GONE)


def _whole_lines(path: Path) -> list[bytes]:
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
    return whole.split(b"\n") if whole else []


@dataclass
class Tally:
    """What came of it."""

    streams: int = 0
    writers_killed: int = 0
    readers_killed: int = 0
    restarts: int = 0
    requests: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """Processes that were killed."""
        return self.writers_killed + self.readers_killed


Context: Final[Any] = multiprocessing.get_context("forkserver")


@dataclass
class Role:
    """A process that is begun again whenever it is killed."""

    target: Callable[..., None]
    arguments: tuple[str, ...]
    process: Any = None
    done: bool = False
    killed: int = 0
    size: int = 0

    @property
    def log(self) -> Path:
        """What it notes."""
        return Path(self.arguments[-1])

    @property
    def has_noted(self) -> bool:
        """Whether it has noted something in this life."""
        return self.log.exists() and self.log.stat().st_size > self.size

    def tend(self, chance: random.Random, likely: float) -> None:
        """Begin it if it does not run; if it does, kill it, seldom before it has noted anything."""
        if self.done:
            return
        if self.process is None:
            self.size = self.log.stat().st_size if self.log.exists() else 0
            self.process = Context.Process(target=self.target, args=self.arguments, daemon=True)
            self.process.start()
        elif self.process.exitcode is not None:
            self.done = self.process.exitcode == DONE
            self.process = None
        elif chance.random() < (likely if self.has_noted else likely / 20):
            self.process.kill()
            self.process.join()
            self.killed += 1
            self.process = None


def stream(
    tally: Tally, journal_url: str, server: StandIn, chance: random.Random, kills: int, key: str
) -> None:
    """One stream, with so many kills at most."""
    with tempfile.TemporaryDirectory(prefix="resilient-durable-") as folder:
        lives, notes = f"{folder}/lives", f"{folder}/notes"
        writer = Role(write, (journal_url, server.url, key, lives))
        reader = Role(read, (journal_url, key, notes))
        end = time.monotonic() + LONGEST
        while not (writer.done and reader.done):
            if time.monotonic() > end:
                tally.wrong.append(f"{key}: not complete after {LONGEST:g} s")
                break
            time.sleep(chance.uniform(0.0, 0.06))
            left = writer.killed + reader.killed < kills
            writer.tend(chance, 0.5 * left)
            reader.tend(chance, 0.3 * left)
        tally.streams += 1
        tally.writers_killed += writer.killed
        tally.readers_killed += reader.killed
        with Journal(journal_url) as journal:
            frames = [entry.frame.decode() for entry in journal.read(key)] if writer.done else []
        tally.wrong += [
            f"{key}: {what}" for what in _wrong(frames, _whole_lines(Path(lives)), _whole_lines(Path(notes)))
        ]


def _wrong(frames: list[str], lives: list[bytes], notes: list[bytes]) -> Iterator[str]:
    events = [event for event in map(_data, frames) if event["type"] != "ping"]
    text = "".join(e["delta"].get("text", "") for e in events if e["type"] == "content_block_delta")
    if text != ANSWERED:
        yield f"the text is not the answer: {len(text)} characters of {len(ANSWERED)}"
    if [event["type"] for event in events].count("message_stop") != 1:
        yield "it has not one end"
    for life in _lives(lives):
        if life != [_shape(event) for event in events[: len(life)]]:
            yield "a writer handed over what is no beginning of the stream"
    read_ = [json.loads(note) for note in notes]
    if [number for _, number, _ in read_] != list(range(1, len(frames) + 1)):
        yield f"the readers got {len(read_)} frames of {len(frames)}, or not in order"
    if [frame for *_, frame in read_] != frames:
        yield "the readers got other frames"


def _data(frame: str) -> dict[str, Any]:
    (line,) = (line for line in frame.split("\n") if line.startswith("data: "))
    data: dict[str, Any] = json.loads(line[6:])
    return data


def _lives(lines: list[bytes]) -> Iterator[list[Any]]:
    life = list[Any]()
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:  # the kill has cut it, and the next life writes behind it
            said = "life"
        if said == "life":
            yield life
            life = []
        else:
            life.append(_shape(said))
    yield life


def _shape(event: dict[str, Any]) -> Any:
    """What of an event tells it from its neighbours, as the SDK has it and as the wire does."""
    delta = event.get("delta") or {}
    return event["type"], event.get("index"), delta.get("text"), delta.get("stop_reason")


def torture(
    journal_url: str,
    kills: int,
    seed: int,
    *,
    restart: Callable[[], object] | None = None,
    restarts: int = 0,
    say: Callable[[str], object] = lambda _: None,
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
    chance, tally = random.Random(seed), Tally()
    with StandIn(reply=ANSWERED, pace=PACE) as server:
        while tally.kills < kills and len(tally.wrong) < 5:
            some = min(chance.randint(1, 12), kills - tally.kills)
            stream(tally, journal_url, server, chance, some, f"stream-{seed}-{tally.streams}")
            if restart is not None and tally.restarts * kills < restarts * tally.kills:
                restart()
                tally.restarts += 1
            say(f"{tally.kills} kills, {tally.streams} streams, wrong: {len(tally.wrong)}")
        tally.requests = len(server.requests)
    return tally


def stopped(journal_url: str, seed: int = 0) -> list[str]:
    """A writer that is suspended (SIGSTOP) until another one has finished its stream, and wakes then; what is wrong."""
    wrong, key = list[str](), f"stopped-{seed}"
    with StandIn(reply=ANSWERED, pace=PACE) as server, tempfile.TemporaryDirectory() as folder:
        arguments = (journal_url, server.url, key, f"{folder}/first", 10)
        first = Context.Process(target=write, args=arguments, daemon=True)
        first.start()
        _until(lambda: len(_whole_lines(Path(f"{folder}/first"))) > 10)
        second = Context.Process(
            target=write, args=(journal_url, server.url, key, f"{folder}/second"), daemon=True
        )
        second.start()
        second.join(LONGEST)
        with Journal(journal_url) as journal:
            before = [entry.frame for entry in journal.read(key)]
            os.kill(first.pid, signal.SIGCONT)
            first.join(LONGEST)
            after = [entry.frame for entry in journal.read(key)]
        if second.exitcode != DONE or first.exitcode in (DONE, None):
            wrong.append(f"the first ended with {first.exitcode}, the second with {second.exitcode}")
        if before != after:
            wrong.append("who was suspended has written")
        frames = [frame.decode() for frame in after]
        notes = [json.dumps(["", at, frame]).encode() for at, frame in enumerate(frames, 1)]
        for log in ("first", "second"):
            wrong += _wrong(frames, _whole_lines(Path(f"{folder}/{log}")), notes)
    return wrong


def _until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST
    while not there():
        if time.monotonic() > end:
            raise TimeoutError("it did not begin")
        time.sleep(0.005)


def main() -> int:
    """Run it; 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", help="of the journal; a SQLite file of its own by default")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = args.url or f"sqlite:///{folder}/streams.db"
        began = time.monotonic()
        tally = torture(url, args.kills, args.seed, say=lambda line: sys.stderr.write(f"\r{line}"))
        fenced = stopped(url, args.seed)
    seconds = time.monotonic() - began
    sys.stdout.write(
        f"\n{tally.kills} kills ({tally.writers_killed} writers, {tally.readers_killed} readers) of {tally.streams} "
        f"streams, {tally.requests} requests, {seconds:.0f} s\n"
    )
    for what in (*tally.wrong, *fenced):
        sys.stdout.write(f"wrong: {what}\n")
    return 1 if tally.wrong or fenced else 0


Context.set_forkserver_preload(["chaos.durable"])

if __name__ == "__main__":
    sys.exit(main())
