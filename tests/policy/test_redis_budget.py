"""A retry budget that processes share."""

from __future__ import annotations

import copy
import gc
import logging
import os
import pickle
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from resilient_stream import RedisBudget, RetryBudget, RetryPolicy
from resilient_stream._core.failures import Kind
from resilient_stream._core.health.view import Claim
from resilient_stream._policy.blackboard import LIFE, AwayError
from resilient_stream._policy.redis_budget import FORGET, INTERVAL, LONGEST_PAUSE, Exchange
from tests.support.journals import Server, missing, url_of
from tests.support.stages import Clock

NOBODY = "ConnectionError: nobody listens"
API = ("https://api.example", "sk-ant-hidden")


class Wall:
    """A blackboard in memory, by a clock of its own; it may be away."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.away, self.closed = clock, False, 0
        self.told: dict[str, dict[str, bytes]] = {}
        self.key = b"k" * 32

    def secret(self) -> bytes:
        """One for all."""
        if self.away:
            raise AwayError(NOBODY)
        return self.key

    def exchange(self, me: str, told: Mapping[str, str]) -> tuple[float, dict[str, dict[str, bytes]]]:
        """Without ages: what was written stays."""
        self.secret()
        found = dict[str, dict[str, bytes]]()
        for account, text in told.items():
            page = self.told.setdefault(account, {})
            page[me] = text.encode()
            if not text:
                del page[me]
            found[account] = {name: one for name, one in page.items() if name != me}
        return self.clock() + 1e9, found

    def close(self) -> None:
        """Count it."""
        self.closed += 1


class Process:
    """One of several, whose thread is this one. It was started at a time of its own: its clock differs."""

    def __init__(self, wall: Wall, started: float = 0.0) -> None:
        self.exchange = Exchange(lambda: wall, lambda: wall.clock() - started)
        self.exchange._thread = threading.current_thread()
        self.clock = self.exchange._clock

    def budget(self) -> RetryBudget:
        """Of the one account, as a stream begins."""
        return self.exchange.budget(*API)

    def failed(self, kind: Kind, retry_after: float | None) -> None:
        """A request has failed."""
        self.budget().failed(self.clock(), Claim("m"), kind, "m", retry_after)

    def may_retry(self) -> bool:
        """Whether a stream may send a retry."""
        claim = Claim("m", longest=8.0)
        budget = self.budget()
        granted = budget.ask(self.clock(), claim) is None
        budget.leave(claim)
        return granted


@pytest.fixture
def wall() -> Wall:
    """A blackboard."""
    return Wall(Clock(1000.0))


def test_a_process_obeys_what_another_was_told(wall: Wall) -> None:
    """A ``Retry-After``, until it is over or a later request of anybody was served, whatever clocks they have."""
    one, other = Process(wall), Process(wall, started=700.0)
    one.failed(Kind.RATE_LIMITED, 30.0)
    for process in (one, other):
        assert process.exchange.budget(*API) is process.budget()
        process.exchange.step()
    assert not other.may_retry()
    wall.clock.now += 29.9
    assert not other.may_retry()
    wall.clock.now += 0.2
    assert other.may_retry()


def test_another_account_is_not_concerned(wall: Wall) -> None:
    """Neither the same key at another address, nor another key."""
    one, other = Process(wall), Process(wall)
    one.failed(Kind.RATE_LIMITED, 30.0)
    budgets = [other.exchange.budget(API[0], "else"), other.exchange.budget("https://else.example", API[1])]
    one.exchange.step()
    other.exchange.step()
    assert [budget.ask(wall.clock(), Claim("m")) for budget in budgets] == [None, None]


def test_no_credential_is_written(wall: Wall) -> None:
    """Nor the address; the digests are under the secret."""
    one = Process(wall)
    one.failed(Kind.OVERLOADED, 30.0)
    one.exchange.step()
    (name,) = wall.told
    assert "hidden" not in repr((wall.told, vars(one.exchange)))
    assert "api.example" not in repr(wall.told)
    wall.key = b"another"
    one.exchange.step()
    assert len(wall.told) == 2, "the server was emptied: as those who come later name it"
    assert name in wall.told


def test_what_nobody_uses_is_told_no_more(wall: Wall) -> None:
    """A minute after the last stream began, where nothing else happens; those that are left share what there is."""
    one, other = Process(wall), Process(wall)
    for process in (one, other, one):
        process.budget().began(wall.clock(), Claim("m"), wall.clock())
        process.exchange.step()
    (page,) = wall.told.values()
    assert len(page) == 2
    assert one.budget().balance == 15
    wall.clock.now += FORGET + 0.1
    one.budget()
    other.exchange.step()
    assert len(page) == 1
    one.exchange.step()
    assert one.may_retry()
    assert one.budget().balance == 29


def test_what_is_no_news_is_left_out(wall: Wall) -> None:
    """As of another release."""
    one = Process(wall)
    one.budget()
    one.exchange.step()
    (page,) = wall.told.values()
    page["stranger"] = b"?"
    assert one.exchange.step() == INTERVAL
    assert one.may_retry()


def test_alone_while_the_server_is_away(wall: Wall, caplog: pytest.LogCaptureFixture) -> None:
    """What others said is believed for three seconds; then the process decides for itself. Said once, and once it is back."""
    caplog.set_level(logging.INFO, "resilient_stream")
    one, other = Process(wall), Process(wall)
    one.failed(Kind.RATE_LIMITED, 1000.0)
    for process in (one, other):
        process.budget()
        process.exchange.step()
    wall.away = True
    pauses = [other.exchange.step()]
    assert not other.may_retry()
    began = wall.clock()
    while not other.may_retry():
        wall.clock.now += pauses[-1]
        pauses.append(other.exchange.step())
        assert wall.clock() - began <= LIFE
    pauses.extend(other.exchange.step() for _ in range(5))
    assert pauses == [min(INTERVAL * 2**number, LONGEST_PAUSE) for number in range(len(pauses))]
    wall.away = False
    assert other.exchange.step() == INTERVAL
    assert not other.may_retry()
    assert [record.getMessage() for record in caplog.records] == [
        f"the retry budget is this process's own until its Redis server can be reached: {NOBODY}",
        "the retry budget is shared again: its Redis server is back",
    ]


def test_who_leaves_says_so(wall: Wall) -> None:
    """Others need not wait until it is forgotten. Away or not, the connection is let go of, and what others said."""
    for away in (False, True):
        one, other = Process(wall), Process(wall)
        one.budget()
        one.exchange.step()
        other.failed(Kind.RATE_LIMITED, 30.0)
        other.exchange.step()
        one.exchange.step()
        assert not one.may_retry()
        (page,) = wall.told.values()
        wall.away = away
        one.exchange.leave()
        assert (one.exchange._me in page) is away
        assert one.may_retry()
    assert wall.closed == 2
    one.exchange.leave()
    assert wall.closed == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_is_a_process_of_its_own(wall: Wall) -> None:
    """With a name, a lock and a thread of its own, whatever its parent's do."""
    one = Process(wall)
    budget, me = one.budget(), one.exchange._me
    one.exchange.step()
    with one.exchange._lock:
        child = os.fork()
        if child == 0:  # pragma: no cover -- another process
            exchange = one.exchange
            new = exchange._thread is None and exchange._board is None and exchange._me != me
            os._exit(not new or exchange.budget(*API) is budget or exchange._thread is None)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# -- with a server -------------------------------------------------------------------------------


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Of a real one."""
    return url_of("redis", tmp_path)


@pytest.fixture
def budgets(url: str) -> Iterator[tuple[RedisBudget, RedisBudget]]:
    """Those of two processes, as it were."""
    with RedisBudget(url) as one, RedisBudget(url) as other:
        yield one, other


def until(condition: Any) -> None:
    """Wait for what another thread does."""
    tick = threading.Event()
    for _ in range(3000):
        if condition():
            return
        tick.wait(0.01)
    raise AssertionError("it does not happen")


def held(budget: RetryBudget, now: float) -> bool:
    """Whether a retry has to wait for what the API asked somebody."""
    claim = Claim("m", longest=8.0)
    later = budget.ask(now, claim)
    budget.began(now, claim, -1e9)
    budget.leave(claim)
    return later is not None and later.told


def test_it_is_told_through_the_server(budgets: tuple[RedisBudget, RedisBudget]) -> None:
    """By threads, while nobody waits for them."""
    one, other = (each.budget(*API) for each in budgets)
    clock = budgets[0]._exchange._clock
    one.failed(clock(), Claim("m"), Kind.RATE_LIMITED, "m", 600.0)
    until(lambda: held(other, clock()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_one_process_obeys_what_another_one_was_told(url: str) -> None:
    """Without a stream of its own, and without a word between the two but through the server."""
    with RedisBudget(url) as budget:
        own, clock = budget.budget(*API), budget._exchange._clock
        child = os.fork()
        if child == 0:  # pragma: no cover -- another process
            budget.budget(*API).failed(clock(), Claim("m"), Kind.RATE_LIMITED, "m", 600.0)
            threading.Event().wait(60)
            os._exit(0)
        try:
            until(lambda: held(own, clock()))
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def test_streams_go_on_while_the_server_is_killed(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for it, and it is found again once it is back, with nothing that it knew."""
    if (why := missing()) is not None:
        pytest.skip(why)
    caplog.set_level(logging.INFO, "resilient_stream")
    server = Server()
    try:
        with RedisBudget(server.url) as one, RedisBudget(server.url) as other:
            clock, claim = one._exchange._clock, Claim("m", longest=8.0)
            for each in (one, other):
                each.budget(*API).began(clock(), claim, clock())
            own = one.budget(*API)
            until(lambda: own.balance == 15)
            server.kill()
            until(lambda: len(caplog.records) == 2)
            assert own.ask(clock(), claim) is None
            server.start()
            until(lambda: len(caplog.records) == 4)
            other.budget(*API).failed(clock(), claim, Kind.RATE_LIMITED, "m", 600.0)
            until(lambda: held(own, clock()))
    finally:
        server.close()
    own_words, shared = ("is this process's own", "is shared again")
    assert [own_words in record.getMessage() for record in caplog.records] == [True, True, False, False]
    assert all(shared in record.getMessage() for record in caplog.records[2:])


