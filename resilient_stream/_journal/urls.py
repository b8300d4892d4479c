"""Opens the store that a journal's URL names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from resilient_stream._policy.blackboard import SCHEMES, split

from .redis import RedisStore
from .sqlite import SqliteStore
from .store import Store


def open_store(url: str, *, clock: Callable[[], float] | None = None) -> Store:
    """The store that a URL names.

    Args:
        url: ``sqlite:///streams.db`` for a file of the current folder, ``sqlite:////var/lib/streams.db`` for
            one elsewhere, with ``?synchronous=full`` for one that survives a power cut; or
            ``redis://host:6379/0``,
            ``rediss://`` and ``unix://`` as the ``redis`` package has them, with ``?prefix=name`` for another
            beginning of all keys.
        clock: seconds since the epoch; None for the store's own.

    Raises:
        ValueError: this is not such a URL.
        JournalUnavailable: its store can't be used.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if parts.scheme == "sqlite":
        return _sqlite(parts.netloc, parts.path, query, clock)
    if parts.scheme in SCHEMES:
        address, prefix = split(url)
        return RedisStore(address, clock=clock, prefix=prefix)
    raise ValueError("a journal's URL should begin with sqlite:///, redis://, rediss:// or unix://")


def _sqlite(host: str, path: str, query: dict[str, str], clock: Callable[[], float] | None) -> SqliteStore:
    if host or len(path) < 2:
        raise ValueError(
            "a journal's file should be given as sqlite:///file.db, or sqlite:////folder/file.db"
        )
    synchronous = query.pop("synchronous", "normal")
    if query or synchronous not in ("normal", "full"):
        raise ValueError("the only option of a sqlite journal is synchronous=normal or synchronous=full")
    known: dict[str, Any] = {} if clock is None else {"clock": clock}
    return SqliteStore(path[1:], durable=synchronous == "full", **known)
