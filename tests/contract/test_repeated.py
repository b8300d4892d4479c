"""What is broken for a reason that asking again does not remove is not asked for again and again."""

from __future__ import annotations

from typing import Any, Final

import anthropic
import pytest

from resilient_stream.testing import CATALOGUE, Chain, Cut, ErrorEvent, Insert, Status, sse_event
from tests.support.http_clients import HttpWorld, httpx_sync_and_asyncio
from tests.support.worlds import HASTY, TEXT, World, every_world, stand_in, sync_and_asyncio

from .test_catalogue import FAILED

BROKEN: Final = [
    name
    for name, (kind, *_) in FAILED.items()
    if kind in ("corrupt", "protocol", "truncated") and name != "empty_body"
]
"""Faults of the reply itself."""

LATER: Final = {"clean_end_after_block_stop": 3}
"""Where the whole text comes before the fault, the first attempt makes progress, and the next two don't."""

FINAL: Final[dict[str, Any]] = {
    "an error of the request, in the stream": ErrorEvent("invalid_request_error", after=20),
    "an error without a type": Insert(after=0, data=b'data: {"error": {"code": 400, "message": "no"}}\n\n'),
    "a rejection": Status(400),
    "a spend cap": Status(
        429,
        body=b'{"type": "error", "error": {"type": "rate_limit_error", "message": "x", '
        b'"details": {"error_code": "enforced_spend_limit_reached"}}}',
    ),
}


def faults_of(name: str) -> Chain:
    """A fault of the catalogue."""
    return Chain(tuple(fault for fault in CATALOGUE[name].faults if fault is not None))


@sync_and_asyncio
@pytest.mark.parametrize("name", BROKEN)
def test_a_reply_that_is_always_broken_is_asked_for_twice(world: World, name: str) -> None:
    """And then the failure is raised, with what was received."""
    with stand_in(always=faults_of(name)) as server:
        seen = world.stream(server.url)
        assert len(server.requests) == LATER.get(name, 2)
    assert isinstance(seen.error, anthropic.APIConnectionError)
    assert seen.report.reason == "the reply was broken twice in the same way at the same place"
    assert bool(seen.report.partial) is bool(seen.text)


@httpx_sync_and_asyncio
@pytest.mark.parametrize("name", BROKEN)
def test_nor_is_it_without_the_sdk(world: HttpWorld, name: str) -> None:
    """The same count."""
    with stand_in(always=faults_of(name)) as server:
        seen = world.stream(server.url)
        assert len(server.requests) == LATER.get(name, 2)
    assert seen.report.reason == "the reply was broken twice in the same way at the same place"


@sync_and_asyncio
@pytest.mark.parametrize("name", FINAL)
def test_what_is_final_is_asked_for_once(world: World, name: str) -> None:
    """The upstream has said all there is."""
    with stand_in(always=FINAL[name]) as server:
        seen = world.stream(server.url)
        assert len(server.requests) == 1
    assert isinstance(seen.error, anthropic.APIStatusError)


@every_world
@pytest.mark.parametrize("cuts", range(1, 8))
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_body_without_content_is_asked_for_again(world: World, cuts: int, after: int) -> None:
    """A proxy ends a connection that is quiet for too long, always at the same place, and the model is quicker in the end.

    There is the head and a ping, or nothing; seven in a row are survived by the defaults.
    """
    idle = Chain((Insert(after=1, data=sse_event({"type": "ping"})), Cut(after=after, how="clean")))
    with stand_in(*[idle] * cuts) as server:
        seen = world.stream(server.url)
        assert len(server.requests) == cuts + 1
    assert (seen.error, seen.text) == (None, TEXT)


@every_world
def test_with_content_the_same_end_twice_is_no_accident(world: World) -> None:
    """Whatever the policy would still allow."""
    with stand_in(always=Cut(after=4, how="clean")) as server:
        seen = world.stream(server.url, HASTY.replace(max_barren_attempts=16))
        assert len(server.requests) == 2
    assert seen.report.reason == "the reply was broken twice in the same way at the same place"
