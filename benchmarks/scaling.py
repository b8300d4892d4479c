"""Whether time and memory grow in proportion to the length of a stream.

``python -m benchmarks.scaling`` reads streams of a thousand to a million events, whole and cut, and prints
the processor time and the peak of Python's memory for each event. Twice the stream should take twice of both.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import httpx2

from resilient_stream import resilient

from .overhead import ASKED
from .streams import AT_ONCE, Memory, client, events

LENGTHS: Final = (1_000, 10_000, 100_000, 1_000_000)
CUTS: Final = (0, 5, 50)
LONGEST_CUT: Final = 100_000
"""Events of the longest stream that is cut. The requests of a longer one would exceed any model's window."""
OFTEN: Final = AT_ONCE.replace(max_attempts=100)


class Cut(Memory):
    """Breaks its first bodies with an error of the wire, each after an equal part of the remaining deltas.

    A continuation begins a message of its own, behind the echo that it was asked for.
    """

    def __init__(self, deltas: int, cuts: int) -> None:
        frames = events("text", deltas)
        super().__init__(frames)
        self._opening, self._deltas, self._ending = frames[:2], frames[2:-3], frames[-3:]
        self._cuts, self._requests = cuts, count()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The next part of the answer."""
        number = next(self._requests) % (self._cuts + 1)
        each = len(self._deltas) // (self._cuts + 1)
        last = number == self._cuts
        part = self._deltas[number * each :] if last else self._deltas[number * each : (number + 1) * each]
        return self._response(_Breaking([*self._opening, *part], self._ending if last else None))


class _Breaking(httpx2.SyncByteStream):
    def __init__(self, body: list[bytes], ending: list[bytes] | None) -> None:
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


def measure(deltas: int, cuts: int) -> Row:
    """Read one stream twice: for its time, then for its memory."""
    made = resilient(client(Cut(deltas, cuts)), OFTEN)
    asked: Any = ASKED | {"model": "claude-haiku-4-5", "stream": True}
    began, seen, last = time.thread_time(), 0, ""
    for event in made.messages.create(**asked):
        seen, last = seen + 1, event.type
    took = (time.thread_time() - began) / seen * 1e6
    tracemalloc.start()
    for _ in made.messages.create(**asked):
        pass
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Row(deltas, cuts, took, most / (deltas * len(" word")), last == "message_stop")


def table(longest: int = LENGTHS[-1]) -> list[Row]:
    """All rows."""
    return [
        measure(length, cuts)
        for cuts in CUTS
        for length in LENGTHS
        if length <= (longest if cuts == 0 else min(longest, LONGEST_CUT))
    ]


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
