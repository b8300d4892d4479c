"""Reading a stream step by step."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from resilient_stream._journal import lease as rules
from resilient_stream._journal.codec import Codec
from resilient_stream._journal.entries import Lease, Opening, Status, Write
from resilient_stream._journal.follow import AT_ONCE, Follower
from resilient_stream._journal.store import Store
from resilient_stream.errors import (
    BadCursor,
    ExpiredStream,
    ForeignCursor,
    JournalError,
    StoppedStream,
    StreamFailed,
    UnknownStream,
    WriterGone,
)
from tests.support.journals import STORES, store_of
from tests.support.stages import Clock

COUNT = 9
FRAMES = tuple(b"data: %d\n\n" % number for number in range(1, COUNT + 1))
TAG = "0123456789ab"


@pytest.fixture
def clock() -> Clock:
    """That of the store."""
    return Clock(100.0)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Generator[Store]:
    """A store of each kind."""
    with store_of(request.param, tmp_path, clock) as made:
        yield made


def begun(store: Store, frames: tuple[bytes, ...] = FRAMES, status: Status | None = None) -> Lease:
    """A stream of these frames."""
    lease = store.claim("s", "a", 10.0, opening=Opening(TAG, b"", "mine")).lease
    assert lease is not None
    store.commit([Write(lease, 1, frames, None, status)], 10.0)
    return lease


def follower(store: Store, after: str | int | None = None, owner: str | None = None) -> Follower:
    """A reader of it."""
    return Follower(store, Codec(), "s", after, owner)


def rest(reader: Follower) -> list[bytes]:
    """All that there is behind its place, up to where one has to wait."""
    frames = list[bytes]()
    while (step := reader.step()).wait == 0.0:
        frames += [entry.frame for entry in step.entries]
    return frames


@pytest.mark.parametrize("first", range(COUNT + 1))
def test_what_was_read_and_what_is_read_after_it_are_the_stream(store: Store, first: int) -> None:
    """For every place, by its cursor and by its number; whether the rest was there or comes."""
    lease = begun(store, FRAMES[:first])
    reader = follower(store)
    before = rest(reader)
    store.commit([Write(lease, first + 1, FRAMES[first:], None, Status.COMPLETE)], 10.0)
    assert tuple(before + rest(reader)) == FRAMES
    for after in (first, f"{TAG}-{first}"):
        assert tuple(before + rest(follower(store, after))) == FRAMES


def test_entries_have_their_number_and_the_cursor_behind_them(store: Store) -> None:
    """With which another reader goes on."""
    begun(store)
    entries = follower(store, 7).step().entries
    assert [(entry.number, entry.cursor) for entry in entries] == [(8, f"{TAG}-8"), (9, f"{TAG}-9")]


def test_a_long_stream_is_read_in_pages(store: Store) -> None:
    """Of so many frames."""
    begun(store, (b"data\n\n",) * (AT_ONCE + 3), Status.COMPLETE)
    reader = follower(store)
    assert [len(reader.step().entries) for _ in range(3)] == [AT_ONCE, 3, 0]
    assert reader.is_over
    assert reader.step().wait is None


def test_one_waits_while_its_writer_lives(store: Store, clock: Clock) -> None:
    """No longer than its lease lasts; then it is known to be gone."""
    begun(store)
    reader = follower(store, COUNT)
    assert not reader.is_over
    wait = reader.step().wait
    assert wait is not None and 10.0 < wait < 10.1
    clock.now += wait
    with pytest.raises(WriterGone, match="no other has taken over yet"):
        reader.step()


def test_a_writer_that_is_known_to_be_dead_is_not_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote is given first."""
    begun(store)
    monkeypatch.setattr(rules, "is_dead", lambda name: name == "a")
    reader = follower(store)
    assert len(reader.step().entries) == COUNT
    with pytest.raises(WriterGone):
        reader.step()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(Status.FAILED, StreamFailed), (Status.STOPPED, StoppedStream), (Status.LEFT, WriterGone)],
)
def test_what_is_not_whole_does_not_end_as_if_it_were(
    store: Store, status: Status, kind: type[Exception]
) -> None:
    """Behind its last frame it is told how it ended, as often as one asks."""
    begun(store, FRAMES, status)
    reader = follower(store)
    assert tuple(rest_of_one(reader)) == FRAMES
    for _ in range(2):
        with pytest.raises(kind):
            reader.step()


def rest_of_one(reader: Follower) -> list[bytes]:
    """The frames of one step."""
    return [entry.frame for entry in reader.step().entries]


@pytest.mark.parametrize("owner", [None, "mine", "another's"])
def test_a_stream_is_read_by_its_owner(store: Store, owner: str | None) -> None:
    """Another is told that there is none; where it does not matter anybody may."""
    begun(store)
    if owner == "another's":
        with pytest.raises(UnknownStream):
            follower(store, owner=owner)
    else:
        assert tuple(rest(follower(store, owner=owner))) == FRAMES


def test_what_is_no_place_in_it_is_refused(store: Store) -> None:
    """What is none at all is told from a place in another stream, and from one in a stream that has expired."""
    with pytest.raises(UnknownStream):
        follower(store)
    lease = begun(store)
    with pytest.raises(BadCursor):
        follower(store, COUNT + 1)
    with pytest.raises(BadCursor):
        follower(store, "nonsense")
    with pytest.raises(ForeignCursor):
        follower(store, "ba9876543210-1")
    store.commit([Write(lease, COUNT + 1, (), None, Status.COMPLETE)], 10.0)
    reader = follower(store)
    store.expire("s")
    for read in (lambda: follower(store), lambda: follower(store, f"{TAG}-1"), reader.step):
        with pytest.raises(ExpiredStream):
            read()
    with pytest.raises(BadCursor):
        follower(store, "nonsense")


def test_a_stream_that_is_removed_while_it_is_read_is_gone(store: Store) -> None:
    """Another one of the same key is not taken for it."""
    begun(store)
    reader = follower(store)
    store.remove("s")
    with pytest.raises(UnknownStream, match="removed while it was read"):
        reader.step()
    store.claim("s", "b", 10.0, opening=Opening("ba9876543210", b""))
    with pytest.raises(UnknownStream, match="removed while it was read"):
        reader.step()


def test_what_cannot_be_decrypted_is_said(store: Store) -> None:
    """It is not handed on."""
    begun(store)

    def refuse(_: bytes) -> bytes:
        raise ValueError("no")

    with pytest.raises(JournalError, match="another key"):
        Follower(store, Codec(bytes, refuse), "s", None).step()
