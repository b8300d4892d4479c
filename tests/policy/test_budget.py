"""The retry budget."""

from __future__ import annotations

import copy
import math
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilient_stream._core.failures import CONNECTION_KINDS, OVERLOAD_KINDS, RETRYABLE_KINDS, Kind
from resilient_stream._policy.budget import SLOTS, Registry, RetryBudget, account, shared_budget
from resilient_stream.policy import RetryPolicy


class Clock:
    """A clock that goes when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time as it was set."""
        return self.now


def granted(budget: RetryBudget, kind: Kind, tries: int = 1000) -> int:
    """How many of so many withdrawals in a row are granted."""
    return sum(budget.withdraw(kind) for _ in range(tries))


def test_a_quiet_client_may_retry_sixty_times() -> None:
    """60 units are there from the start, and a failure of the connection costs one."""
    assert granted(RetryBudget(clock=Clock()), Kind.RESET) == 60


@pytest.mark.parametrize("kind", sorted(RETRYABLE_KINDS | {Kind.REJECTED}))
def test_overload_costs_double(kind: Kind) -> None:
    """Asking a struggling server again costs two units, anything else one."""
    budget = RetryBudget(clock=Clock())
    assert budget.withdraw(kind)
    assert budget.state.spent == (2 if kind in OVERLOAD_KINDS else 1)


def test_five_streams_buy_one_retry() -> None:
    """Each started stream adds exactly a fifth of a unit, whatever binary fractions do."""
    budget = RetryBudget(reserve=0, clock=Clock())
    for streams in range(1, 101):
        budget.deposit()
        assert budget.balance == round(streams / 5, 6)
    assert granted(budget, Kind.CLOSED) == 20


@pytest.mark.parametrize(("after", "left"), [(0, 0), (59.9, 0), (60, 60), (3600, 60)])
def test_costs_are_forgotten_after_a_minute(after: float, left: float) -> None:
    """What was spent is back after the window, not earlier."""
    clock = Clock()
    budget = RetryBudget(clock=clock)
    granted(budget, Kind.RESET)
    clock.now += after
    assert budget.balance == left


@pytest.mark.parametrize("ask", ["deposit", "withdraw", "state"])
def test_a_stream_may_be_collected_meanwhile(ask: str) -> None:
    """What the collector ends while this thread is counting is counted as well, and nobody waits for himself."""
    collected: list[Callable[[], object]] = []

    def clock() -> float:
        if collected:
            collected.pop()()
        return 5.0

    budget = RetryBudget(clock=clock)
    collected.append(budget.deposit)
    asked = threading.Thread(
        target={
            "deposit": budget.deposit,
            "withdraw": lambda: budget.withdraw(Kind.RESET),
            "state": lambda: budget.state,
        }[ask],
        daemon=True,
    )
    asked.start()
    asked.join(5)
    assert not asked.is_alive()
    assert budget.state.streams == (2 if ask == "deposit" else 1)


class Interrupting(float):
    """A time at whose first comparison something else happens."""

    meanwhile: list[Callable[[], object]]

    def __sub__(self, other: float) -> float:
        """The difference."""
        if self.meanwhile:
            self.meanwhile.pop()()
        return float(self) - other


def test_no_count_is_lost_to_what_comes_between() -> None:
    """A deposit in the middle of forgetting and of adding forgets nothing but what is old."""
    now = Clock()
    budget = RetryBudget(clock=now)
    budget.deposit()
    now.now += 58
    budget.deposit()
    for _ in range(2):
        now.now += 2.5
        late = Interrupting(now.now)
        late.meanwhile = [budget.deposit]
        now.now = late
        budget.deposit()
        now.now = float(late)
    assert budget.state.streams == 5


def test_starts_are_forgotten_after_a_minute() -> None:
    """Yesterday's traffic pays for no storm today."""
    clock = Clock()
    budget = RetryBudget(clock=clock)
    for _ in range(1000):
        budget.deposit()
    assert budget.balance == 260
    clock.now += 60
    assert (budget.balance, budget.state.streams) == (60, 0)


