"""From a journal's URL to its store."""

from __future__ import annotations

from pathlib import Path

import pytest

from resilient_stream._journal import urls
from resilient_stream._journal.redis import RedisStore
from resilient_stream._journal.sqlite import SqliteStore
from resilient_stream._journal.urls import open_store
from tests.support.journals import server


def test_a_file_is_named_by_three_or_four_slashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the current folder, or anywhere."""
    monkeypatch.chdir(tmp_path)
    for url, path in (
        ("sqlite:///a.db", "a.db"),
        (f"sqlite:///{tmp_path}/b.db?synchronous=full", f"{tmp_path}/b.db"),
    ):
        store = open_store(url)
        assert isinstance(store, SqliteStore)
        assert store.path == path and Path(path).exists()
        assert store._durable is ("full" in url)
        store.close()


def test_a_server_is_named_as_its_package_has_it() -> None:
    """But for the prefix of its keys."""
    store = open_store(f"{server().url}?prefix=mine&health_check_interval=7")
    assert isinstance(store, RedisStore)
    assert store._prefix == "mine"
    assert store._url == f"{server().url}?health_check_interval=7"
    store.close()


def test_a_server_may_be_named_by_its_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all its slashes, prefix or not."""
    asked = list[str]()
    monkeypatch.setattr(urls, "RedisStore", lambda address, **_: asked.append(address))
    for url in ("unix:///run/redis.sock", "unix:///run/redis.sock?prefix=mine", "unix://u:p@/run/x?db=1"):
        open_store(url)
    assert asked == ["unix:///run/redis.sock", "unix:///run/redis.sock", "unix://u:p@/run/x?db=1"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "streams.db",
        "sqlite://",
        "sqlite:///",
        "sqlite://host/a.db",
        "sqlite:///a.db?sync=1",
        "postgres://x",
        "sqlite:///a.db?synchronous=off",
    ],
)
def test_any_other_is_refused(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is made."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="journal"):
        open_store(url)
    assert not list(tmp_path.iterdir())
