"""Writing one stream."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.plan.planner import Planner
from resilient_stream._core.record.lifecycle import What
from resilient_stream._journal import record
from resilient_stream._journal.codec import Codec
from resilient_stream._journal.entries import Answer, Lease, Opening, Status
from resilient_stream._journal.group import Group
from resilient_stream._journal.keeper import Keeper
from resilient_stream._journal.store import Store
from resilient_stream._journal.upstream import AsyncKeptUpstream, KeptUpstream
from resilient_stream.errors import JournalUnavailable, LeaseLost, StoppedStream
from tests.support.journals import store_of
from tests.support.machines import REQUEST, Broken, Patient
from tests.support.settings import settings_with
from tests.support.stages import Clock
from tests.support.streams import block_start, start

FRAME = b"event: ping\ndata: {}\n\n"
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {}}


@pytest.fixture
def clock() -> Clock:
    """That of the store."""
    return Clock(100.0)


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Generator[Store]:
    """A new store."""
    with store_of("sqlite", tmp_path, clock) as made:
        yield made


class Kept:
    """A keeper, and what it is told."""

    def __init__(self, store: Store, on_failure: Any = "continue") -> None:
        lease = store.claim("s", "a", 10.0, opening=Opening("tag", b"request")).lease
        assert lease is not None
        self.store, self.lease, self.done = store, lease, list[Keeper]()
        group = Group(store, 10.0, 0.0, lambda _: None)
        self.keeper = Keeper(group, Codec(), lease, 0, on_failure, self.done.append)
        settings = settings_with(hold=("server_tool_use",))
        self.machine = Machine(Planner(REQUEST, settings), settings, Patient(), Broken)
        self.machine.start(5.0)
        self.keeper.watch(self.machine, 5.0, 1_000.0)

    @property
    def status(self) -> Status:
        """How the stream stands."""
        head = self.store.head("s")
        assert head is not None
        return head.status

    @property
    def frames(self) -> int:
        """How many are stored."""
        head = self.store.head("s")
        assert head is not None
        return head.last

    @property
    def kept(self) -> record.Kept:
        """Its record."""
        payloads = self.store.payloads("s")
        assert payloads is not None
        return record.read(payloads[1])

    def end(self, outcome: str) -> list[Any]:
        """The notes of an end."""
        self.machine.ledger.outcome = outcome
        self.machine.lifecycle.take()
        self.machine.lifecycle.ends(6.0, self.machine.ledger, self.machine.turn, None, "")
        return self.machine.lifecycle.take()


def test_frames_are_numbered_and_the_record_follows_what_happens(store: Store) -> None:
    """A record is written where there is something to tell; nothing is written for nothing."""
    made = Kept(store)
    made.keeper.keep(b"", made.machine.lifecycle.take())
    assert (made.frames, made.kept.began, len(made.kept.ledger.attempts)) == (0, 1_000.0, 1)  # type: ignore[union-attr]  # there is one
    made.keeper.keep(FRAME * 2, [])
    asyncio.run(made.keeper.akeep(FRAME, []))
    assert made.frames == 3
    assert made.done == []


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("completed", Status.COMPLETE),
        ("finished_with_tools", Status.COMPLETE),
        ("failed", Status.FAILED),
        ("cancelled", Status.LEFT),
    ],
)
def test_an_end_ends_the_lease(store: Store, outcome: str, status: Status) -> None:
    """What comes behind it is not written."""
    made = Kept(store)
    made.keeper.keep(FRAME, made.end(outcome))
    assert (made.status, made.frames, made.done) == (status, 1, [made.keeper])
    assert made.kept.ledger is not None and made.kept.ledger.outcome == outcome
    made.keeper.keep(FRAME, [])
    assert made.frames == 1


@pytest.mark.parametrize("heard", ["with a write", "with a renewal"])
def test_who_has_lost_the_lease_hands_over_nothing_more(store: Store, clock: Clock, heard: str) -> None:
    """And writes nothing, the end included."""
    made = Kept(store)
    clock.now += 11
    assert store.claim("s", "b", 10.0).lease == Lease("s", 2)
    if heard == "with a renewal":
        made.keeper.heard(Answer.LOST)
    with pytest.raises(LeaseLost, match="another process has continued"):
        made.keeper.keep(FRAME, [])
    made.keeper.keep(b"", made.end("failed"))
    assert (made.status, made.frames, made.done) == (Status.RUNNING, 0, [made.keeper])


@pytest.mark.parametrize("heard", ["with a write", "with a renewal"])
def test_who_is_to_stop_stops(store: Store, heard: str) -> None:
    """The stream is then stopped, not failed; one that was complete by then is complete."""
    made = Kept(store)
    store.stop("s")
    if heard == "with a renewal":
        made.keeper.heard(Answer.STOP)
    with pytest.raises(StoppedStream):
        made.keeper.keep(FRAME, [])
    made.keeper.heard(Answer.KEPT)
    made.keeper.keep(b"", made.end("failed"))
    assert made.status is Status.STOPPED
    store.remove("s")
    other = Kept(store)
    store.stop("s")
    other.keeper.keep(FRAME, other.end("completed"))
    assert other.status is Status.COMPLETE


@pytest.mark.parametrize("policy", ["continue", "stop"])
def test_a_store_that_fails_ends_the_journal_or_the_stream(
    store: Store, policy: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As the policy says; it is said once. At the end of the stream there is nothing to stop."""

    def fail(*_: object) -> None:
        raise JournalUnavailable("full")

    for ending in (False, True):
        store.remove("s")
        made = Kept(store, policy)
        with monkeypatch.context() as patch:
            patch.setattr(store, "commit", fail)
            caplog.clear()
            if policy == "stop" and not ending:
                with pytest.raises(JournalUnavailable, match="full"):
                    asyncio.run(made.keeper.akeep(FRAME, []))
            else:
                made.keeper.keep(FRAME, made.end("completed") if ending else [])
                assert [each.message for each in caplog.records] == [
                    "the stream continues without its journal: full"
                ]
        made.keeper.keep(FRAME, [])
        assert (made.frames, made.done) == (0, [made.keeper])