def test_a_refusal_takes_nothing() -> None:
    """An overload that the last unit does not cover leaves it for a dropped connection."""
    budget = RetryBudget(reserve=1, clock=Clock())
    assert not budget.withdraw(Kind.OVERLOADED)
    assert budget.withdraw(Kind.RESET)
    assert (budget.state.denied, budget.state.spent) == (1, 1)


steps = st.lists(
    st.tuples(st.integers(0, 90), st.sampled_from(["deposit", *sorted(RETRYABLE_KINDS)])), max_size=60
)


@settings(deadline=None)
@given(steps, st.integers(0, 20))
def test_the_balance_is_the_formula(history: list[tuple[int, str]], reserve: int) -> None:
    """Reserve, plus a fifth per start, less costs, each of the last 60 s: and a grant needs the cost."""
    clock = Clock()
    budget = RetryBudget(reserve, clock=clock)
    starts: list[float] = []
    costs: list[tuple[float, int]] = []
    for pause, step in history:
        clock.now += pause
        since = clock.now - 60
        spent = sum(cost for at, cost in costs if at > since)
        balance = reserve + sum(at > since for at in starts) / 5 - spent
        assert budget.balance == pytest.approx(balance)
        if step == "deposit":
            budget.deposit()
            starts.append(clock.now)
            continue
        cost = 1 if step in CONNECTION_KINDS else 2
        assert budget.withdraw(Kind(step)) is (balance >= cost - 1e-9)
        costs += [(clock.now, cost)] if balance >= cost - 1e-9 else []


@pytest.mark.parametrize("act", [RetryBudget.deposit, lambda budget: budget.withdraw(Kind.RESET)])
def test_memory_does_not_grow_with_traffic(act: Callable[[RetryBudget], object]) -> None:
    """However many streams start and fail, a budget keeps no more entries than slots."""
    clock = Clock()
    budget = RetryBudget(math.ldexp(1, 40), clock=clock)
    for _ in range(5000):
        clock.now += 0.05
        act(budget)
    assert len(budget._streams._entries) + len(budget._costs._entries) <= SLOTS + 2


def test_threads_do_not_spend_the_same_unit() -> None:
    """Withdrawals at the same time are granted exactly as often as there are units."""
    budget = RetryBudget(reserve=500, clock=Clock())
    gate = threading.Barrier(8)

    def spend(_: int) -> int:
        gate.wait()
        return granted(budget, Kind.RESET, 200)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(spend, range(8))) == 500


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 70), st.integers(0, 40), st.integers(0, 40)), max_size=30),
    st.sampled_from(sorted(RETRYABLE_KINDS)),
)
def test_in_any_minute_a_fifth_and_the_reserve(history: list[tuple[float, int, int]], kind: Kind) -> None:
    """Whatever happens when: after a retry the costs of 60 s are covered by the starts in them and the reserve."""
    clock = Clock()
    budget = RetryBudget(reserve=3, clock=clock)
    starts: list[float] = []
    costs: list[float] = []
    for pause, streams, retries in history:
        clock.now += pause
        for _ in range(streams):
            budget.deposit()
        starts += [clock.now] * streams
        paid = granted(budget, kind, retries)
        costs += [clock.now] * paid * (1 if kind in CONNECTION_KINDS else 2)
        since = clock.now - 60
        assert not paid or sum(at > since for at in costs) <= 3 + sum(at > since for at in starts) / 5


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
    """A budget may give nothing of its own, or nothing per stream, and forget within a second."""
    budget = RetryBudget(reserve=0, ratio=0, window=0.5, clock=Clock())
    budget.deposit()
    assert not budget.withdraw(Kind.RESET)


