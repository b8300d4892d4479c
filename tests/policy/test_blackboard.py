"""Where processes write what they have seen."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from resilient_stream._policy import blackboard
from resilient_stream._policy.blackboard import AwayError, RedisBoard, split
from tests.support.journals import free_port, url_of

NOWHERE = f"redis://127.0.0.1:{free_port()}/0"


@pytest.fixture
def url(tmp_path: Any) -> str:
    """Of a real server, with a beginning of keys of its own."""
    return url_of("redis", tmp_path)


@pytest.fixture
def board(url: str) -> Iterator[RedisBoard]:
    """One."""
    made = RedisBoard(url)
    yield made
    made.close()


def test_what_one_writes_the_others_read(board: RedisBoard) -> None:
    """By account; nobody reads its own; the last word of each counts, and who has left is gone."""
    assert board.exchange("a", {"x": "1 2", "y": "3"})[1] == {"x": {}, "y": {}}
    assert board.exchange("b", {"x": "4"})[1] == {"x": {"a": b"1 2"}}
    assert board.exchange("a", {"x": "5"})[1] == {"x": {"b": b"4"}}
    assert board.exchange("b", {"x": "6", "z": "7"})[1] == {"x": {"a": b"5"}, "z": {}}
    assert board.exchange("b", {"x": ""})[1] == {"x": {"a": b"5"}}
    assert board.exchange("a", {"x": "8"})[1] == {"x": {}}


def test_what_is_old_is_not_read(board: RedisBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was killed is forgotten, and so is what no process of ours has written."""
    board.exchange("a", {"x": "1"})
    board._client.hset(f"{board._prefix}:health:1:x", "stranger", "no time")
    monkeypatch.setattr(blackboard, "LIFE", -1.0)
    assert board.exchange("b", {"x": "2"})[1] == {"x": {}}
    assert board._client.hkeys(f"{board._prefix}:health:1:x") == [b"b"]


def test_what_nobody_uses_is_taken_away(board: RedisBoard) -> None:
    """By the server, within a minute."""
    board.exchange("a", {"x": "1"})
    assert 0 < board._client.ttl(f"{board._prefix}:health:1:x") <= 60


def test_the_clock_is_the_servers(board: RedisBoard) -> None:
    """It goes on from one exchange to the next."""
    times = [board.exchange("a", {})[0] for _ in range(3)]
    assert times == sorted(times)
    assert times[0] > 1.7e9


def test_all_processes_have_one_secret(board: RedisBoard, url: str) -> None:
    """Whoever asks first makes it; others with another prefix have another."""
    other, apart = RedisBoard(url), RedisBoard(url + "-apart")
    assert len(board.secret()) == 32
    assert board.secret() == other.secret() != apart.secret()
    other.close()
    apart.close()


@pytest.mark.parametrize("ask", [RedisBoard.secret, lambda board: board.exchange("a", {"x": "1"})])
def test_a_server_that_is_away_is_said(ask: Any) -> None:
    """At once, with the reason."""
    board = RedisBoard(NOWHERE)
    with pytest.raises(AwayError, match=r"ConnectionError: .*127\.0\.0\.1"):
        ask(board)
    board.close()


def test_a_server_that_is_full_is_as_good_as_away(board: RedisBoard) -> None:
    """With ``noeviction`` nothing can be written; what is there can be read again once there is room."""
    client = board._client
    board.exchange("a", {"x": "1"})
    before = client.config_get("maxmemory")["maxmemory"]
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(AwayError, match=r"OutOfMemory"):
            board.exchange("b", {"x": "2"})
    finally:
        client.config_set("maxmemory", before)
    assert board.exchange("b", {"x": "2"})[1] == {"x": {"a": b"1"}}


@pytest.mark.parametrize(
    ("url", "address", "prefix"),
    [
        ("redis://h:1/0", "redis://h:1/0", "resilient-stream"),
        ("rediss://u:p@h/0?prefix=team&db=2", "rediss://u:p@h/0?db=2", "team"),
        ("unix:///run/redis.sock?prefix=x", "unix:///run/redis.sock", "x"),
    ],
)
def test_a_url_may_have_a_prefix(url: str, address: str, prefix: str) -> None:
    """As a journal's; the rest is the redis package's."""
    assert split(url) == (address, prefix)


@pytest.mark.parametrize("url", ["", "localhost", "sqlite:///x.db", "http://h"])
def test_another_url_is_refused(url: str) -> None:
    """With those that are taken."""
    with pytest.raises(ValueError, match="should begin with redis://"):
        RedisBoard(url)


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra's name."""
    load = importlib.import_module

    def without(name: str, *args: Any) -> Any:
        if name == "redis":
            raise ImportError(name)
        return load(name, *args)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(ImportError, match=r"pip install 'resilient-stream\[redis\]'"):
        RedisBoard(NOWHERE)
