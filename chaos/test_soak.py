from __future__ import annotations

import gc
import itertools
import resource
import time

import pytest

from .plans import plan_of
from .simulation import simulate, simulate_async
from .test_seeds import complaint, failure

WARM = 300
"""Plans after which the process has loaded what it needs."""

GROWTH = 64 * 1024
"""KiB by which the process may grow after that."""

ENOUGH = 5
"""Failures after which the run stops."""


@pytest.mark.slow
def test_hours_of_misfortune_change_nothing(request: pytest.FixtureRequest) -> None:
    """For as long as asked, the laws hold, and the process does not grow."""
    option, wrong, peak = request.config.option, list[str](), 0
    end = time.monotonic() + 60 * option.minutes
    for number, seed in enumerate(itertools.count(option.first)):
        plan, play = plan_of(seed), (simulate, simulate_async)[seed % 2]
        told = failure(play, plan)
        if told is not None:
            wrong.append(complaint(play, plan, told))
        if number == WARM:
            gc.collect()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if len(wrong) >= ENOUGH or (time.monotonic() > end and number > WARM):
            print(f"soaked: seeds {option.first} to {seed}")  # noqa: T201 -- what a soak has to tell
            break
    assert not wrong, "\n".join(wrong)
    gc.collect()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < GROWTH
