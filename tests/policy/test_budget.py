"""The retry budget."""

from __future__ import annotations

import copy
import math
import os
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from resilient_stream._core.failures import Kind
from resilient_stream._core.health.view import Claim
from resilient_stream._policy.budget import BudgetState, RetryBudget, _renew
from resilient_stream.policy import RetryPolicy


def granted(budget: RetryBudget, tries: int = 200, now: float = 0.0) -> int:
    """How many of so many streams get a turn at once. The others leave again."""
    claims = [Claim("m", longest=8.0) for _ in range(tries)]
    turns = sum(budget.ask(now, claim) is None for claim in claims)
    for claim in claims:
        budget.leave(claim)
    return turns


def test_a_quiet_client_may_retry_thirty_times() -> None:
    """30 retries are there from the start; the rest waits."""
    assert granted(RetryBudget()) == 30


def test_a_budget_is_told_of_by_its_state_and_its_repr() -> None:
    """Its three numbers, the retries that are left, and how many wait."""
    budget = RetryBudget(2, 0.5, 30)
    claims = [Claim("m") for _ in range(5)]
    for claim in claims:
        budget.ask(0.0, claim)
    assert budget.state == BudgetState(balance=0.0, waiting=3)
    assert repr(budget) == (
        "<RetryBudget reserve=2 ratio=0.5 window=30: 0 retries left, 3 streams wait for their turn>"
    )
    budget.began(1.0, claims[0], 0.0)
    budget.leave(claims[4])
    assert (budget.balance, budget.state.waiting) == (2.0, 2)


def test_a_failure_is_heard() -> None:
    """What the API asked for."""
    budget = RetryBudget()
    budget.failed(0.0, Claim("m"), Kind.RATE_LIMITED, "m", 20.0)
    later = budget.ask(1.0, Claim("m"))
    assert later is not None
    assert later.told


class Collecting(float):
    """A time at whose first use the collector ends other streams."""

    meanwhile: list[Callable[[], object]]

    def __add__(self, other: float) -> float:
        """The sum."""
        while self.meanwhile:
            self.meanwhile.pop()()
        return float(self) + other


@pytest.mark.parametrize("note", ["began", "failed", "leave"])
def test_a_stream_may_be_collected_meanwhile(note: str) -> None:
    """What the collector ends while this thread asks waits for no lock, and is done with the next question."""
    budget, gone, now = RetryBudget(reserve=0), Claim("m"), Collecting(0.0)
    budget.ask(0.0, Claim("m"))
    budget.ask(0.0, gone)
    now.meanwhile = [
        {
            "began": lambda: budget.began(0.0, gone, 0.0),
            "failed": lambda: budget.failed(0.0, gone, Kind.CONNECT, "m", None),
            "leave": lambda: budget.leave(gone),
        }[note]
    ]
    asked = threading.Thread(target=lambda: budget.ask(now, Claim("m")), daemon=True)
    asked.start()
    asked.join(60)
    assert not asked.is_alive()
    assert now.meanwhile == []
    state, later = budget.state, budget.ask(0.0, Claim("m"))
    assert {
        "began": state.balance == 0.5,
        "failed": later is not None and later.unreachable,
        "leave": state.waiting == 1,
    }[note]


def test_threads_do_not_get_the_same_turn() -> None:
    """Questions at the same time are granted exactly as often as there are retries; whoever left waits nowhere."""
    budget = RetryBudget(reserve=500)
    gate = threading.Barrier(8)

    def spend(_: int) -> int:
        gate.wait()
        return granted(budget, 200)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(spend, range(8))) == 500
    assert budget.state == BudgetState(0.0, 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_begins_anew() -> None:
    """It waits for no lock that a thread of its parent had taken, and for nobody who waits there."""
    budget = RetryBudget(reserve=3)
    granted(budget)
    budget.ask(0.0, Claim("m"))
    with budget._lock:
        child = os.fork()
        if child == 0:  # pragma: no cover -- another process
            os._exit(budget.state != BudgetState(3.0, 0) or granted(budget) != 3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert budget.state == BudgetState(0.0, 1)


def test_what_a_child_does_is_done_to_each_budget() -> None:
    """And to whatever else asked for it."""
    budget = RetryBudget(reserve=3)
    granted(budget)
    _renew()
    assert budget.balance == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"reserve": -1},
        {"reserve": math.inf},
        {"ratio": -0.1},
        {"ratio": math.inf},
        {"ratio": math.nan},
        {"window": 0},
        {"window": math.inf},
    ],
    ids=str,
)
def test_impossible_numbers_are_refused(wrong: dict[str, Any]) -> None:
    """A budget with a negative, endless or missing number is refused, by name."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RetryBudget(**wrong)


def test_small_numbers_are_taken() -> None:
    """A budget may give nothing of its own, or nothing per stream, and forget within a second: single probes are left."""
    budget = RetryBudget(reserve=0, ratio=0, window=0.5)
    budget.began(0.0, Claim("m"), 0.0)
    assert granted(budget) == 1
    assert granted(budget) == 0


def test_a_copied_policy_keeps_its_budget() -> None:
    """A copy is the same budget: two would be twice the retries."""
    budget = RetryBudget()
    assert copy.deepcopy({"budget": budget})["budget"] is copy.copy(budget) is budget


def test_a_budget_stays_in_its_process() -> None:
    """Pickling says why it can't be, and what to do instead; a policy with one says the same."""
    for holder in (RetryBudget(), RetryPolicy(budget=RetryBudget())):
        with pytest.raises(TypeError, match=r"a RetryBudget can't be pickled: .* one in each process, or"):
            pickle.dumps(holder)