def test_a_copied_policy_keeps_its_budget() -> None:
    """A copy is the same budget: two would be twice the retries."""
    budget = RetryBudget()
    assert copy.deepcopy({"budget": budget})["budget"] is copy.copy(budget) is budget


def test_a_budget_stays_in_its_process() -> None:
    """Pickling says why it can't be, and what to do instead; a policy with one says the same."""
    for holder in (RetryBudget(), RetryPolicy(budget=RetryBudget())):
        with pytest.raises(TypeError, match=r"a RetryBudget can't be pickled: .* one in each process, or"):
            pickle.dumps(holder)


def test_its_repr_tells_how_it_stands() -> None:
    """The repr shows the three numbers, what is left, and what took it."""
    budget = RetryBudget(2, 0.5, 30, clock=Clock())
    budget.deposit()
    granted(budget, Kind.OVERLOADED, 3)
    assert repr(budget) == (
        "<RetryBudget reserve=2 ratio=0.5 window=30: 0.5 units left; in the window 1 streams, 2 units spent; 2 denied>"
    )


def test_the_default_clock_is_monotonic() -> None:
    """Without a clock a budget works on real time."""
    assert RetryBudget().balance == 60


def test_one_budget_per_api_and_credential() -> None:
    """The same pair shares a budget, a slash apart or not; any other pair has its own."""
    one = shared_budget("https://api.example", "key-1")
    assert shared_budget("https://api.example/", "key-1") is one
    others = [
        shared_budget("https://api.example", "key-2"),
        shared_budget("https://api.example", None),
        shared_budget("https://api.example", "None"),
        shared_budget("https://other.example", "key-1"),
    ]
    assert len({id(budget) for budget in [one, *others]}) == 5


SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA1/20261121/us-east-1/bedrock/aws4_request, Signature="


@pytest.mark.parametrize(
    ("url", "headers", "expected"),
    [
        ("https://api.example/v1/messages?beta=true", {"x-api-key": "k"}, ("https://api.example", "k")),
        ("https://gate.example/team/v1/messages", {"x-api-key": "k"}, ("https://gate.example/team", "k")),
        (
            "https://v.example/v1/projects/p/models/m",
            {"authorization": "Bearer t"},
            ("https://v.example", "Bearer t"),
        ),
        (
            "https://b.example:8/model/claude/invoke",
            {"authorization": SIGNED + "1"},
            ("https://b.example:8", "AKIA1"),
        ),
        (
            "https://b.example:8/model/other/invoke",
            {"authorization": SIGNED + "2"},
            ("https://b.example:8", "AKIA1"),
        ),
        ("https://b.example/v1/messages", {}, ("https://b.example", None)),
    ],
)
def test_an_account_is_a_base_url_and_a_credential(url: str, headers: dict[str, str], expected: Any) -> None:
    """Neither the model nor the signature of one request makes another account; a gateway's path does."""
    assert account(url, headers) == expected


def test_address_and_credential_do_not_run_together() -> None:
    """The border between address and credential is part of the key."""
    registry = Registry()
    assert registry.budget("https://a", "bc") is not registry.budget("https://ab", "c")


def test_no_credential_is_kept() -> None:
    """Neither the credential nor a plain digest of it is in the registry: its digests are its own."""
    first, second = Registry(), Registry()
    for registry in (first, second):
        registry.budget("https://user:hunter2@api.example", "sk-ant-hidden")
    kept = repr(vars(first))
    assert "sk-ant" not in kept
    assert "hunter2" not in kept
    assert first._budgets.keys() != second._budgets.keys()


def test_the_registry_is_bounded_and_drops_the_unused() -> None:
    """Beyond its size the registry forgets the budget longest unused, never one in use."""
    registry = Registry(largest=3)
    busy, idle = registry.budget("u", "busy"), registry.budget("u", "idle")
    for number in range(10):
        registry.budget("u", str(number))
        assert registry.budget("u", "busy") is busy
    assert len(registry._budgets) == 3
    assert registry.budget("u", "idle") is not idle
