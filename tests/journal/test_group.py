"""Writing together."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import anyio.lowlevel
import pytest
import trio

from resilient_stream._journal.entries import Answer, Lease, Write
from resilient_stream._journal.group import MOST_AT_ONCE, Group, waker
from resilient_stream.errors import JournalUnavailable


class Store:
    """Keeps what it is told; may be away, or hold up who writes."""

    def __init__(self) -> None:
        self.batches = list[list[int]]()
        self.errors: list[Any] = []
        self.entered, self.gate = threading.Event(), threading.Event()
        self.gate.set()

    def commit(self, writes: Sequence[Write], ttl: float) -> list[Answer]:
        """Write, if nothing is in the way."""
        self.entered.set()
        assert self.gate.wait(60)
        if self.errors:
            raise self.errors.pop(0)
        self.batches.append([write.first for write in writes])
        return [Answer.LOST if write.first == 13 else Answer.KEPT for write in writes]


class Time:
    """Passes where somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.sleeps = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        """It does."""
        self.now += seconds
        self.sleeps.append(seconds)


def group(
    store: Any, patience: float = 1.0, told: Callable[[Sequence[str]], object] = len
) -> tuple[Group, Time]:
    """A group on a clock of its own."""
    time = Time()
    return Group(store, 9.0, patience, told, clock=lambda: time.now, sleep=time.sleep), time


def write(number: int) -> Write:
    """A write that is known by its number."""
    return Write(Lease(f"s{number}", 1), number)


def test_a_write_alone_is_written_by_who_wants_it() -> None:
    """In his own thread, without another one; and who follows the stream is told."""
    store, told = Store(), list[Sequence[str]]()
    made, _ = group(store, told=told.append)
    before = threading.active_count()
    assert made.write(write(1)) is Answer.KEPT
    assert made.write(write(13)) is Answer.LOST
    assert threading.active_count() == before
    assert (store.batches, told) == ([[1], [13]], [["s1"], ["s13"]])


def test_who_comes_while_others_write_is_written_together() -> None:
    """Sync and async alike; each gets his own answer."""
    store = Store()
    made, _ = group(store)
    store.gate.clear()
    answers = dict[int, Answer]()

    def run(number: int) -> None:
        answers[number] = made.write(write(number))

    async def arun() -> None:
        answers[20] = await made.awrite(write(20))

    threads = [threading.Thread(target=run, args=(1,))]
    threads[0].start()
    assert store.entered.wait(60)
    threads += [threading.Thread(target=run, args=(number,)) for number in (12, 13)]
    threads += [threading.Thread(target=lambda: asyncio.run(arun()))]
    for thread in threads[1:]:
        thread.start()
    while len(made._pending) < 3:
        threads[0].join(0.001)
    store.gate.set()
    for thread in threads:
        thread.join(60)
    assert sorted(map(len, store.batches)) == [1, 3]
    assert answers == {1: Answer.KEPT, 12: Answer.KEPT, 13: Answer.LOST, 20: Answer.KEPT}
    made.close()


def test_a_transaction_has_its_limit() -> None:
    """What is more goes into the next one."""
    store = Store()
    made, _ = group(store)
    with made._lock:
        threads = [
            threading.Thread(target=made.write, args=(write(at),)) for at in range(100, 101 + MOST_AT_ONCE)
        ]
        for thread in threads:
            thread.start()
        while len(made._pending) <= MOST_AT_ONCE:
            threads[0].join(0.001)
    for thread in threads:
        thread.join(60)
    assert sorted(map(len, store.batches)) == [1, MOST_AT_ONCE]


@pytest.mark.parametrize("run", [asyncio.run, trio.run], ids=["asyncio", "trio"])
def test_an_event_loop_is_not_held_up(run: Any) -> None:
    """Others go on while a write is under way."""
    store = Store()
    made, _ = group(store)
    store.gate.clear()

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(made.awrite, write(1))
            while not store.entered.is_set():
                await anyio.lowlevel.checkpoint()
            assert store.batches == []
            store.gate.set()
        assert store.batches == [[1]]

    if run is trio.run:
        trio.run(main)
    else:
        asyncio.run(main())
    made.close()


def test_a_write_is_waited_for_though_its_task_is_cancelled() -> None:
    """What was written must be known."""
    store = Store()
    made, _ = group(store)
    answers = list[Answer]()

    async def main() -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            answers.append(await made.awrite(write(1)))

    asyncio.run(main())
    assert answers == [Answer.KEPT]
    made.close()


def test_a_store_that_is_away_is_tried_again() -> None:
    """For as long as its patience lasts; then each who waits is told."""
    store = Store()
    made, time = group(store)
    store.errors += [JournalUnavailable("away")] * 3
    assert made.write(write(1)) is Answer.KEPT
    assert time.sleeps == [0.01, 0.03, 0.1]
    store.errors += [JournalUnavailable("away")] * 20
    with pytest.raises(JournalUnavailable, match="away"):
        made.write(write(2))
    assert 1.0 <= time.now < 2.0

    async def main() -> None:
        with pytest.raises(JournalUnavailable, match="away"):
            await made.awrite(write(3))

    asyncio.run(main())
    made.close()


def test_a_fault_is_told_to_each_who_waits() -> None:
    """It is not tried again."""
    store = Store()
    made, time = group(store)
    store.errors += [ValueError("a fault")]
    with pytest.raises(ValueError, match="a fault"):
        made.write(write(1))
    assert time.sleeps == []


def test_who_is_interrupted_leaves_the_others_theirs() -> None:
    """What he had taken is written by whoever comes next."""
    store = Store()
    made, _ = group(store)
    store.errors += [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        made.write(write(1))
    assert made.write(write(2)) is Answer.KEPT
    assert store.batches == [[1, 2]]


def test_a_loop_that_is_gone_is_not_woken() -> None:
    """Who waited in it is gone, too."""
    found = list[Callable[[], None]]()

    async def main() -> None:
        found.append(waker(lambda: None))

    asyncio.run(main())
    trio.run(main)
    for wake in found:
        wake()


def test_it_begins_anew_in_a_forked_child() -> None:
    """Where its parent's thread is not."""
    store = Store()
    made, _ = group(store)
    made._process = -1
    lock = made._lock
    assert made.write(write(1)) is Answer.KEPT
    assert made._process == os.getpid() and made._lock is not lock


def test_it_can_be_closed_and_goes_on() -> None:
    """The next write has a thread again; closing one without a thread does nothing."""
    store = Store()
    made, _ = group(store)
    made.close()
    for number in (1, 2):
        asyncio.run(_awrite(made, number))
        made.close()
    assert store.batches == [[1], [2]]


async def _awrite(made: Group, number: int) -> None:
    await made.awrite(write(number))
