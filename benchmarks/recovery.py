"""How long a consumer waits after a break: on loopback, and in memory for texts that make the decision hard.

``python -m benchmarks.recovery`` cuts many streams, with waits switched off, and measures from the moment a
failure was seen to the first new piece of text. The stand-in is a separate process. Then it breaks texts for
which the decision about the seam is as hard as possible, and measures the processor time of the same.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

import anthropic
import httpx2

from resilient_stream import resilient
from resilient_stream.observe import AttemptRecord, Observer, StreamRecord
from resilient_stream.testing import StandIn, cut_at, markdown

from .overhead import ASKED
from .streams import AT_ONCE, Memory, client, events, frame

CUTS: Final = 200
MODELS: Final = {"prefill": "claude-haiku-4-5", "user turn": "claude-sonnet-5"}
HOSTILE: Final = {
    "200,000 of one letter": "a" * 200_000,
    "two letters in turn": "ab" * 100_000,
    "zero-width joiners": "a\u200d" * 100_000,
    "100,000 combining marks": "e" + "\u0301" * 100_000,
}
ECHO: Final = 80
"""Characters that a continuation repeats, as it is asked to."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one kind of break costs the consumer, in milliseconds."""

    what: str
    middle: float
    slowest: float
    """The slowest of 99 of 100; for hard texts, of all."""
    breaks: int


class Seen(Observer):
    """When the last failure was seen."""

    at: float | None = None

    def on_failure(self, stream: StreamRecord, attempt: AttemptRecord) -> None:
        """Note the time."""
        self.at = time.perf_counter()


def serve(pipe: Connection) -> None:
    """Run a stand-in that cuts every first answer in its middle, until told to stop."""
    text = markdown(10)

    def fault(number: int, _: Any) -> Any:
        return cut_at(int(len(text) * 0.4), "rst") if number % 2 else None

    with StandIn(reply=text, faults=fault, delta_size=200, strict=False) as server:
        pipe.send(server.url)
        pipe.recv()


@contextmanager
def serving() -> Generator[str]:
    """The address of such a stand-in."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


def on_loopback(url: str, form: str, cuts: int) -> Row:
    """Streams that are cut once each."""
    seen, took = Seen(), list[float]()
    with anthropic.Anthropic(base_url=url, api_key="any") as bare:
        made = resilient(bare, AT_ONCE.replace(observers=(seen,)))
        asked: Any = ASKED | {"model": MODELS[form], "stream": True}
        for _ in range(cuts):
            for event in made.messages.create(**asked):
                if event.type == "content_block_delta" and seen.at is not None:
                    took.append((time.perf_counter() - seen.at) * 1000)
                    seen.at = None
    took.sort()
    return Row(form, statistics.median(took), took[int(len(took) * 0.99) - 1], len(took))


class Breaking(Memory):
    """A transport that breaks behind a text, and repeats the text's end in the next answer."""

    def __init__(self, text: str) -> None:
        frames = events("text", 1)
        super().__init__(frames)
        self._opening, self._ending, self._text = frames[:2], frames[-3:], text
        self.at: float | None = None
        """When it broke, in processor time."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The text up to the break, or the rest."""
        if b'"assistant"' in request.content:
            deltas = [_delta(self._text[-ECHO:]), _delta(" And that is the end of it. " * 20)]
            return self._response(_Broken(self, [*self._opening, *deltas, *self._ending], breaks=False))
        deltas = [_delta(self._text[at : at + 1000]) for at in range(0, len(self._text), 1000)]
        return self._response(_Broken(self, [*self._opening, *deltas], breaks=True))


class _Broken(httpx2.SyncByteStream):
    def __init__(self, transport: Breaking, body: list[bytes], *, breaks: bool) -> None:
        self._transport, self._body, self._breaks = transport, body, breaks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._body
        if self._breaks:
            self._transport.at = time.thread_time()
            raise httpx2.ReadError("cut")


def _delta(text: str) -> bytes:
    delta = {"type": "text_delta", "text": text}
    return frame({"type": "content_block_delta", "index": 0, "delta": delta})


def in_memory(name: str, rounds: int = 5) -> Row:
    """One hard text, several times, after one run that is not counted: the first seam of a process compiles
    patterns."""
    took = list[float]()
    for _ in range(rounds + 1):
        transport = Breaking(HOSTILE[name])
        asked: Any = ASKED | {"stream": True}
        for event in resilient(client(transport), AT_ONCE).messages.create(**asked):
            if event.type == "content_block_delta" and transport.at is not None:
                took.append((time.thread_time() - transport.at) * 1000)
                transport.at = None
    return Row(name, statistics.median(took[1:]), max(took[1:]), rounds)


def table(cuts: int = CUTS) -> tuple[list[Row], list[Row]]:
    """The breaks on loopback, and those of hard texts in memory."""
    with serving() as url:
        loopback = [on_loopback(url, form, cuts) for form in MODELS]
    return loopback, [in_memory(name) for name in HOSTILE]


def main() -> None:
    """Measure and print."""
    loopback, hostile = table()
    for row in loopback:
        print(
            f"{row.what:24} {row.middle:6.1f} ms in the middle, {row.slowest:6.1f} ms for 99 of 100, "
            f"{row.breaks} cuts"
        )
    for row in hostile:
        print(f"{row.what:24} {row.middle:6.1f} ms of processor time, {row.slowest:6.1f} ms at most")


if __name__ == "__main__":
    main()
