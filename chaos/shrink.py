"""A smaller plan that breaks the same law."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from .plans import USER_TURN_MODEL, Plan


def smallest(plan: Plan, broken: Callable[[Plan], bool]) -> Plan:
    """Remove everything from the plan that it does not need to stay ``broken``."""
    shrunk = True
    while shrunk:
        shrunk = False
        for smaller in _smaller(plan):
            if smaller != plan and broken(smaller):
                plan, shrunk = smaller, True
                break
    return plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    for place in range(len(plan.faults)):
        yield replace(plan, faults=plan.faults[:place] + plan.faults[place + 1 :])
    yield replace(plan, policy={})
    yield replace(plan, leaves_after=None)
    yield replace(plan, rethink=False)
    yield replace(plan, model=USER_TURN_MODEL)
    yield replace(plan, chunking="event")
    yield replace(plan, delta_size=16)
    yield replace(plan, text="prose")
