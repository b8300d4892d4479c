from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable

import pytest

from .invariants import check
from .plans import Plan, plan_of
from .shrink import smallest
from .sightings import sightings, unseen
from .simulation import Run, simulate, simulate_async

BOTH_EVERY = 20
"""Of this many seeds, one is run by both consumers, and their results are compared."""

ENOUGH = 2000
"""After this many seeds everything must have occurred."""

MET: Counter[str] = Counter()


def failure(play: Callable[[Plan], Run], plan: Plan) -> str | None:
    """What is wrong with a plan's run."""
    try:
        run = play(plan)
        check(run)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is wrong
        return f"{error}\n{''.join(traceback.format_tb(error.__traceback__)[-3:])}"
    MET.update(set(sightings(run)))
    return None


def complaint(play: Callable[[Plan], Run], plan: Plan, told: str) -> str:
    """The text of a failure, with the command that repeats it."""
    law = told.partition(":")[0]
    small = smallest(plan, lambda smaller: (failure(play, smaller) or "").startswith(law))
    return (
        f"{told}\nsmallest: {play.__name__}({small!r})\n"
        f"reproduce: pytest chaos/test_seeds.py --seed={plan.seed}\n"
    )


def test_every_law_holds_for_every_seed(seeds: range) -> None:
    """Whatever fails, the laws hold. Even seeds are read sync, odd ones under asyncio."""
    wrong: list[str] = []
    for seed in seeds:
        plan, play = plan_of(seed), (simulate, simulate_async)[seed % 2]
        told = failure(play, plan)
        if told is not None:
            wrong.append(complaint(play, plan, told))
        elif len(seeds) == 1 or seed % BOTH_EVERY == 0:
            wrong += differences(plan)
    assert not wrong, "\n".join([f"{len(wrong)} of {len(seeds)} seeds fail", *wrong[:3]])


def differences(plan: Plan) -> list[str]:
    """The differences between what a sync and an async consumer saw."""
    runs = [simulate(plan), simulate_async(plan)]
    seen = [
        (run.seen.text, run.seen.report.model_dump(), str(run.seen.error), run.seen.events, run.seconds)
        for run in runs
    ]
    return [] if seen[0] == seen[1] else [f"sync and async differ: {seen[0]!r}\n{seen[1]!r}\n{plan!r}"]


def test_everything_was_met(request: pytest.FixtureRequest) -> None:
    """In a long run every fault, failure kind, form and outcome occurs at least once."""
    if request.config.option.seed is not None or request.config.option.seeds < ENOUGH:
        pytest.skip("too few seeds to have met everything")
    assert unseen(MET) == []
