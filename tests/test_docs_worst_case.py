"""The page of the worst cases has what the policies do when it is played on a virtual clock."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from resilient_stream import RetryPolicy
from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Action, Finish, Raise, Read, Send, Wait
from resilient_stream._core.plan.planner import Planner
from resilient_stream._core.record.ledger import Record
from resilient_stream._policy.judge import Judgement
from resilient_stream._policy.settings import settings_of

from .support.contents import text
from .support.machines import REQUEST, Broken
from .support.script import Script

PAGE = (Path(__file__).parents[1] / "docs" / "worst-case.md").read_text("utf-8")
POLICIES = {
    "(defaults)": RetryPolicy(),
    **{name: RetryPolicy.preset(name) for name in ("interactive", "agent", "batch")},
}
REPLY = Script(
    (
        text(
            "".join(
                f"In the year {year} the moon pulled at the water, and the earth turned beneath it. "
                for year in range(1600, 2000)
            )
        ),
    )
)
"""A text that does not repeat itself: behind a quote, a sentence that stands in the text already is held."""


class Longest(random.Random):
    """Chance at its worst: every wait is as long as it may be."""

    def uniform(self, a: float, b: float) -> float:
        """The end of the range."""
        return b


class Attempt(NamedTuple):
    """How a request is answered: the failure, the seconds that it takes, the events that come first."""

    failure: Failure
    seconds: float | None = 0.0
    """None: until a timeout of the policy fires."""
    brings: int = 0


CASES: dict[str, Callable[[RetryPolicy], Attempt]] = {
    "The API is overloaded": lambda policy: Attempt(Failure(Kind.OVERLOADED, Phase.HEADERS, status=529)),
    "The API asks to wait, as long as is obeyed": lambda policy: Attempt(
        Failure(Kind.RATE_LIMITED, Phase.HEADERS, status=429, retry_after=policy.retry_after_max)
    ),
    "No connection can be made": lambda policy: Attempt(
        Failure(Kind.CONNECT, Phase.CONNECT), policy.connect_timeout
    ),
    "Every request is accepted and never answered": lambda policy: Attempt(
        Failure(Kind.SILENT, Phase.HEADERS), None
    ),
    "Every reply breaks after a few words": lambda policy: Attempt(
        Failure(Kind.RESET, Phase.BODY), 0.0, brings=12
    ),
    "Every reply falls silent after a few words": lambda policy: Attempt(
        Failure(Kind.SILENT, Phase.BODY), None, brings=12
    ),
}


def played(policy: RetryPolicy, attempt: Attempt) -> tuple[int, float]:
    """The requests and the seconds until the library gives up, where each attempt goes the same way."""
    settings = settings_of(policy)
    judge = Judgement(policy, Longest(), None)
    machine = Machine(Planner(REQUEST, settings, set()), settings, judge, Broken, Record())
    now, requests = 0.0, 0
    action: Action = machine.start(now)
    while not isinstance(action, Raise):
        assert not isinstance(action, Finish)
        if isinstance(action, Wait):
            now += action.seconds
            action = machine.waited(now)
        else:
            assert isinstance(action, Send)
            requests += 1
            patience = action.patience
            if attempt.brings:
                answer = REPLY.answer(action.plan).split(b"\n\n")[: attempt.brings + 10]
                action = machine.head(now, 200, "req")
                for frame in answer:
                    action = machine.data(now, frame + b"\n\n", 0.0)
                assert isinstance(action, Read)
                patience = action.patience
            spent = patience if attempt.seconds is None else attempt.seconds
            now += spent
            action = machine.fault(now, attempt.failure, spent if attempt.brings else 0.0)
    return requests, now


def said(seconds: float) -> str:
    """Seconds as a person would say them."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def tabled(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its head."""
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in re.findall(r"^\|.*\|$", part, re.MULTILINE)]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def pasted(rows: list[list[str]]) -> str:
    """The rows as the page should have them."""
    return "The page should have\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def test_the_table_is_what_the_policies_do() -> None:
    """For each case and each policy, requests and the longest time, played on a virtual clock."""
    expected = [
        [
            case,
            *(f"{n}, {said(s)}" for n, s in (played(policy, made(policy)) for policy in POLICIES.values())),
        ]
        for case, made in CASES.items()
    ]
    assert tabled("Requests and seconds") == expected, pasted(expected)


@pytest.mark.parametrize("deadline", [60.0, 600.0])
def test_a_deadline_bounds_every_case(deadline: float) -> None:
    """No case goes on for longer than the deadline and the longest timeout that may have begun before it, which
    has doubled with each time that it fired before."""
    policy = RetryPolicy(deadline=deadline)
    for made in CASES.values():
        _, seconds = played(policy, made(policy))
        assert seconds <= deadline + max(policy.first_event_timeout, policy.silence_timeout, deadline * 2)


def test_the_table_of_input_is_what_the_policies_say() -> None:
    """The most input that may be billed: the cap, and the attempt that goes beyond it."""
    output = 4000
    expected = []
    for prompt in (1000, 10_000, 100_000):
        row = [f"{prompt:,}"]
        for policy in POLICIES.values():
            assert policy.max_input_multiple is not None
            cap = max(50_000.0, policy.max_input_multiple * (prompt + output))
            row.append(f"{cap + prompt + output:,.0f}")
        expected.append(row)
    assert tabled("Input tokens") == expected, pasted(expected)
