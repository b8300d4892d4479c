"""A machine that slept in the middle of a stream, as a user's program sees it."""

from __future__ import annotations

import itertools

import pytest

from resilient_stream import ResumeMiddleware
from resilient_stream._driver.runtime import Runtime
from resilient_stream._http import read_timeout
from resilient_stream.testing import Stall
from tests.support.worlds import HASTY, TEXT, World, every_world, stand_in


@every_world
def test_a_laptop_that_slept_goes_on_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that says nothing after a sleep is left long before any clock fires, and the answer goes on."""
    monkeypatch.setattr(read_timeout, "LOOK_UP", 0.3)
    hours = itertools.count(0.0, 3600.0)  # between two looks at this clock, an hour was slept
    asleep = [ResumeMiddleware(HASTY, runtime=Runtime(slept=lambda: next(hours)))]
    with stand_in(Stall(after=7)) as server:
        seen = world.stream(server.url, None, {"middleware": asleep})
    assert (seen.text, seen.kinds) == (TEXT, ["reset", None])
    first = seen.report.attempts[0]
    assert first.failure is not None
    assert first.failure.detail == "MachineSlept"
    assert seen.report.attempts[1].wait == 0
