"""What is SQLite's own. ``test_store.py`` has the laws of all stores."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from resilient_stream._journal.entries import Answer, Opening, Status, Write
from resilient_stream._journal.sqlite import POLL, SqliteStore
from resilient_stream._journal.store import Mark
from resilient_stream.errors import JournalUnavailable


def made(tmp_path: Path) -> SqliteStore:
    """A new store."""
    return SqliteStore(str(tmp_path / "j.db"))


def test_two_stores_on_one_file_are_one(tmp_path: Path) -> None:
    """As two processes have it: with one secret."""
    one, two = made(tmp_path), made(tmp_path)
    lease = one.claim("s", "a", 10.0, opening=Opening("tag", b"")).lease
    assert lease is not None
    assert two.commit([Write(lease, 1, (b"x",))], 10.0) == [Answer.KEPT]
    page = one.read("s", 0, 9)
    assert page is not None and page.frames == ((1, b"x"),)
    assert one.secret == two.secret
    one.close()
    two.close()


def test_a_file_that_fails_is_said_and_opened_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every kind of call; once it is well again, so is the store."""
    store = made(tmp_path)
    whole = [store._writer, store._watcher, *store._idle]
    for broken in ("_writer", "_idle", "_watcher"):
        connection = sqlite3.connect(tmp_path / "other.db", check_same_thread=False)
        monkeypatch.setattr(store, broken, [connection] if broken == "_idle" else connection)
        if broken == "_watcher":
            connection.close()
        with pytest.raises(JournalUnavailable):
            if broken == "_writer":
                store.remove("s")
            elif broken == "_idle":
                store.heads()
            else:
                store.changed({}, 0.0)
        connection.close()
    store._watcher = None
    assert store.heads() == []
    assert not store.remove("s")
    assert store.changed({}, 0.0) == set()
    store.close()
    for connection in filter(None, whole):
        connection.close()


def test_a_fault_within_a_transaction_undoes_it(tmp_path: Path) -> None:
    """And leaves the connection as it was."""
    store = made(tmp_path)
    store.claim("s", "a", 10.0, opening=Opening("tag", b""))
    with pytest.raises(KeyboardInterrupt), store._writing() as connection:
        connection.execute("DELETE FROM streams")
        raise KeyboardInterrupt
    assert len(store.heads()) == 1
    with pytest.raises(KeyboardInterrupt), store._reading() as reader:
        raise KeyboardInterrupt
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        reader.execute("SELECT 1")
    assert len(store.heads()) == 1
    assert store.remove("s")
    store.close()


def test_it_is_looked_at_every_few_milliseconds(tmp_path: Path) -> None:
    """As long as one wants to wait, and no longer."""
    slept = list[float]()
    store = SqliteStore(str(tmp_path / "j.db"), sleep=slept.append)
    store.claim("s", "a", 10.0, opening=Opening("tag", b""))
    mark: Mark = (0, Status.RUNNING, 1)
    assert store.changed({"s": mark}, 2.5 * POLL) == set()
    assert slept == pytest.approx([POLL, POLL, POLL / 2])
    store.close()


def test_a_forked_child_has_connections_of_its_own(tmp_path: Path) -> None:
    """It leaves its parent's alone: closing them would take away the locks of its parent."""
    store = made(tmp_path)
    store.remove("s")
    writer, idle = store._writer, store._idle
    store._process = -1
    store.remove("s")
    assert store._process == os.getpid()
    assert store._writer is not writer and store._idle is not idle
    store.close()
    for connection in (writer, *idle):
        assert connection is not None
        connection.close()


def test_the_space_of_what_was_taken_away_is_given_back(tmp_path: Path) -> None:
    """A little at a time."""
    store = made(tmp_path)
    lease = store.claim("s", "a", 10.0, opening=Opening("tag", b"")).lease
    assert lease is not None
    store.commit([Write(lease, 1, (bytes(3_000_000),))], 10.0)
    store.remove("s")
    pages = list[int]()
    for _ in range(4):
        with store._reading() as connection:
            pages.append(connection.execute("PRAGMA page_count").fetchone()[0])
        store.tidy()
    assert pages[0] > 700
    assert 300 > pages[1] > pages[2]
    store.close()
