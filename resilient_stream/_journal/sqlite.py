"""The journal in a SQLite file: for one machine, without a server.

The file is in WAL mode, so readers and the writer do not wait for each other. A commit survives the end of
any process, and with ``?synchronous=full`` a power cut. Without it the last commits before a power cut may be
missing, but never a part of one.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from typing import Any, Final

from . import lease as rules
from .entries import OVER, Answer, Claim, Head, Lease, Opening, Page, Status, Verdict, Write
from .schema import connect, unavailable
from .store import Mark

POLL: Final = 0.005
"""Seconds between two looks at a file that other processes may have written to. One look takes
microseconds."""

TIDIED_AT_ONCE: Final = 500
"""Pages of the file that are freed at once, so that nobody waits for long."""

_ALL: Final = (
    "SELECT id, tag, status, epoch, holder, until, last, size, created, touched, owner, stopping "
    "FROM streams ORDER BY number"
)
_ONE: Final = _ALL.replace("ORDER BY number", "WHERE id=?")
_INSERT: Final = (
    "INSERT INTO streams (id, tag, status, epoch, holder, until, last, size, created, touched, owner, "
    "stopping, request) VALUES (?,?,'running',?,?,?,0,0,?,?,?,0,?)"
)


class SqliteStore:
    """Streams in one file.

    Args:
        path: of the file.
        durable: as for `schema.connect`.
        clock: seconds since the epoch.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        path: str,
        *,
        durable: bool = False,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.path = path
        self._durable, self.now, self._sleep = durable, clock, sleep
        self._begin()
        with self._reading() as connection:
            self._secret: bytes = connection.execute("SELECT value FROM meta WHERE name='secret'").fetchone()[
                0
            ]

    def _begin(self) -> None:
        self._process = os.getpid()
        self._writer: sqlite3.Connection | None = None
        self._write_lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._watcher: sqlite3.Connection | None = None

    @property
    def secret(self) -> bytes:
        """Made with the file."""
        return self._secret

    # -- connections -----------------------------------------------------------------------------

    def _check_process(self) -> None:
        """Check for a fork: in a child the connections are the parent's, so they are left alone, and new ones
        are made."""
        if self._process != os.getpid():
            self._orphans = (
                self._writer,
                self._idle,
                self._watcher,
            )  # closing them would drop the parent's locks
            self._begin()

    @contextmanager
    def _writing(self) -> Generator[sqlite3.Connection]:
        """One transaction, of which all is kept or nothing."""
        self._check_process()
        with self._write_lock:
            if self._writer is None:
                self._writer = connect(self.path, durable=self._durable)
            connection = self._writer
            try:
                with connection:  # commits; rolls back if anything is raised
                    connection.execute("BEGIN IMMEDIATE")
                    yield connection
            except sqlite3.Error as error:
                self._writer = None
                connection.close()
                raise unavailable(self.path, error) from error

    @contextmanager
    def _reading(self) -> Generator[sqlite3.Connection]:
        self._check_process()
        connection = self._idle.pop() if self._idle else connect(self.path, durable=self._durable)
        with ExitStack() as left:
            left.callback(connection.close)
            try:
                yield connection
            except sqlite3.Error as error:
                raise unavailable(self.path, error) from error
            left.pop_all()
        self._idle.append(connection)

    # -- writing ---------------------------------------------------------------------------------

    def claim(
        self, key: str, holder: str, ttl: float, *, opening: Opening | None = None, void: int | None = None
    ) -> Claim:
        """As `Store.claim`."""
        with self._writing() as connection:
            now, before = self.now(), _head(connection, key)
            verdict = rules.verdict(before, now, void)
            if verdict is Verdict.TAKEN:
                connection.execute(
                    "UPDATE streams SET status='running', epoch=epoch+1, holder=?, until=?, touched=? "
                    "WHERE id=?",
                    (holder, now + ttl, now, key),
                )
            elif verdict is Verdict.UNKNOWN and opening is not None:
                verdict = Verdict.NEW
                epoch = 1 if before is None else before.epoch + 1
                connection.execute("DELETE FROM streams WHERE id=?", (key,))
                connection.execute(
                    _INSERT,
                    (key, opening.tag, epoch, holder, now + ttl, now, now, opening.owner, opening.request),
                )
            return Claim(verdict, None if verdict is Verdict.UNKNOWN else _head(connection, key))

    def commit(self, writes: Sequence[Write], ttl: float) -> list[Answer]:
        """As `Store.commit`: one transaction for all."""
        with self._writing() as connection:
            now = self.now()
            return [_write(connection, write, now, ttl) for write in writes]

    def renew(self, leases: Sequence[Lease], ttl: float) -> list[Answer]:
        """As `Store.renew`."""
        with self._writing() as connection:
            until = self.now() + ttl
            return [_renew(connection, lease, until) for lease in leases]

    def stop(self, key: str) -> bool:
        """As `Store.stop`."""
        with self._writing() as connection:
            head = _head(connection, key)
            if head is None or head.status in (*OVER, Status.EXPIRED):
                return False
            if rules.is_leased(head, self.now()):
                connection.execute("UPDATE streams SET stopping=1 WHERE id=?", (key,))
            else:
                connection.execute(
                    "UPDATE streams SET status='stopped', holder='', until=0, stopping=1 WHERE id=?", (key,)
                )
            return True

    def expire(self, key: str) -> None:
        """As `Store.expire`."""
        with self._writing() as connection:
            head = _head(connection, key)
            if head is not None and not rules.is_leased(head, self.now()):
                _drop_frames(connection, key)
                connection.execute(
                    "UPDATE streams SET status='expired', holder='', until=0, size=0, request=NULL, "
                    "state=NULL WHERE id=?",
                    (key,),
                )

    def remove(self, key: str) -> bool:
        """As `Store.remove`."""
        with self._writing() as connection:
            _drop_frames(connection, key)
            return connection.execute("DELETE FROM streams WHERE id=?", (key,)).rowcount > 0

    def tidy(self) -> None:
        """As `Store.tidy`."""
        with self._reading() as connection:
            # a script, because `execute` frees one page only
            connection.executescript(f"PRAGMA incremental_vacuum({TIDIED_AT_ONCE})")

    # -- reading ---------------------------------------------------------------------------------

    def head(self, key: str) -> Head | None:
        """As `Store.head`."""
        with self._reading() as connection:
            return _head(connection, key)

    def heads(self) -> list[Head]:
        """As `Store.heads`."""
        with self._reading() as connection:
            return [_made(row) for row in connection.execute(_ALL)]

    def payloads(self, key: str) -> tuple[bytes, bytes] | None:
        """As `Store.payloads`."""
        with self._reading() as connection:
            row = connection.execute("SELECT request, state FROM streams WHERE id=?", (key,)).fetchone()
        return None if row is None or row[0] is None else (row[0], row[1] or b"")

    def read(self, key: str, after: int, limit: int) -> Page | None:
        """As `Store.read`."""
        with self._reading() as connection:
            head = _head(connection, key)
            if head is None:
                return None
            rows = connection.execute(
                "SELECT f.number, f.frame FROM streams s JOIN frames f ON f.stream = s.number "
                "WHERE s.id=? AND s.tag=? AND f.number > ? AND f.number <= ? ORDER BY f.number LIMIT ?",
                (key, head.tag, after, head.last, limit),
            )
            return Page(head, tuple(rows))

    def changed(self, marks: Mapping[str, Mark], seconds: float) -> set[str]:
        """As `Store.changed`. It looks at the file every few milliseconds."""
        version, waited = None, 0.0
        while True:
            seen = self._data_version()
            if seen != version:
                version, found = seen, self._differing(marks)
                if found:
                    return found
            if waited >= seconds:
                return set()
            self._sleep(min(POLL, seconds - waited))
            waited += POLL

    def _data_version(self) -> int:
        """A number that changes whenever another connection has written."""
        self._check_process()
        try:
            if self._watcher is None:
                self._watcher = connect(self.path, durable=self._durable)
            version: int = self._watcher.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            raise unavailable(self.path, error) from error
        return version

    def _differing(self, marks: Mapping[str, Mark]) -> set[str]:
        with self._reading() as connection:
            return {key for key, mark in marks.items() if _mark(_head(connection, key)) != mark}

    def close(self) -> None:
        """As `Store.close`."""
        self._check_process()
        with self._write_lock:
            for connection in (self._writer, self._watcher, *self._idle):
                if connection is not None:
                    connection.close()
            self._writer = self._watcher = None
            self._idle.clear()


