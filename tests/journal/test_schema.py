"""The SQLite file of a journal."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from resilient_stream._journal import schema
from resilient_stream._journal.schema import VERSION, connect, unavailable
from resilient_stream.errors import JournalUnavailable


def opened(path: Path) -> None:
    """Open a journal and close it."""
    connect(str(path), durable=False).close()


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """So are those that SQLite keeps beside it."""
    connection = connect(str(tmp_path / "j.db"), durable=False)
    connection.execute("INSERT INTO meta VALUES ('x', 'y')")
    files = list(tmp_path.iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    connection.close()


@pytest.mark.parametrize(("durable", "level"), [(False, 1), (True, 2)])
def test_how_long_a_commit_lasts_is_chosen(tmp_path: Path, durable: bool, level: int) -> None:
    """NORMAL or FULL; in WAL mode."""
    connection = connect(str(tmp_path / "j.db"), durable=durable)
    assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    connection.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """And stays as it is."""
    path = tmp_path / "j.db"
    path.write_bytes(b"Dear diary, " * 1000)
    with pytest.raises(
        JournalUnavailable, match="is damaged, or is not an SQLite database; if you move it away"
    ):
        opened(path)
    assert path.read_bytes() == b"Dear diary, " * 1000


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    """With or without an id of its own."""
    for name, setup in (("a.db", "CREATE TABLE t (x)"), ("b.db", "PRAGMA application_id = 7")):
        with sqlite3.connect(tmp_path / name) as other:
            other.execute(setup)
        other.close()
        with pytest.raises(JournalUnavailable, match="a database of another program"):
            opened(tmp_path / name)


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    """With both versions."""
    opened(tmp_path / "j.db")
    with sqlite3.connect(tmp_path / "j.db") as other:
        other.execute(f"PRAGMA user_version = {VERSION + 1}")
    other.close()
    with pytest.raises(JournalUnavailable, match="is of version 2; this release reads version 1"):
        opened(tmp_path / "j.db")


@pytest.mark.parametrize("kept", [100, 4096, 9000])
def test_a_torn_file_is_refused(tmp_path: Path, kept: int) -> None:
    """Whatever is left of it."""
    path = tmp_path / "j.db"
    connection = connect(str(path), durable=False)
    connection.execute("INSERT INTO meta VALUES ('x', zeroblob(100000))")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(JournalUnavailable, match=r"is damaged"):
        connect(str(path), durable=False).execute("SELECT * FROM meta")
        raise unavailable(str(path), sqlite3.DatabaseError("database disk image is malformed"))


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Or may not be written to."""
    with pytest.raises(JournalUnavailable, match="can't be used: No such file"):
        opened(tmp_path / "nowhere" / "j.db")


def test_a_full_disk_is_said() -> None:
    """By its own sentence."""
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = "SQLITE_FULL"
    assert str(unavailable("j.db", error)) == "the journal 'j.db' can't grow: the disk is full"


def test_who_comes_second_leaves_it_as_it_is(tmp_path: Path) -> None:
    """Between the look at the file and the lock another process may have made the journal."""
    path = str(tmp_path / "j.db")
    with contextlib.closing(connect(path, durable=False)) as connection:
        secret = connection.execute("SELECT value FROM meta").fetchone()
        schema._create(connection, path)
        assert connection.execute("SELECT value FROM meta").fetchone() == secret
        assert not connection.in_transaction


class Contended:
    """A connection on which a pragma fails so often."""

    def __init__(self, times: int, name: str = "SQLITE_BUSY") -> None:
        self.times, self.name, self.executed = times, name, list[str]()

    def execute(self, statement: str) -> None:
        """As sqlite3's."""
        self.executed.append(statement)
        if statement.startswith("PRAGMA") and self.times:
            self.times -= 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorname = self.name
            raise error


def test_the_mode_is_set_again_while_others_set_it() -> None:
    """Each time after the transaction of another connection; other failures are raised, and endless ones too."""
    made: Any = Contended(2)
    schema._write_ahead(made)
    pragma, waits = "PRAGMA journal_mode = WAL", ["BEGIN IMMEDIATE", "COMMIT"]
    assert made.executed == [pragma, *waits, pragma, *waits, pragma]
    for one, tries in ((Contended(1, "SQLITE_FULL"), 1), (Contended(10_000), schema.TRIES)):
        made = one
        with pytest.raises(sqlite3.OperationalError):
            schema._write_ahead(made)
        assert made.executed.count(pragma) == tries


def test_several_may_make_it_at_once(tmp_path: Path) -> None:
    """One does; all have the same secret."""
    secrets = list[bytes]()

    def begin() -> None:
        connection = connect(str(tmp_path / "j.db"), durable=False)
        secrets.append(connection.execute("SELECT value FROM meta").fetchone()[0])
        connection.close()

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(secrets) == 6 and len(set(secrets)) == 1
