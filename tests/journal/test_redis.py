"""What is Redis's own. ``test_store.py`` has the laws of all stores."""

from __future__ import annotations

import importlib
import time
from typing import Any

import pytest

from resilient_stream._journal.entries import Answer, Opening, Status, Verdict, Write
from resilient_stream._journal.redis import RedisStore
from resilient_stream.errors import JournalUnavailable
from tests.support.journals import Server, server


def test_its_clock_is_the_servers() -> None:
    """Machines need not agree on the time."""
    store = RedisStore(server().url, prefix="clock")
    assert abs(store.now() - time.time()) < 60
    claim = store.claim("s", "a", 10.0, opening=Opening("tag", b""))
    assert claim.head is not None
    assert 0 < claim.head.until - store.now() <= 10.0
    store.remove("s")
    store.close()


def test_a_server_that_is_restarted_has_what_it_answered() -> None:
    """Killed, too, where it appends to a file. While it is away, that is said."""
    server()  # or there is none to be had
    own = Server(lasting=True)
    store = RedisStore(own.url)
    lease = store.claim("s", "a", 10.0, opening=Opening("tag", b"request")).lease
    assert lease is not None
    assert store.commit([Write(lease, 1, (b"x", b"y"))], 10.0) == [Answer.KEPT]
    own.kill()
    with pytest.raises(JournalUnavailable, match="the journal's Redis can't be used: ConnectionError"):
        store.head("s")
    own.start()
    page = store.read("s", 0, 9)
    assert page is not None and [frame for _, frame in page.frames] == [b"x", b"y"]
    assert store.commit([Write(lease, 3, (), None, Status.COMPLETE)], 10.0) == [Answer.KEPT]
    assert store.claim("s", "b", 10.0).verdict is Verdict.OVER
    store.close()
    own.close()


def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra."""
    real = importlib.import_module

    def missing(name: str, *args: Any) -> Any:
        if name == "redis":
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(JournalUnavailable, match=r"pip install 'resilient-stream\[redis\]'"):
        RedisStore("redis://127.0.0.1:1/0")


def test_a_forked_child_has_a_connection_of_its_own() -> None:
    """It leaves its parent's alone, and closes only its own."""
    store = RedisStore(server().url, prefix="fork")
    client = store._client
    store._process = -1
    store.close()
    assert store.heads() == []
    assert store._client is not client
    store.close()
    client.close()


def test_a_server_that_is_full_is_as_good_as_away() -> None:
    """With ``noeviction``: what was written can be read meanwhile, and once there is room it is written on."""
    store = RedisStore(server().url, prefix="full")
    lease = store.claim("s", "a", 10.0, opening=Opening("tag", b"request")).lease
    assert lease is not None
    assert store.commit([Write(lease, 1, (b"x",))], 10.0) == [Answer.KEPT]
    client = store._client
    before = client.config_get("maxmemory")["maxmemory"]
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(JournalUnavailable, match="the journal's Redis can't be used: OutOfMemoryError"):
            store.commit([Write(lease, 2, (b"y",))], 10.0)
        page = store.read("s", 0, 9)
        assert page is not None and [frame for _, frame in page.frames] == [b"x"]
    finally:
        client.config_set("maxmemory", before)
    assert store.commit([Write(lease, 2, (b"y",), None, Status.COMPLETE)], 10.0) == [Answer.KEPT]
    store.remove("s")
    store.close()
