"""`Journal`: readers, and what a program does with its streams."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path

import pytest
import trio

from resilient_stream._journal.codec import request_bytes
from resilient_stream._journal.entries import Lease, Opening, Status, Write
from resilient_stream._journal.journal import Journal
from resilient_stream._journal.lease import holder
from resilient_stream.errors import BadCursor, UnknownStream, WriterGone
from tests.support.journals import STORES, bury, url_of

FRAMES = tuple(b"event: ping\ndata: %d\n\n" % number for number in range(1, 7))
TAG = "0123456789ab"
BODY = {"model": "claude-opus-5", "messages": []}


@pytest.fixture(params=STORES)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Journal]:
    """A new journal of each kind."""
    with Journal(url_of(request.param, tmp_path), patience=0.0) as made:
        yield made


def begun(journal: Journal, count: int = 0, key: str = "s") -> Lease:
    """A stream that this process writes."""
    request = request_bytes({"headers": {}, "body": BODY})
    claim = journal.store.claim(key, holder(), 60.0, opening=Opening(TAG, request, "mine"))
    assert claim.lease is not None
    if count:
        write(journal, claim.lease, 0, count)
    return claim.lease


def write(journal: Journal, lease: Lease, first: int, end: int, status: Status | None = None) -> None:
    """Write some of the frames."""
    journal._group.write(Write(lease, first + 1, FRAMES[first:end], None, status))


def in_loops(main: Callable[[], Awaitable[None]]) -> None:
    """Under asyncio and trio."""

    async def run() -> None:
        await main()

    asyncio.run(run())
    trio.run(run)


def test_a_reader_gets_what_there_is_and_then_what_comes(journal: Journal) -> None:
    """Up to the end."""
    lease, got = begun(journal, 2), list[bytes]()
    for entry in journal.read("s"):
        got.append(entry.frame)
        if entry.number < len(FRAMES):
            write(
                journal, lease, max(2, entry.number), max(2, entry.number) + 1
            ) if entry.number >= 2 else None
        else:
            write(journal, lease, len(FRAMES), len(FRAMES), Status.COMPLETE)
    assert tuple(got) == FRAMES
    assert [entry.number for entry in journal.read("s", after=f"{TAG}-4")] == [5, 6]


def test_a_task_gets_the_same(journal: Journal) -> None:
    """Under asyncio and trio."""
    lease = begun(journal, 3)
    write(journal, lease, 3, 6, Status.COMPLETE)

    async def main() -> None:
        assert [entry.frame async for entry in journal.aread("s", after=1)] == list(FRAMES[1:])
        with pytest.raises(BadCursor):
            async for _ in journal.aread("s", after="x"):
                pass

    in_loops(main)


def test_a_task_is_woken_and_told_of_silence(journal: Journal) -> None:
    """What comes is read at once; where nothing comes for a while, it gets nothing."""

    async def main() -> None:
        lease = begun(journal, 1)
        steps = journal.steps(await journal.follower("s", None), beat=0.02)
        assert [entry.number for entry in await anext(steps)] == [1]
        assert await anext(steps) == []
        await journal._group.awrite(Write(lease, 2, FRAMES[1:2]))
        while not (entries := await anext(steps)):
            pass
        assert [entry.number for entry in entries] == [2]
        await journal._group.awrite(Write(lease, 3, (), None, Status.COMPLETE))
        assert [each async for each in steps if each] == []
        journal.remove("s")

    in_loops(main)


def test_what_is_wrong_with_a_place_is_said_before_reading(journal: Journal) -> None:
    """By the call itself."""
    begun(journal, 2)
    with pytest.raises(UnknownStream):
        journal.read("nothing")
    with pytest.raises(UnknownStream):
        journal.read("s", owner="another's")
    assert next(iter(journal.read("s", owner="mine"))).number == 1


def test_a_stream_whose_writer_is_gone_is_listed(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once that is known; its readers are told."""
    begun(journal, 1)
    assert journal.abandoned() == []
    bury(monkeypatch)
    (head,) = journal.abandoned()
    assert head.key == "s"
    reader = journal.read("s")
    assert next(reader).number == 1
    with pytest.raises(WriterGone):
        next(reader)


def test_a_stream_is_stopped_and_removed(journal: Journal) -> None:
    """And says whether there was anything to do."""
    begun(journal)
    assert (journal.stop("s"), journal.stop("t")) == (True, False)
    assert journal.streams()[0].stopping
    assert (journal.remove("s"), journal.remove("s")) == (True, False)
    with pytest.raises(UnknownStream, match="no stream 's'"):
        journal.request("s")


def test_the_owner_of_a_stream_is_a_digest(journal: Journal) -> None:
    """That no other journal has."""
    assert journal.owner_of("key") == journal.owner_of("key")
    assert "key" not in journal.owner_of("key")


def test_what_is_old_is_taken_away(tmp_path: Path) -> None:
    """First its content, later its name; what somebody writes stays."""
    with Journal(f"sqlite:///{tmp_path}/j.db", keep_for=0.0) as journal:
        lease = begun(journal, 1)
        begun(journal, 1, key="written")
        write(journal, lease, 1, 1, Status.COMPLETE)
        journal.prune()
        assert [head.status for head in journal.streams()] == [Status.EXPIRED, Status.RUNNING]
        journal.prune()
        assert [head.key for head in journal.streams()] == ["written"]
    with Journal(f"sqlite:///{tmp_path}/k.db", keep_for=None, keep_bytes=0) as journal:
        lease = begun(journal, 1)
        write(journal, lease, 1, 1, Status.COMPLETE)
        journal.prune()
        assert [head.status for head in journal.streams()] == [Status.EXPIRED]
