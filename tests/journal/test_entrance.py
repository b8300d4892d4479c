"""How a program's streams get into the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from pathlib import Path
from typing import Any

import anyio
import pytest

from resilient_stream._driver.runtime import Runtime
from resilient_stream._journal import claiming
from resilient_stream._journal.codec import request_bytes
from resilient_stream._journal.entrance import Asked, _next
from resilient_stream._journal.entries import Opening, Status, Write
from resilient_stream._journal.lease import holder
from resilient_stream._policy.model import RetryPolicy
from resilient_stream._session.layer import Layer
from resilient_stream.errors import JournalError, OtherRequest
from resilient_stream.journal import Journal

BODY = {"model": "claude-opus-5", "messages": []}
OPENING = Opening("0123456789ab", request_bytes({"headers": {}, "body": BODY}))
FRAMES = tuple(b"event: ping\ndata: %d\n\n" % number for number in range(1, 4))


def context() -> Any:
    """A stream's."""
    return Layer(RetryPolicy()).begin(BODY)


@pytest.fixture
def journal(tmp_path: Path) -> Generator[Journal]:
    """A new one."""
    with Journal(f"sqlite:///{tmp_path}/j.db") as made:
        yield made


def ended(journal: Journal, status: Status, frames: tuple[bytes, ...] = ()) -> None:
    """A stream that this process wrote."""
    lease = journal.store.claim("s", holder(), 60.0, opening=OPENING).lease
    assert lease is not None
    journal.store.commit([Write(lease, 1, frames, None, status)], 60.0)


def test_a_claim_is_given_back_where_the_stream_cannot_be_read(journal: Journal) -> None:
    """Frames are missing: somebody has cut the file."""
    ended(journal, Status.LEFT, FRAMES)
    store: Any = journal.store
    with store._writing() as connection:
        connection.execute("DELETE FROM frames WHERE number > 1")
    with pytest.raises(JournalError, match="lacks frames"):
        journal.entrance.take(Asked("s", BODY, {}), context())
    assert journal.streams()[0].status is Status.LEFT


def test_two_programs_that_begin_at_once_are_told_apart(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The requests are compared again once the stream is claimed."""
    ended(journal, Status.COMPLETE)
    real, asked = journal.entrance._compare, list[Any]()

    def late(key: str, before: Any, given: Any) -> None:
        asked.append(key)
        if len(asked) > 1:
            real(key, before, given)

    monkeypatch.setattr(journal.entrance, "_compare", late)
    with pytest.raises(OtherRequest):
        journal.entrance.take(Asked("s", {**BODY, "model": "other"}, {}), context())
    assert asked == ["s", "s"]


def test_a_lease_is_waited_for(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a task without holding up the others, and by a thread by its runtime's clock."""
    for key in ("s", "t"):
        journal.store.claim(key, "elsewhere", 60.0, opening=OPENING)
    slept = list[float]()

    async def task_sleeps(seconds: float) -> None:
        slept.append(seconds)
        journal.store.remove("s")

    def thread_sleeps(seconds: float) -> None:
        slept.append(seconds)
        journal.store.remove("t")

    monkeypatch.setattr(anyio, "sleep", task_sleeps)

    async def main() -> None:
        assert (await journal.entrance.atake(Asked("s", BODY, {}), context())).fresh

    asyncio.run(main())
    waiting = Layer(RetryPolicy(), Runtime(sleep=thread_sleeps)).begin(BODY)
    assert journal.entrance.take(Asked("t", BODY, {}), waiting).fresh
    assert slept == [claiming.LOOK_AGAIN] * 2


def test_who_waits_for_a_stream_is_told_that_it_is_the_journals(journal: Journal) -> None:
    """Of that key alone, and no longer than he waits."""
    told = list[str]()
    with journal.entrance.telling("s", lambda: told.append("s")):
        journal.entrance.take(Asked("t", BODY, {}), context())
        assert told == []
        journal.entrance.take(Asked("s", BODY, {}), context())
    assert told == ["s"]
    journal.remove("s")
    journal.entrance.enter(Asked("s", BODY, {}), context())
    assert told == ["s"]


def test_a_generator_may_be_asked_in_another_thread() -> None:
    """What it returns is returned."""

    def steps() -> Generator[float, None, str]:
        yield 1.0
        return "claim"

    made = steps()
    assert [_next(made), _next(made)] == [1.0, "claim"]
