"""Programs that are run again: through every client, cut at every write."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anthropic
import httpx
import httpx2
import pytest
import trio

from resilient_stream import RetryPolicy, report, resilient
from resilient_stream._journal.entries import Status
from resilient_stream._journal.session import PIECE, SyncReplay, _pieces
from resilient_stream.errors import JournalError, JournalUnavailable, OtherRequest, StoppedStream, StreamBusy
from resilient_stream.journal import Journal, journal_key, journaled
from resilient_stream.testing import ErrorEvent, StandIn, cut_at
from resilient_stream.testing import Status as StatusFault
from tests.support.doors import HEADERS, asking, events_of
from tests.support.journals import bury, doomed
from tests.support.worlds import ASK, HASTY, TEXT, USER_TURN_MODEL

STRICT = HASTY.replace(journal_failure="stop")
REQUEST: dict[str, Any] = {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK}
Events = list[Any]


def sdk(url: str, journal: Journal | None, policy: RetryPolicy, seen: Events, **request: Any) -> Any:
    """Through the SDK; what was handed over is in ``seen``, whatever happens."""
    with sdk_client(url, journal, policy) as client:
        stream = client.messages.create(**{**REQUEST, **request}, stream=True)
        with stream:
            for event in stream:
                seen.append(event.to_dict(mode="json"))
        return stream.response


def sdk_client(url: str, journal: Journal | None, policy: RetryPolicy = HASTY) -> anthropic.Anthropic:
    """A client of the SDK."""
    return resilient(anthropic.Anthropic(base_url=url, api_key="secret-key"), policy, journal=journal)


def _running(run: Callable[..., Any]) -> Any:
    def door(url: str, journal: Journal | None, policy: RetryPolicy, seen: Events, **request: Any) -> Any:
        async def main() -> Any:
            made = anthropic.AsyncAnthropic(base_url=url, api_key="secret-key")
            async with resilient(made, policy, journal=journal) as client:
                stream = await client.messages.create(**{**REQUEST, **request}, stream=True)
                async with stream:
                    async for event in stream:
                        seen.append(event.to_dict(mode="json"))
                return stream.response

        return run(main)

    return door


def _run_asyncio(main: Callable[[], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        return await main()

    return asyncio.run(run())


def plain(package: Any) -> Any:
    """Through a sync client of httpx or httpx2."""

    def door(url: str, journal: Journal | None, policy: RetryPolicy, seen: Events, **request: Any) -> Any:
        with (
            resilient(package.Client(base_url=url), policy, journal=journal) as client,
            client.stream("POST", "/v1/messages", json=asking(**request), headers=HEADERS) as response,
        ):
            raw = b""
            for chunk in response.iter_raw():
                raw += chunk
                seen[:] = events_of(raw)
            return response

    return door


def plain_async(package: Any) -> Any:
    """Through an async one."""

    def door(url: str, journal: Journal | None, policy: RetryPolicy, seen: Events, **request: Any) -> Any:
        async def main() -> Any:
            client = resilient(package.AsyncClient(base_url=url), policy, journal=journal)
            async with client:
                asked = client.stream("POST", "/v1/messages", json=asking(**request), headers=HEADERS)
                async with asked as response:
                    raw = b""
                    async for chunk in response.aiter_raw():
                        raw += chunk
                        seen[:] = events_of(raw)
                    return response

        return asyncio.run(main())

    return door


DOORS: dict[str, Any] = {
    "sdk": sdk,
    "sdk asyncio": _running(_run_asyncio),
    "sdk trio": _running(trio.run),
    "httpx": plain(httpx),
    "httpx2": plain(httpx2),
    "httpx async": plain_async(httpx),
    "httpx2 async": plain_async(httpx2),
}
every_door = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Of a new journal."""
    return f"sqlite:///{tmp_path}/j.db"


def without_pings(events: Events) -> Events:
    """The SDK hands them over to nobody."""
    return [event for event in events if event["type"] != "ping"]


def text_of(events: Events) -> str:
    """The text of all deltas."""
    return "".join(e["delta"].get("text", "") for e in events if e["type"] == "content_block_delta")


def stored(journal: Journal, key: str = "k") -> Events:
    """What the journal has of a complete stream."""
    return events_of(b"".join(entry.frame for entry in journal.read(key)))


