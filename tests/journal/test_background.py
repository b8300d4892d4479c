"""Streams in the background, whoever reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from pathlib import Path
from typing import Any

import anthropic
import pytest
import trio

from resilient_stream import resilient
from resilient_stream._journal import background, lease
from resilient_stream._journal.entries import Opening, Status
from resilient_stream.errors import JournalUnavailable, OtherRequest, StreamBusy, StreamFailed
from resilient_stream.journal import Journal, journaled
from resilient_stream.testing import StandIn
from resilient_stream.testing import Status as StatusFault
from tests.support.doors import events_of
from tests.support.journals import doomed
from tests.support.worlds import ASK, HASTY, TEXT, USER_TURN_MODEL

REQUEST: dict[str, Any] = {
    "model": USER_TURN_MODEL,
    "max_tokens": 4096,
    "messages": ASK,
    "system": "Be brief.",
}
STRICT = HASTY.replace(journal_failure="stop")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Of a new journal."""
    return f"sqlite:///{tmp_path}/j.db"


@pytest.fixture
def server() -> Generator[StandIn]:
    """The API."""
    with StandIn(reply=TEXT) as made:
        yield made


def client_of(server: StandIn, journal: Journal) -> anthropic.Anthropic:
    """A sync client."""
    return resilient(anthropic.Anthropic(base_url=server.url, api_key="k"), HASTY, journal=journal)


def async_client_of(server: StandIn, journal: Journal) -> anthropic.AsyncAnthropic:
    """An async one."""
    return resilient(anthropic.AsyncAnthropic(base_url=server.url, api_key="k"), HASTY, journal=journal)


def text_of(frames: list[bytes]) -> str:
    """The text of all deltas."""
    deltas = [each["delta"] for each in events_of(b"".join(frames)) if each["type"] == "content_block_delta"]
    return "".join(delta.get("text", "") for delta in deltas)


def test_a_stream_can_be_read_once_it_was_started(url: str, server: StandIn) -> None:
    """At once, and to its end, by whoever comes. Started again it costs nothing."""
    with Journal(url) as journal, client_of(server, journal) as client:
        journal.start(client, "k", **REQUEST)
        for _ in range(2):
            assert text_of([entry.frame for entry in journal.read("k")]) == TEXT
        journal.start(client, "k", **REQUEST)
        assert len(server.requests) == 1
        assert journal.request("k")["body"] == {**REQUEST, "stream": True}


def test_so_can_one_of_an_event_loop(url: str, server: StandIn) -> None:
    """In a task of its own."""

    async def main() -> None:
        async with async_client_of(server, journal) as client:
            await journal.astart(client, "k", **REQUEST)
            assert text_of([entry.frame async for entry in journal.aread("k")]) == TEXT
            await journal.arun(client, "l", **REQUEST)
            assert journal.store.head("l").status is Status.COMPLETE  # type: ignore[union-attr]  # it is there

    with Journal(url) as journal:
        asyncio.run(main())


def test_under_trio_it_wants_a_nursery_of_yours(url: str, server: StandIn) -> None:
    """Tasks that nobody waits for there are none."""

    async def main() -> None:
        async with async_client_of(server, journal) as client:
            with pytest.raises(RuntimeError, match="in a nursery"):
                await journal.astart(client, "k", **REQUEST)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(lambda: journal.arun(client, "k", **REQUEST))

    with Journal(url) as journal:
        trio.run(main)
        assert journal.streams()[0].status is Status.COMPLETE


def test_what_can_not_begin_is_said_to_who_starts_it(url: str, server: StandIn) -> None:
    """Another request under its key, for one."""

    async def main() -> None:
        async with async_client_of(server, journal) as client:
            with pytest.raises(OtherRequest):
                await journal.astart(client, "k", **{**REQUEST, "max_tokens": 7})

    with Journal(url) as journal, client_of(server, journal) as client:
        journal.start(client, "k", **REQUEST)
        assert text_of([entry.frame for entry in journal.read("k")]) == TEXT
        with pytest.raises(OtherRequest):
            journal.start(client, "k", **{**REQUEST, "max_tokens": 7})
        asyncio.run(main())