def test_a_claim_of_which_nothing_comes_is_given_back(store: Store) -> None:
    """The next one need not wait."""
    made = Kept(store)
    made.keeper.give_back()
    assert made.status is Status.LEFT


class Upstream:
    """Is read after what was to be noted was noted."""

    def __init__(self, made: Kept) -> None:
        self.made, self.noted, self.calls = made, list[int](), list[str]()
        self.release = self.interrupt = lambda: None
        self.error_for = Broken

    def _read(self) -> bytes:
        progress = self.made.kept.progress
        self.noted.append(0 if progress is None else len(progress.unseen))
        return b""


class Sync(Upstream):
    """For the sync one."""

    def send(self, action: Any) -> Any:
        """Note it."""
        self.calls.append("send")

    def read(self, patience: float) -> bytes:
        """Note what was noted."""
        return self._read()


class Async(Upstream):
    """For the async one."""

    async def send(self, action: Any) -> Any:
        """Note it."""
        self.calls.append("send")

    async def read(self, patience: float) -> bytes:
        """Note what was noted."""
        return self._read()


@pytest.mark.parametrize("kind", [KeptUpstream, AsyncKeptUpstream])
def test_a_held_tool_is_noted_before_more_is_read(store: Store, kind: Any) -> None:
    """Once; and no longer once it is known otherwise."""
    made = Kept(store)
    inner = Sync(made) if kind is KeptUpstream else Async(made)
    build: Any = kind
    upstream = build(inner, made.keeper)
    assert (upstream.release, upstream.interrupt, upstream.error_for) == (
        inner.release,
        inner.interrupt,
        inner.error_for,
    )

    def call(act: Any) -> None:
        if kind is AsyncKeptUpstream:
            asyncio.run(act)

    call(upstream.send(None))
    made.machine.head(5.0, 200, None)
    call(upstream.read(1.0))
    made.machine.data(5.0, start() + block_start(0, SEARCH), 0.0)
    for _ in range(2):
        call(upstream.read(1.0))
    assert (inner.calls, inner.noted) == (["send"], [0, 1, 1])
    made.keeper.keep(b"", made.end("failed"))
    assert made.keeper.tools_begun() is None
    assert [what for what, _ in made.end("failed")] == [What.END]
