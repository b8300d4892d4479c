"""What surviving costs: memory against the length of the text, and the time that a cut takes.

``python -m chaos.costs`` reads long raw streams, whole and cut, with a bare client and a resilient one,
and measures the peak of Python's memory. Then it cuts many streams on loopback, with waits off, and
measures from the moment a failure was seen to the first new character. The stand-in is a process of its own.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import multiprocessing
import statistics
import time
import tracemalloc
from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import anthropic

from resilient_stream import RetryPolicy, resilient
from resilient_stream.observe import AttemptRecord, Observer, StreamRecord
from resilient_stream.testing import StandIn, cut_at, markdown

MIB = 1024 * 1024
WALKS = (1_000, 4_000)
"""About 0.9 KB of text each."""
CUTS = 100
MODELS = {"prefill": "claude-haiku-4-5", "user turn": "claude-sonnet-5"}
OFF = RetryPolicy(
    wait_initial=0,
    wait_max=0,
    overload_wait_initial=0,
    overload_wait_max=0,
    budget=None,
    max_input_multiple=None,
)


def serve(pipe: Connection, walks: int, places: tuple[float, ...]) -> None:
    """Run a stand-in that cuts the first answers at these parts of the text, until told to stop."""
    text = markdown(walks)
    each = len(places) + 1

    def fault(number: int, _: Any) -> Any:
        at = (number - 1) % each
        return cut_at(int(len(text) * places[at]), "rst") if at < len(places) else None

    with StandIn(reply=text, faults=fault, delta_size=200, strict=False) as server:
        pipe.send((server.url, len(text.encode())))
        pipe.recv()


@contextmanager
def serving(walks: int, *places: float) -> Generator[tuple[str, int]]:
    """The address of such a stand-in, and the bytes of its text."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, walks, places))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


def read(client: anthropic.Anthropic, model: str = MODELS["prefill"]) -> Generator[float]:
    """Ask, and tell the time of each piece of text; the text is thrown away."""
    asking: Any = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    for event in client.messages.create(**asking, stream=True):
        if event.type == "content_block_delta":
            yield time.perf_counter()


def peak(client: anthropic.Anthropic, model: str) -> int:
    """Bytes of Python's memory at most while a stream is read."""
    for _ in read(client, model):  # what is made once is made before
        pass
    tracemalloc.start()
    for _ in read(client, model):
        pass
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return highest


class Seen(Observer):
    """When the last failure was seen."""

    at: float | None = None

    def on_failure(self, stream: StreamRecord, attempt: AttemptRecord) -> None:
        """Note the time."""
        self.at = time.perf_counter()


def recoveries(url: str, model: str) -> list[float]:
    """Milliseconds from a failure to the next piece of text, for each cut."""
    seen, found = Seen(), list[float]()
    with anthropic.Anthropic(base_url=url, api_key="any") as bare:
        client = resilient(bare, OFF.replace(observers=(seen,)))
        for _ in range(CUTS):
            for now in read(client, model):
                if seen.at is not None:
                    found.append((now - seen.at) * 1000)
                    seen.at = None
    return found


def main() -> None:
    """Measure and print."""
    for walks in WALKS:
        for name, places in (("whole", ()), ("cut four times", (0.2, 0.2, 0.2, 0.2))):
            with (
                serving(walks, *places) as (url, size),
                anthropic.Anthropic(base_url=url, api_key="any") as bare,
            ):
                clients = {"resilient": resilient(bare, OFF)} | ({} if places else {"bare": bare})
                for who, client in clients.items():
                    for form, model in MODELS.items() if places else [("no continuation", MODELS["prefill"])]:
                        most = peak(client, model)
                        times = max(0.0, most - 8 * MIB) / size
                        print(
                            f"{size / MIB:4.1f} MiB of text, {name:14} {who:9} {form:15} "
                            f"{most / MIB:5.1f} MiB at most; {times:.2f} x text + 8 MiB"
                        )
    with serving(10, 0.4) as (url, _):
        for form, model in MODELS.items():
            took = sorted(recoveries(url, model))
            print(
                f"recovery by {form:9} {statistics.median(took):5.1f} ms in the middle, "
                f"{took[int(len(took) * 0.99) - 1]:5.1f} ms for 99 of 100, {len(took)} cuts"
            )


if __name__ == "__main__":
    main()