def test_a_stream_that_nobody_could_read_does_not_begin(url: str, server: StandIn) -> None:
    """Where the journal can't be reached, whatever the policy says of streams that are read by their program."""

    def away(*_: Any, **__: Any) -> Any:
        raise JournalUnavailable("away")

    with Journal(url) as journal, client_of(server, journal) as client:
        store: Any = journal.store
        store.claim = away
        with pytest.raises(JournalUnavailable, match="away"):
            journal.start(client, "k", **REQUEST)
    assert server.requests == []


def test_what_fails_later_is_told_to_its_readers(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """And is in the log, by its name."""
    with (
        StandIn(reply=TEXT, always=StatusFault(400)) as server,
        Journal(url) as journal,
        client_of(server, journal) as client,
    ):
        journal.start(client, "k", **REQUEST)
        with pytest.raises(StreamFailed):
            list(journal.read("k"))

        async def main() -> None:
            async with async_client_of(server, journal) as other:
                await journal.astart(other, "l", **REQUEST)
                with pytest.raises(StreamFailed):
                    [entry async for entry in journal.aread("l")]

        asyncio.run(main())
        assert [head.status for head in journal.streams()] == [Status.FAILED] * 2


def test_what_failed_in_the_background_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Once it had begun; before that it is raised."""
    told = list[int]()
    outcome = background._Outcome(lambda: told.append(1))
    outcome.ends(ValueError("before"))
    assert caplog.messages == []
    outcome.begins()
    outcome.ends(ValueError("a secret"))
    assert caplog.messages == ["a stream in the background failed: ValueError"]
    assert len(told) == 3


@pytest.mark.parametrize("world", ["sync", "asyncio"])
def test_streams_whose_writer_is_gone_are_taken_over(
    world: str, url: str, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With their requests as they were, betas included; what is complete is left alone."""
    monkeypatch.setattr(lease, "is_dead", lambda name: name == "dead")
    with Journal(url, patience=0.0) as journal, monkeypatch.context() as before:
        before.setattr(lease, "holder", lambda: "dead")
        doomed(journal, 5)
        client = resilient(anthropic.Anthropic(base_url=server.url, api_key="k"), STRICT, journal=journal)
        with client, pytest.raises(JournalUnavailable), journaled("k"):
            for _ in client.beta.messages.create(**REQUEST, stream=True, betas=["x-beta"]):
                pass
    with Journal(url) as journal:
        if world == "sync":
            with client_of(server, journal) as other:
                assert journal.recover(other) == ["k"]
                frames = [entry.frame for entry in journal.read("k")]
                assert journal.recover(other) == []
        else:

            async def main() -> list[bytes]:
                async with async_client_of(server, journal) as other:
                    assert await journal.arecover(other) == ["k"]
                    return [entry.frame async for entry in journal.aread("k")]

            frames = asyncio.run(main())
        assert text_of(frames) == TEXT
        assert [request.headers["anthropic-beta"] for request in server.requests] == ["x-beta"] * 2


def test_of_two_who_recover_one_gets_each_stream(
    url: str, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one leaves it."""
    with Journal(url) as journal, client_of(server, journal) as client:
        kept = b'{"headers":{},"body":{"model":"m","max_tokens":1,"messages":[],"stream":true}}'
        journal.store.claim("k", "elsewhere", 0.0, opening=Opening("0123456789ab", kept))

        def busy(*_: object) -> None:
            raise StreamBusy("taken")

        async def abusy(*_: object) -> None:
            raise StreamBusy("taken")

        monkeypatch.setattr(background, "start", busy)
        monkeypatch.setattr(background, "astart", abusy)
        assert [head.key for head in journal.abandoned()] == ["k"]
        assert journal.recover(client) == []

        async def main() -> None:
            assert await journal.arecover(None) == []

        asyncio.run(main())