def threads() -> list[str]:
    """Those of budgets."""
    return [thread.name for thread in threading.enumerate() if thread.name == "resilient-stream budget"]


def test_the_thread_ends_with_the_budget(url: str) -> None:
    """Closed or dropped; it is started by the first stream, and once. A closed budget goes on without it."""
    before, budget = len(threads()), RedisBudget(url)
    assert len(threads()) == before
    own = budget.budget(*API)
    assert budget.budget(*API) is own
    assert len(threads()) == before + 1
    budget.close()
    assert len(threads()) == before
    assert budget.budget(*API) is own
    assert own.ask(0.0, Claim("m")) is None
    assert len(threads()) == before
    budget.close()
    dropped = RedisBudget(url)
    dropped.budget(*API)
    del dropped
    gc.collect()
    until(lambda: len(threads()) == before)


def test_an_unused_budget_has_nothing_to_close(url: str) -> None:
    """Neither a thread nor a connection."""
    RedisBudget(url).close()


def test_a_password_is_not_shown() -> None:
    """Only where the server is."""
    assert repr(RedisBudget("redis://user:hunter2@redis.example:6379/0")) == "<RedisBudget at redis.example>"
    assert repr(RedisBudget("unix:///run/redis.sock")) == "<RedisBudget at /run/redis.sock>"
    assert "hunter2" not in repr(RetryPolicy(budget=RedisBudget("redis://user:hunter2@redis.example")))


def test_a_url_that_can_not_be_is_refused_at_once() -> None:
    """Not by the thread."""
    with pytest.raises(ValueError, match="redis://"):
        RedisBudget("sqlite:///x.db")


def test_a_copied_policy_shares_it() -> None:
    """It stays in its process."""
    budget = RedisBudget("redis://127.0.0.1:1/0")
    assert copy.deepcopy({"budget": budget})["budget"] is copy.copy(budget) is budget
    for holder in (budget, RetryPolicy(budget=budget)):
        with pytest.raises(TypeError, match=r"can't be pickled: make one in each process"):
            pickle.dumps(holder)
