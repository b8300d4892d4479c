"""Whether time and memory grow in proportion to the length of a stream.

``python -m benchmarks.scaling`` reads streams of a thousand to a million events, whole and cut, and prints
the processor time and the peak of Python's memory for each event. Twice the stream should take twice of both.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count, repeat
from typing import Any, Final

import httpx2

from resilient_stream import resilient

from .overhead import ASKED
from .streams import AT_ONCE, Memory, client, events

LENGTHS: Final = (1_000, 10_000, 100_000, 1_000_000)
CUTS: Final = (0, 5, 50)
WORD: Final = " word"
"""The text of each delta."""
OFTEN: Final = AT_ONCE.replace(max_attempts=100)
UNLIMITED: Final = ASKED | {"model": "claude-haiku-4-5", "max_tokens": 100_000_000, "stream": True}
"""A request whose limit of tokens no stream reaches: the library would end it there."""


class Cut(Memory):
    """Breaks its first bodies with an error of the wire, each after an equal part of the deltas.

    A continuation begins a message of its own, behind the echo that it was asked for. The deltas are one
    object, so that the stream itself takes no memory.
    """

    def __init__(self, deltas: int, cuts: int) -> None:
        frames = events("text", 1)
        super().__init__(frames)
        self._opening, self._delta, self._ending = frames[:2], frames[2], frames[3:]
        self._deltas, self._cuts, self._requests = deltas, cuts, count()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The next part of the answer."""
        number = next(self._requests) % (self._cuts + 1)
        each = self._deltas // (self._cuts + 1)
        last = number == self._cuts
        deltas = repeat(self._delta, self._deltas - number * each if last else each)
        return self._response(_Breaking(chain(self._opening, deltas), self._ending if last else None))


class _Breaking(httpx2.SyncByteStream):
    def __init__(self, body: Iterable[bytes], ending: list[bytes] | None) -> None:
        self._body, self._ending = body, ending

    def __iter__(self) -> Iterator[bytes]:
        yield from self._body
        if self._ending is None:
            raise httpx2.ReadError("cut")
        yield from self._ending


@dataclass(frozen=True, slots=True)
class Row:
    """The cost of one stream."""

    deltas: int
    cuts: int
    microseconds: float
    """Processor time for each event."""
    memory: float
    """The peak of Python's memory, in bytes for each byte of text."""
    completed: bool


def read(made: Any) -> tuple[int, bool]:
    """Read one stream as bytes. Return the number of its events, and whether it was complete.

    The SDK's events are not made, because they would take most of the time.
    """
    seen, last = 0, b""
    with made.messages.with_streaming_response.create(**UNLIMITED) as response:
        for last in response.iter_bytes():
            seen += last.count(b"\ndata: ")
    return seen, b"message_stop" in last


def measure(deltas: int, cuts: int) -> Row:
    """Read one stream twice: for its time, then for its memory."""
    with client(Cut(deltas, cuts)) as bare:
        made = resilient(bare, OFTEN)
        began = time.thread_time()
        seen, completed = read(made)
        took = (time.thread_time() - began) / seen * 1e6
        tracemalloc.start()
        read(made)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return Row(deltas, cuts, took, most / (deltas * len(WORD)), completed and seen >= deltas)


def table(longest: int = LENGTHS[-1]) -> list[Row]:
    """All rows, after one stream that is not counted: the first one compiles patterns and imports."""
    measure(LENGTHS[0], 1)
    return [measure(length, cuts) for cuts in CUTS for length in LENGTHS if length <= longest]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--longest", type=int, default=LENGTHS[-1], help="events of the longest stream")
    for row in table(parser.parse_args().longest):
        print(
            f"{row.deltas:9,} events, {row.cuts:2} cuts: {row.microseconds:5.1f} us an event, "
            f"{row.memory:5.2f} bytes of memory for each of text{'' if row.completed else ', NOT WHOLE'}"
        )


if __name__ == "__main__":
    main()
