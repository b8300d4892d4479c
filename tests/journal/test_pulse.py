"""What is done by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from resilient_stream._journal import pulse as module
from resilient_stream._journal.entries import Answer, Lease, Status
from resilient_stream._journal.pulse import Pulse, forgotten, outdated
from resilient_stream.errors import JournalUnavailable

from .heads import head


class Store:
    """Answers renewals."""

    def __init__(self) -> None:
        self.asked = list[list[str]]()
        self.away = False

    def renew(self, leases: Sequence[Lease], ttl: float) -> list[Answer]:
        """Note them; the stream called "lost" is."""
        if self.away:
            raise JournalUnavailable("away")
        self.asked.append([lease.key for lease in leases])
        return [Answer.LOST if lease.key == "lost" else Answer.KEPT for lease in leases]


class Keeper:
    """Is told what became of its lease."""

    def __init__(self, key: str) -> None:
        self.lease, self.told = Lease(key, 1), list[Answer]()
        self.heard = self.told.append


def made() -> tuple[Any, Store, list[int]]:
    """A pulse that does not beat by itself."""
    store, pruned = Store(), list[int]()
    return Pulse(store, 3600.0, lambda: pruned.append(1)), store, pruned  # type: ignore[arg-type]  # what it needs of one


def test_the_leases_of_the_streams_that_are_written_are_renewed() -> None:
    """Each is told what became of it; one that is over is renewed no more."""
    pulse, store, _ = made()
    keepers = [Keeper("kept"), Keeper("lost")]
    for keeper in keepers:
        pulse.add(keeper)
    pulse.beat()
    assert [keeper.told for keeper in keepers] == [[Answer.KEPT], [Answer.LOST]]
    pulse.discard(keepers[1])
    pulse.beat()
    pulse.discard(keepers[0])
    pulse.beat()
    assert [len(asked) for asked in store.asked] == [2, 1]
    pulse.close()


def test_it_prunes_now_and_then() -> None:
    """Whether or not something is written."""
    pulse, _, pruned = made()
    for _ in range(2 * module.BEATS_TO_PRUNE + 1):
        pulse.beat()
    assert len(pruned) == 2
    pulse.close()


def test_a_store_that_is_away_is_tried_the_next_time() -> None:
    """Nobody is told that he has lost anything."""
    pulse, store, _ = made()
    keeper = Keeper("kept")
    pulse.add(keeper)
    store.away = True
    pulse.beat()
    assert keeper.told == []
    store.away = False
    pulse.beat()
    assert keeper.told == [Answer.KEPT]
    pulse.close()


def test_it_beats_three_times_while_a_lease_lasts() -> None:
    """By itself, while there is something to renew."""
    pulse, store, _ = made()
    waits = list[float]()

    class Closing:
        def wait(self, seconds: float) -> bool:
            waits.append(seconds)
            return len(waits) > 2

    pulse._run(Closing())
    assert waits == [1200.0] * 3
    assert store.asked == []


def test_it_begins_anew_in_a_forked_child() -> None:
    """What its parent writes is its parent's."""
    pulse, store, _ = made()
    pulse.add(Keeper("parents"))
    pulse.close()
    pulse._process = -1
    pulse.add(Keeper("mine"))
    pulse.beat()
    assert store.asked == [["mine"]]
    pulse.close()


OLD, NEW = {"touched": 50.0, "until": 0.0}, {"touched": 99.0, "until": 0.0}


@pytest.mark.parametrize(
    ("seconds", "most", "keys"),
    [
        (None, None, []),
        (10.0, None, ["done", "gone"]),
        (0.5, None, ["done", "gone", "new"]),
        (None, 30, ["done"]),
        (None, 29, ["done", "gone"]),
        (None, 0, ["done", "gone", "new"]),
        (10.0, 0, ["done", "gone", "new"]),
    ],
)
def test_what_is_old_or_too_much_goes(seconds: float | None, most: int | None, keys: list[str]) -> None:
    """The oldest first, abandoned ones too; never one that somebody writes, and none twice."""
    heads = [
        head(key="new", status=Status.COMPLETE, size=10, **NEW),
        head(key="written", touched=1.0, size=10),
        head(key="gone", size=10, **{**OLD, "touched": 60.0}),
        head(key="done", status=Status.COMPLETE, size=10, **OLD),
        head(key="expired", status=Status.EXPIRED, size=0, **OLD),
    ]
    assert [each.key for each in outdated(heads, 100.0, seconds, most)] == keys


@pytest.mark.parametrize(("seconds", "keys"), [(None, []), (30.0, []), (24.0, ["expired"])])
def test_a_name_is_known_for_as_long_again(seconds: float | None, keys: list[str]) -> None:
    """So that a reader is told that he is late, and not that there was nothing."""
    heads = [
        head(key="expired", status=Status.EXPIRED, **OLD),
        head(key="done", status=Status.COMPLETE, **OLD),
    ]
    assert [each.key for each in forgotten(heads, 100.0, seconds)] == keys
