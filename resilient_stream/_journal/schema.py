"""Opens and creates the SQLite file, and recognises files that do not belong to the library."""

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path
from typing import Final

from resilient_stream.errors import JournalUnavailable

APPLICATION: Final = 0x52537472
"""SQLite's ``application_id``: "RStr"."""

VERSION: Final = 1

PATIENCE: Final = 5.0
"""Seconds that a connection waits for another one's transaction."""

TRIES: Final = 100
"""How often the journal mode of a new file is set. Each try fails only if another connection was quicker."""

_TABLES: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    """CREATE TABLE streams (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE, tag TEXT NOT NULL, status TEXT NOT NULL, epoch INTEGER NOT NULL,
        holder TEXT NOT NULL, until REAL NOT NULL, last INTEGER NOT NULL,
        size INTEGER NOT NULL, created REAL NOT NULL, touched REAL NOT NULL, owner TEXT NOT NULL,
        stopping INTEGER NOT NULL, request BLOB, state BLOB)""",
    """CREATE TABLE frames (
        stream INTEGER NOT NULL, number INTEGER NOT NULL, frame BLOB NOT NULL,
        PRIMARY KEY (stream, number)) WITHOUT ROWID""",
)


def connect(path: str, *, durable: bool) -> sqlite3.Connection:
    """A connection, for one thread at a time, to a file that is created if it does not exist.

    Args:
        path: of the file.
        durable: whether a commit is on the disk when it returns (``synchronous=FULL``), or survives the end
            of the process only (``NORMAL``).

    Raises:
        JournalUnavailable: it can't be opened, is damaged, or is of another program.
    """
    try:
        _touch(path)
        connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, OSError) as error:
        raise unavailable(path, error) from error
    try:
        _set_up(connection, path, durable=durable)
    except sqlite3.Error as error:
        connection.close()
        raise unavailable(path, error) from error
    except JournalUnavailable:
        connection.close()
        raise
    return connection


def unavailable(path: str, error: Exception) -> JournalUnavailable:
    """The exception to raise if SQLite or the file system has failed."""
    name = getattr(error, "sqlite_errorname", "")
    if name in ("SQLITE_NOTADB", "SQLITE_CORRUPT") or "malformed" in str(error):
        what = "is damaged, or is not an SQLite database; if you move it away, a new one is made"
    elif name == "SQLITE_FULL":
        what = "can't grow: the disk is full"
    else:
        what = f"can't be used: {getattr(error, 'strerror', None) or error}"
    return JournalUnavailable(f"the journal {path!r} {what}")


def _touch(path: str) -> None:
    """Create the file, for its owner only. SQLite gives the files beside it the same mode."""
    if not Path(path).exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _set_up(connection: sqlite3.Connection, path: str, *, durable: bool) -> None:
    found, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    if found != APPLICATION:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before there is a table
        if not _tables(connection):
            _write_ahead(connection)
        _create(connection, path)
    elif version != VERSION:
        raise JournalUnavailable(
            f"the journal {path!r} is of version {version}; this release reads version {VERSION}"
        )
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Change the journal mode. SQLite does not wait here if another connection does the same at that moment.
    It does wait for a transaction, so an empty one comes before the next try."""
    tries = 0
    while True:
        tries += 1
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or tries == TRIES:
                raise
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        else:
            return


def _create(connection: sqlite3.Connection, path: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _pragma(connection, "application_id") == APPLICATION:  # another process was quicker
            return
        if _tables(connection) or _pragma(connection, "application_id"):
            raise JournalUnavailable(f"{path!r} is a database of another program, not a journal")
        for table in _TABLES:
            connection.execute(table)
        connection.execute("INSERT INTO meta VALUES ('secret', ?)", (secrets.token_bytes(32),))
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    finally:
        connection.execute("COMMIT")


def _tables(connection: sqlite3.Connection) -> int:
    count: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return count


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
