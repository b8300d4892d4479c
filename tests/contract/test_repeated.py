"""What is broken for a reason that asking again does not remove is not asked for again and again."""

from __future__ import annotations

from typing import Final

import anthropic
import pytest

from resilient_stream.testing import CATALOGUE, Chain, Cut, Insert, sse_event
from tests.support.doors import HTTP, Door, every_door, through
from tests.support.worlds import HASTY, TEXT, stand_in

from .test_catalogue import FAILED

BROKEN: Final = [
    name
    for name, (kind, *_) in FAILED.items()
    if kind in ("corrupt", "protocol", "truncated") and name != "empty_body"
]
"""Faults of the reply itself."""

LATER: Final = {"clean_end_after_block_stop": 3}
"""Where the whole text comes before the fault, the first attempt makes progress, and the next two don't."""


def faults_of(name: str) -> Chain:
    """A fault of the catalogue."""
    return Chain(tuple(fault for fault in CATALOGUE[name].faults if fault is not None))


@through(BROKEN)
def test_a_reply_that_is_always_broken_is_asked_for_twice(name: str, door: Door) -> None:
    """And then the failure is raised, with what was received, whatever the policy would still allow."""
    with stand_in(always=faults_of(name)) as server:
        seen = door.stream(server.url, HASTY.replace(max_barren_attempts=16))
        assert len(server.requests) == LATER.get(name, 2)
    assert isinstance(seen.error, anthropic.APIConnectionError) or door.package in HTTP
    assert seen.report.reason == "the reply was broken twice in the same way at the same place"
    assert bool(seen.report.partial) is bool(seen.text)


@every_door
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_body_without_content_is_asked_for_again(door: Door, after: int) -> None:
    """A proxy ends a connection that is quiet for too long, always at the same place, and the model is quicker in the end.

    There is the head and a ping, or nothing; seven in a row are survived by the defaults.
    """
    idle = Chain((Insert(after=1, data=sse_event({"type": "ping"})), Cut(after=after, how="clean")))
    with stand_in(*[idle] * 7) as server:
        seen = door.stream(server.url)
        assert len(server.requests) == 8
    assert (seen.ending, seen.text) == ("whole", TEXT)