@every_door
def test_a_finished_stream_is_replayed_without_a_request(door: Any, url: str) -> None:
    """Event for event; its report tells what it cost."""
    with StandIn(reply=TEXT) as server, Journal(url) as journal:
        first, second = Events(), Events()
        for seen in (first, second):
            with journaled("k"):
                response = door(server.url, journal, HASTY, seen)
        assert second == first
        assert text_of(first) == TEXT
        assert len(server.requests) == 1
        told = report(response)
        assert (told.outcome, len(told.attempts), told.resumed) == ("completed", 1, False)
        assert response.headers["request-id"] == told.attempts[0].request_id
        assert without_pings(stored(journal)) == without_pings(first)


@every_door
@pytest.mark.parametrize("writes", [1, 3, 8])
def test_a_stream_goes_on_from_where_its_process_died(
    door: Any, url: str, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the dead one handed over is handed over again, and what follows is the rest."""
    bury(monkeypatch)
    with StandIn(reply=TEXT) as server:
        before, after = Events(), Events()
        with Journal(url, patience=0.0) as journal:
            doomed(journal, writes)
            with pytest.raises(JournalUnavailable), journaled("k"):
                door(server.url, journal, STRICT, before)
        with Journal(url) as journal:
            with journaled("k"):
                response = door(server.url, journal, STRICT, after)
            assert after[: len(before)] == before
            assert text_of(after) == TEXT
            assert len(server.requests) == 2
            told = report(response)
            assert told.outcome == "completed"
            assert [attempt.failure is not None for attempt in told.attempts] == [True, False]
            assert without_pings(stored(journal)) == without_pings(after)


def test_it_goes_on_from_wherever_its_process_died(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind every write of it; each life hands over a beginning of the whole, and the journal has that."""
    bury(monkeypatch)
    with StandIn(reply=TEXT[:120]) as server:
        whole = Events()
        sdk(server.url, None, HASTY, whole)
        for writes in range(len(whole) + 6):
            key, lives = f"k{writes}", [Events(), Events()]
            for life, limit in zip(lives, (writes, 1000), strict=True):
                with Journal(url, patience=0.0) as journal:
                    doomed(journal, limit)
                    try:
                        with journaled(key):
                            sdk(server.url, journal, STRICT, life)
                    except JournalUnavailable:
                        assert life is lives[0]
            first, second = lives
            with Journal(url) as journal:
                assert without_pings(stored(journal, key)) == without_pings(second)
            assert second[: len(first)] == first
            assert text_of(second) == TEXT[:120]
            assert [event["type"] for event in second].count("message_start") == 1


def test_what_its_program_left_goes_on(url: str) -> None:
    """At once; nobody waits for a lease."""
    with StandIn(reply=TEXT) as server, Journal(url) as journal, sdk_client(server.url, journal) as client:
        with client.messages.create(**REQUEST, stream=True, extra_headers=journal_key("k")) as stream:
            for event in stream:
                if event.type == "content_block_delta":
                    break
        (head,) = journal.streams()
        assert (head.status, head.until) == (Status.LEFT, 0.0)
        with client.messages.stream(**REQUEST, extra_headers=journal_key("k")) as helper:
            assert helper.get_final_text() == TEXT
            assert report(helper).outcome == "completed"
        assert HEADERS["x-api-key"] and "resilient" not in str(server.requests[0].headers).lower()


def test_what_was_given_up_goes_on_when_it_is_asked_for_again(url: str) -> None:
    """With the limits of a new call. An error is never stored as an answer."""
    tired = HASTY.replace(max_barren_attempts=2, max_attempts=3)
    faults = [cut_at(1500), ErrorEvent(), ErrorEvent(), ErrorEvent()]
    with StandIn(reply=TEXT, faults=faults) as server, Journal(url) as journal:
        before, after = Events(), Events()
        with pytest.raises(anthropic.APIStatusError), journaled("k"):
            sdk(server.url, journal, tired, before)
        assert journal.streams()[0].status is Status.FAILED
        with journaled("k"):
            sdk(server.url, journal, tired, after)
        assert after[: len(before)] == before
        assert text_of(after) == TEXT


def test_a_stream_that_was_rejected_is_asked_for_again(url: str) -> None:
    """Nothing had been handed over."""
    with StandIn(reply=TEXT, faults=[StatusFault(400)]) as server, Journal(url) as journal:
        with pytest.raises(anthropic.BadRequestError), journaled("k"):
            sdk(server.url, journal, HASTY, Events())
        seen = Events()
        with journaled("k"):
            sdk(server.url, journal, HASTY, seen)
        assert text_of(seen) == TEXT


@every_door
def test_another_request_is_refused(door: Any, url: str) -> None:
    """It is named where it differs, not what is in it; the stream stays as it is."""
    other = [{"role": "user", "content": "Another secret question"}]
    with StandIn(reply=TEXT) as server, Journal(url) as journal:
        with journaled("k"):
            door(server.url, journal, HASTY, Events())
        with pytest.raises(OtherRequest, match=r"'k' .* messages\[0\] differ") as raised, journaled("k"):
            door(server.url, journal, HASTY, Events(), messages=other)
        assert "secret" not in str(raised.value)
        assert len(server.requests) == 1
        assert journal.streams()[0].status is Status.COMPLETE


def test_a_stream_that_this_process_writes_is_not_begun_twice(url: str) -> None:
    """Nor waited for."""
    with (
        StandIn(reply=TEXT, pace=0.01) as server,
        Journal(url) as journal,
        sdk_client(server.url, journal) as client,
        client.messages.create(**REQUEST, stream=True, extra_headers=journal_key("k")),
        pytest.raises(StreamBusy),
    ):
        client.messages.create(**REQUEST, stream=True, extra_headers=journal_key("k"))


def test_a_stopped_stream_ends_with_its_next_event(url: str) -> None:
    """Until it is removed."""
    with StandIn(reply=TEXT) as server, Journal(url) as journal, sdk_client(server.url, journal) as client:
        with (
            client.messages.create(**REQUEST, stream=True, extra_headers=journal_key("k")) as stream,
            pytest.raises(StoppedStream, match="was stopped"),
        ):
            for number, _ in enumerate(stream):
                assert number < 3
                journal.stop("k")
        assert journal.streams()[0].status is Status.STOPPED
        with pytest.raises(StoppedStream, match="remove it to begin it anew"):
            client.messages.create(**REQUEST, stream=True, extra_headers=journal_key("k"))
        assert journal.remove("k")
        with journaled("k"):
            sdk(server.url, journal, HASTY, Events())


@every_door
def test_without_a_key_nothing_is_journaled(door: Any, url: str) -> None:
    """Nor without a journal."""
    with StandIn(reply=TEXT) as server, Journal(url) as journal:
        door(server.url, journal, HASTY, Events())
        with journaled("k"):
            door(server.url, None, HASTY, Events())
        assert journal.streams() == []


def test_the_turns_of_a_block_are_journaled_one_by_one(url: str) -> None:
    """And replayed one by one."""
    with StandIn(reply=TEXT) as server, Journal(url) as journal:
        for _ in range(2):
            with journaled("job"):
                sdk(server.url, journal, HASTY, Events())
                sdk(server.url, journal, HASTY, Events(), max_tokens=4000)
        assert [head.key for head in journal.streams()] == ["job", "job#2"]
        assert len(server.requests) == 2


def test_no_credential_is_stored(url: str, tmp_path: Path) -> None:
    """Neither in the file nor beside it."""
    with StandIn(reply=TEXT) as server, Journal(url) as journal:
        with journaled("k"):
            sdk(server.url, journal, HASTY, Events())
        held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"Tell me about tides" in held
        assert b"secret-key" not in held


def test_what_is_encrypted_can_be_read_by_who_decrypts(url: str, tmp_path: Path) -> None:
    """And by nobody else: neither request, reply nor record."""

    def flip(data: bytes) -> bytes:
        return bytes(byte ^ 0xFF for byte in data)

    with StandIn(reply=TEXT) as server, Journal(url, encrypt=flip, decrypt=flip) as journal:
        first, second = Events(), Events()
        for seen in (first, second):
            with journaled("k"):
                sdk(server.url, journal, HASTY, seen)
        assert first == second
        held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        for word in (b"tides", TEXT[:8].encode(), b"attempts", USER_TURN_MODEL.encode()):
            assert word not in held


@pytest.mark.parametrize("other", [None, lambda data: b"\xfe" + data, int])
def test_what_is_encrypted_is_not_taken_for_something_else(url: str, other: Any) -> None:
    """Read without a key, or under another one, it is refused with a sentence, and nothing is asked of the API."""

    def flip(data: bytes) -> bytes:
        return bytes(byte ^ 0xFF for byte in data)

    with StandIn(reply=TEXT) as server:
        with Journal(url, encrypt=flip, decrypt=flip) as journal, journaled("k"):
            sdk(server.url, journal, HASTY, Events())
        with Journal(url, encrypt=other, decrypt=other) as journal:
            with pytest.raises(JournalError, match="encrypted with another key"), journaled("k"):
                sdk(server.url, journal, HASTY, Events())
            with pytest.raises(JournalError, match="encrypted with another key"):
                journal.request("k")
        assert len(server.requests) == 1


@pytest.mark.parametrize("policy", [HASTY, STRICT], ids=["continue", "stop"])
def test_a_file_that_can_not_grow_is_as_good_as_away(
    policy: RetryPolicy, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As on a full disk: what was written stays whole, and once there is room it is written on."""
    with StandIn(reply=TEXT) as server, Journal(url, patience=0.0) as journal:
        store: Any = journal.store
        with journaled("before"):
            sdk(server.url, journal, policy, Events())
        pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
        store._writer.execute(f"PRAGMA max_page_count={pages}")
        seen, full = Events(), pytest.raises(JournalUnavailable, match="can't grow: the disk is full")
        with full if policy is STRICT else contextlib.nullcontext(), journaled("k"):
            sdk(server.url, journal, policy, seen)
        assert (text_of(seen) == TEXT) is (policy is not STRICT)
        said = [record.message for record in caplog.records if "without its journal" in record.message]
        assert len(said) == (policy is not STRICT)
        with journaled("after"):  # by another connection, which has no limit
            sdk(server.url, journal, policy, Events())
        for key in ("before", "after"):
            assert len(list(journal.read(key))) == len(list(journal.read("before")))


@pytest.mark.parametrize("policy", [HASTY, STRICT], ids=["continue", "stop"])
@pytest.mark.parametrize("writes", [0, 5])
def test_where_the_journal_fails_the_policy_decides(
    policy: RetryPolicy, writes: int, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The stream goes on without it and says so once, or it ends with what is the matter."""
    with StandIn(reply=TEXT) as server, Journal(url, patience=0.0) as journal:
        doomed(journal, writes)
        seen = Events()
        if policy is STRICT:
            with pytest.raises(JournalUnavailable, match="dead"), journaled("k"):
                sdk(server.url, journal, policy, seen)
            assert text_of(seen) != TEXT
        else:
            with journaled("k"):
                sdk(server.url, journal, policy, seen)
            assert text_of(seen) == TEXT
        said = [record.message for record in caplog.records if "without its journal" in record.message]
        assert said == ([] if policy is STRICT else ["the stream continues without its journal: dead"])


@every_door
@pytest.mark.parametrize("policy", [HASTY, STRICT], ids=["continue", "stop"])
def test_where_the_journal_cannot_be_reached_the_policy_decides(
    door: Any, policy: RetryPolicy, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As a stream begins, too; with "stop" nothing is asked of the API."""

    def away(*_: Any, **__: Any) -> Any:
        raise JournalUnavailable("away")

    with StandIn(reply=TEXT) as server, Journal(url, patience=0.0) as journal:
        store: Any = journal.store
        store.claim = away
        seen = Events()
        if policy is STRICT:
            with pytest.raises(JournalUnavailable, match="away"), journaled("k"):
                door(server.url, journal, policy, seen)
            assert server.requests == []
        else:
            with journaled("k"):
                door(server.url, journal, policy, seen)
            assert text_of(seen) == TEXT
            said = [record.message for record in caplog.records]
            assert said.count("the stream continues without its journal: away") == 1


def test_a_long_replay_comes_in_pieces() -> None:
    """Frames are let go as they are handed over."""
    frames = [b"x" * 1000] * 200
    pieces = _pieces(frames)
    first = next(pieces)
    assert PIECE <= len(first) < PIECE + 1000
    assert frames.count(b"") == len(first) // 1000
    assert len(first) + sum(map(len, pieces)) == 200_000
    assert list(_pieces([])) == []
    assert SyncReplay([], None).elapsed is None