def _head(connection: sqlite3.Connection, key: str) -> Head | None:
    row = connection.execute(_ONE, (key,)).fetchone()
    return None if row is None else _made(row)


def _made(row: tuple[Any, ...]) -> Head:
    names = (field.name for field in fields(Head))
    told: dict[str, Any] = dict(zip(names, row, strict=True))
    told["status"], told["stopping"] = Status(told["status"]), bool(told["stopping"])
    return Head(**told)


def _mark(head: Head | None) -> Mark | None:
    return None if head is None else (head.last, head.status, head.epoch)


def _write(connection: sqlite3.Connection, write: Write, now: float, ttl: float) -> Answer:
    found = connection.execute(
        "SELECT number, status, last, stopping FROM streams WHERE id=? AND epoch=?",
        (write.lease.key, write.lease.epoch),
    ).fetchone()
    if found is None:
        return Answer.LOST
    number, status, last, stopping = found
    if not _is_told_again(write, status, last):
        if status != Status.RUNNING or write.first != last + 1:
            return Answer.LOST
        _keep(connection, number, write, now, ttl)
    return Answer.STOP if stopping else Answer.KEPT


def _is_told_again(write: Write, status: str, last: int) -> bool:
    """Whether a write was kept already, and its writer did not learn of it: nobody else has that epoch."""
    if write.frames:
        return last >= write.first + len(write.frames) - 1
    return write.status is not None and status == write.status


def _keep(connection: sqlite3.Connection, number: int, write: Write, now: float, ttl: float) -> None:
    numbered = enumerate(write.frames, write.first)
    connection.executemany(
        "INSERT INTO frames VALUES (?,?,?)", [(number, each, frame) for each, frame in numbered]
    )
    over = write.status is not None
    connection.execute(
        "UPDATE streams SET last=last+?, size=size+?, touched=?, until=?, state=ifnull(?, state), "
        "status=ifnull(?, status), holder=iif(?, '', holder) WHERE number=?",
        (
            len(write.frames),
            sum(map(len, write.frames)),
            now,
            0 if over else now + ttl,
            write.state,
            write.status,
            over,
            number,
        ),
    )


def _renew(connection: sqlite3.Connection, lease: Lease, until: float) -> Answer:
    row = connection.execute(
        "UPDATE streams SET until=? WHERE id=? AND epoch=? AND status='running' RETURNING stopping",
        (until, lease.key, lease.epoch),
    ).fetchone()
    return Answer.LOST if row is None else Answer.STOP if row[0] else Answer.KEPT


def _drop_frames(connection: sqlite3.Connection, key: str) -> None:
    connection.execute("DELETE FROM frames WHERE stream IN (SELECT number FROM streams WHERE id=?)", (key,))
