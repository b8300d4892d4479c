"""Getting the right to write, with patience."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from resilient_stream._journal import claiming as module
from resilient_stream._journal import lease as rules
from resilient_stream._journal.claiming import claiming
from resilient_stream._journal.entries import Claim, Lease, Opening, Verdict
from resilient_stream._journal.store import Store
from resilient_stream.errors import StreamBusy
from tests.support.journals import store_of
from tests.support.stages import Clock

TTL = 10.0
OPENING = Opening("tag", b"")


@pytest.fixture
def clock() -> Clock:
    """It is turned by who waits."""
    return Clock(100.0)


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Generator[Store]:
    """A new store by that clock."""
    with store_of("sqlite", tmp_path, clock) as made:
        yield made


def outcome(
    store: Store, clock: Clock, opening: Opening | None = OPENING, renewed: Lease | None = None
) -> Claim:
    """Claim, and wait as one is told to; somebody may renew his lease meanwhile."""
    steps = claiming(store, "s", TTL, opening)
    while True:
        try:
            clock.now += next(steps)
        except StopIteration as done:
            claim: Claim = done.value
            return claim
        if renewed is not None:
            store.renew([renewed], TTL)


def test_a_new_stream_is_had_at_once(store: Store, clock: Clock) -> None:
    """And what is unknown is said to be."""
    assert outcome(store, clock, None).verdict is Verdict.UNKNOWN
    assert outcome(store, clock).verdict is Verdict.NEW
    assert clock.now == 100.0


def test_the_lease_of_a_dead_process_is_not_waited_for(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is void at once."""
    store.claim("s", "dead", TTL, opening=OPENING)
    monkeypatch.setattr(rules, "is_dead", lambda name: name == "dead")
    assert outcome(store, clock).verdict is Verdict.TAKEN
    assert clock.now == 100.0


def test_a_lease_that_ends_is_waited_for(store: Store, clock: Clock) -> None:
    """And no longer."""
    store.claim("s", "elsewhere", TTL, opening=OPENING)
    assert outcome(store, clock).verdict is Verdict.TAKEN
    assert 100.0 + TTL <= clock.now < 100.1 + TTL


def test_a_lease_that_is_renewed_is_somebodys(store: Store, clock: Clock) -> None:
    """Who asks is told so soon."""
    lease = store.claim("s", "elsewhere", TTL, opening=OPENING).lease
    with pytest.raises(StreamBusy, match="another process is writing"):
        outcome(store, clock, renewed=lease)
    assert clock.now == 100.0 + module.LOOK_AGAIN


def test_one_that_another_takes_over_first_is_somebodys(store: Store, clock: Clock, monkeypatch: Any) -> None:
    """Also where it is taken over from a dead process at the same moment."""
    store.claim("s", "dead", TTL, opening=OPENING)
    monkeypatch.setattr(rules, "is_dead", lambda name: name == "dead")
    real = store.claim

    def beaten(*args: Any, **known: Any) -> Claim:
        if known["void"] is not None:
            real("s", "elsewhere", TTL, void=1)
        return real(*args, **known)

    monkeypatch.setattr(store, "claim", beaten)
    steps = claiming(store, "s", TTL, OPENING)
    assert next(steps) == module.LOOK_AGAIN
    store.renew([Lease("s", 2)], TTL + 1)
    with pytest.raises(StreamBusy):
        next(steps)


def test_a_process_writes_a_stream_once(store: Store, clock: Clock) -> None:
    """It does not wait for itself."""
    assert outcome(store, clock).verdict is Verdict.NEW
    with pytest.raises(StreamBusy, match="this process is writing"):
        outcome(store, clock)
