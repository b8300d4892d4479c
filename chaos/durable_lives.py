"""What the processes of `chaos.durable` do: write a stream until they are killed, or read one.

Each notes in a file what it was handed, as soon as it was, and says through a pipe when it has come to the
place where it shall be killed. It goes on meanwhile, so the kill falls into whatever it does then.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import anthropic
import httpx2

from resilient_stream import RetryPolicy, resilient
from resilient_stream.errors import JournalUnavailable, LeaseLost, UnknownStream, WriterGone
from resilient_stream.journal import Journal, journal_key
from resilient_stream.testing import sse_events

DONE, AWAY, LOST = 0, 3, 4
"""Exit statuses: the stream is complete; the store could not be reached, try again; another one writes the stream."""

THERE: Final = b"there"
"""What a process says at the place where it shall be killed."""

TTL: Final = 2.0
PATIENCE: Final = 30.0

POLICY: Final = RetryPolicy(
    wait_initial=0.001,
    wait_max=0.01,
    budget=None,
    max_attempts=10_000,
    max_barren_attempts=100,
    journal_failure="stop",  # or a stream that begins while the store is away is not journaled
)

WORDS: Final = [
    "amber",
    "basin",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heath",
    "inlet",
    "jetty",
    "knoll",
    "lagoon",
    "mesa",
    "north",
    "oasis",
    "prairie",
    "quarry",
    "ridge",
    "shore",
    "tundra",
    "upland",
    "valley",
    "willow",
    "zenith",
]

_CLIENT: Final = httpx2.Client(trust_env=False)
"""Made once, in the process that all others are forked from: its TLS context takes longer than a stream. It has no
connection before the fork."""


def answer_to(key: str) -> str:
    """The answer of a stream, which is no other stream's."""
    chance = random.Random(key)
    sentences = (" ".join(chance.choices(WORDS, k=9)).capitalize() + "." for _ in range(40))
    return f"This is {key}. {' '.join(sentences)}"


def write(
    journal_url: str, base_url: str, key: str, log: str, at: int, pipe: Connection, *, stop: bool
) -> None:
    """A writer's life: stream, and note each event once it was handed over.

    Args:
        journal_url: of the journal.
        base_url: of the API.
        key: the stream's.
        log: the file with the notes.
        at: the number of the event at which it says that it is there.
        pipe: where it says so.
        stop: suspend itself there.
    """
    with _journal(journal_url) as journal, Path(log).open("ab", buffering=0) as out:
        client = anthropic.Anthropic(base_url=base_url, api_key="key", http_client=_CLIENT)
        stream = resilient(client, POLICY, journal=journal).messages.create(
            model="claude-sonnet-5",
            max_tokens=4096,
            messages=[{"role": "user", "content": key}],
            stream=True,
            extra_headers=journal_key(key),
        )
        out.write(b'"life"\n')
        with suppress(LeaseLost):
            for number, event in enumerate(stream, 1):
                out.write(event.model_dump_json().encode() + b"\n")
                if number == at:
                    pipe.send_bytes(THERE)
                    if stop:
                        os.kill(os.getpid(), signal.SIGSTOP)
            return
    sys.exit(LOST)


def read(journal_url: str, key: str, log: str, at: int, pipe: Connection) -> None:
    """A reader's life: go on behind the last frame that was noted, and note each one. Where nobody writes the
    stream, or the store is away, it comes back, as an ``EventSource`` does."""
    path = Path(log)
    noted = whole_lines(path)
    path.write_bytes(b"".join(line + b"\n" for line in noted))  # what a kill has cut is no note
    after: str | None = json.loads(noted[-1])[0] if noted else None
    number = len(noted)
    with _journal(journal_url) as journal, path.open("ab", buffering=0) as out:
        while True:
            try:
                for entry in journal.read(key, after=after):
                    frame = [entry.cursor, entry.number, entry.frame.decode()]
                    out.write(json.dumps(frame).encode() + b"\n")
                    after, number = entry.cursor, number + 1
                    if number == at:
                        pipe.send_bytes(THERE)
            except (WriterGone, UnknownStream, JournalUnavailable):
                time.sleep(0.003)
            else:
                return


def whole_lines(path: Path) -> list[bytes]:
    """The lines of a file but for one without an end."""
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
    return whole.split(b"\n") if whole else []


def _warm() -> None:
    """Stream once without a socket: what is imported and built by then is there in each process."""
    answer = httpx2.Response(
        200, headers={"content-type": "text/event-stream"}, content=b"".join(sse_events("x"))
    )
    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer), trust_env=False)
    client = resilient(anthropic.Anthropic(api_key="key", http_client=http), POLICY)
    for event in client.messages.create(model="claude-sonnet-5", max_tokens=9, messages=[], stream=True):
        event.model_dump_json()


def _journal(url: str) -> Any:
    try:
        return Journal(url, ttl=TTL, patience=PATIENCE)
    except JournalUnavailable:
        sys.exit(AWAY)


_warm()
