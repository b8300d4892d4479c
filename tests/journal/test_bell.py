"""Waking those who follow streams."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import trio

from resilient_stream._journal.bell import UNSEEN, AsyncSignal, Bell, Signal, Subscription
from resilient_stream._journal.entries import Head, Status
from resilient_stream._journal.store import Mark
from resilient_stream.errors import JournalUnavailable

from .heads import head


class Store:
    """One stream, and those who wait for it to change."""

    def __init__(self) -> None:
        self.changes = threading.Condition()
        self.last, self.away = 0, False
        self.looked = list[Mapping[str, Mark]]()

    def changed(self, marks: Mapping[str, Mark], seconds: float) -> set[str]:
        """Wait."""
        self.looked.append(marks)
        if self.away:
            raise JournalUnavailable("away")
        with self.changes:
            here = (self.last, Status.RUNNING, 1)
            if all(mark == here for mark in marks.values()):
                self.changes.wait(seconds)
            here = (self.last, Status.RUNNING, 1)
            return {key for key, mark in marks.items() if mark != here}

    def head(self, key: str) -> Head | None:
        """There is one stream."""
        return head(last=self.last) if key == "s" else None

    def write(self) -> None:
        """A frame has come."""
        with self.changes:
            self.last += 1
            self.changes.notify_all()


def bell() -> tuple[Bell, Store]:
    """A bell over such a store."""
    store: Any = Store()
    return Bell(store), store


def test_who_follows_is_woken_by_what_others_write() -> None:
    """Each time; and is left alone while there is nothing."""
    made, store = bell()
    signal = Signal()
    with Subscription(made, "s", signal):
        assert signal.wait(60), "it was not looked at before"
        for _ in range(3):
            store.write()
            assert signal.wait(60)
    assert made._marks == {} == made._signals
    made.close()


def test_who_follows_is_woken_by_what_this_process_writes() -> None:
    """At once, all who do; nobody else is."""
    made, _ = bell()
    one, two, other = Signal(), Signal(), Signal()
    made._thread = threading.current_thread()
    with Subscription(made, "s", one), Subscription(made, "s", two), Subscription(made, "t", other):
        made.ring(["s", "nobody's"])
        assert one.wait(0) and two.wait(0) and not other.wait(0)
        assert not one.wait(0), "it has rung once"
        made.discard("s", other)
    made._thread = None


def test_a_task_is_woken() -> None:
    """Under asyncio and trio; or it waits no longer than it wants to."""
    made, store = bell()

    async def main() -> None:
        signal = AsyncSignal()
        with Subscription(made, "s", signal):
            assert await signal.wait(60)
            store.write()
            assert await signal.wait(60)
            assert not await signal.wait(0)

    asyncio.run(main())
    trio.run(main)
    made.close()


def test_a_store_that_is_away_is_found_out_by_who_reads() -> None:
    """All are woken, and it is looked at again after a while."""
    made, store = bell()
    store.away = True
    signal = Signal()
    made._thread = threading.current_thread()
    made.add("s", signal)
    made.look({"s": UNSEEN})
    assert signal.wait(0)
    made._thread = None


def test_what_is_gone_does_not_ring_for_ever() -> None:
    """Who follows it finds that, and leaves; if he takes his time, the thread waits."""
    made, store = bell()
    made._thread = threading.current_thread()
    signal = Signal()
    made.add("gone", signal)
    store.last = 1
    made.look({"gone": UNSEEN})
    assert signal.wait(0)
    made.discard("gone", signal)
    made.look({"gone": (7, Status.RUNNING, 1)})
    assert "gone" not in made._marks
    made._thread = None


def test_it_begins_anew_in_a_forked_child() -> None:
    """Where its parent's thread and readers are not."""
    made, _ = bell()
    made._thread = threading.current_thread()
    made.add("s", Signal())
    made._process = -1
    signal = Signal()
    made.add("s", signal)
    assert made._signals == {"s": [signal]}
    made.close()


def test_closing_one_that_nobody_used_does_nothing() -> None:
    """It can be used afterwards."""
    made, store = bell()
    for _ in range(2):
        made.close()
        signal = Signal()
        with Subscription(made, "s", signal):
            store.write()
            assert signal.wait(60)
    made.close()
