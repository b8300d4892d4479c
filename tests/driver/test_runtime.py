"""Time and chance."""

from __future__ import annotations

import copy
import dataclasses
import random
import time

import pytest

from resilient_stream._driver import runtime as _runtime
from resilient_stream._driver.runtime import Runtime


def test_the_clock_only_rises_and_the_wall_clock_knows_the_date() -> None:
    """Durations are measured by a clock that nobody sets back, dates by the one that people read."""
    runtime = Runtime()
    assert runtime.clock is time.monotonic
    assert runtime.wall is time.time


def test_the_machine_has_not_slept_during_this_test() -> None:
    """The clock that goes on in sleep and the one that stops differ by the same from one moment to the next."""
    assert Runtime().slept() == pytest.approx(Runtime().slept(), abs=5)


def test_without_a_clock_that_tells_nobody_ever_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a system without one, sleep is not noticed."""
    monkeypatch.setattr(_runtime, "_AWAKE_OR_NOT", None)
    assert Runtime().slept() == 0


def test_no_two_runtimes_share_their_chance() -> None:
    """Each runtime has its own source of jitter, so seeding one leaves all others alone."""
    first, second = Runtime(), Runtime()
    assert isinstance(first.rng, random.Random)
    assert first.rng is not second.rng


def test_forked_workers_do_not_wait_in_step() -> None:
    """The jitter has no state that a fork could copy, so workers forked from one client wait different times."""
    with pytest.raises(NotImplementedError):
        Runtime().rng.getstate()


def test_a_runtime_cant_be_changed() -> None:
    """What drivers took from a runtime stays what they took."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Runtime().clock = time.time  # type: ignore[misc]  # that is the test


def test_a_deep_copy_is_the_same() -> None:
    """What holds a runtime can be copied: time and chance stay the system's, or the test's."""
    runtime = Runtime()
    assert copy.deepcopy(runtime) is runtime
    assert copy.deepcopy({"a": runtime})["a"] is runtime
