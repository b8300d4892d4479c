"""Another policy for a block or a call, and the pin of a conversation, through clients."""

from __future__ import annotations

from typing import Any

from resilient_stream import Pin, policy_option, policy_scope
from resilient_stream.testing import Fault, Status, cut_at
from tests.support.doors import Door, every_door
from tests.support.worlds import HASTY, TEXT, USER_TURN_MODEL, stand_in

from .test_models_and_history import ELSEWHERE, overloaded

TWICE = HASTY.replace(max_attempts=2)


@every_door
def test_a_block_may_have_a_policy_of_its_own(door: Door) -> None:
    """It replaces the client's, for the calls within alone."""
    with stand_in(*[Status(529)] * 2, *[Status(529)] * 3) as server:
        with policy_scope(TWICE):
            assert len(door.stream(server.url).report.attempts) == 2
        seen = door.stream(server.url)
        assert (len(seen.report.attempts), seen.text) == (4, TEXT)


@every_door
def test_a_call_may_have_a_policy_of_its_own(door: Door) -> None:
    """It replaces the client's, for this call alone."""
    with stand_in(*[Status(529)] * 2, *[Status(529)] * 3) as server:
        option = {**policy_option(TWICE), "x-trace": "1"}
        assert len(door.stream(server.url, extra_headers=option).report.attempts) == 2
        assert len(door.stream(server.url).report.attempts) == 4


@every_door
def test_a_call_with_an_option_looks_like_one_without(door: Door) -> None:
    """It sends the very headers and body, from a bare client too."""
    with stand_in() as server:
        for policy in (HASTY, None):
            for headers in ({}, policy_option("batch")):
                door.stream(server.url, policy, extra_headers=headers)
        ours, ours_with, bare, bare_with = server.requests
    for one, other in ((ours, ours_with), (bare, bare_with)):
        assert one.body == other.body
        assert sorted(one.headers) == sorted(other.headers)


@every_door
def test_a_scope_can_switch_off(door: Door) -> None:
    """Under ``off`` a break is what it is without the library, and has no report."""
    with stand_in(cut_at(1500, "rst")) as server, policy_scope("off"):
        seen = door.stream(server.url)
        assert len(server.requests) == 1
    assert type(seen.error) is door.http.ReadError
    assert seen.told is None


@every_door
def test_off_brings_the_sdks_retries_back(door: Door) -> None:
    """Its own, before the head."""
    with stand_in(Status(529)) as server, policy_scope("off"):
        assert door.stream(server.url, client={"max_retries": 1}).text == TEXT
        assert len(server.requests) == 2


@every_door
def test_a_pinned_conversation_stays_where_it_was_served(door: Door) -> None:
    """After a fallback the next turns go to that model at once, with its fields; the report names it."""
    policy = HASTY.replace(fallback_models=({"model": ELSEWHERE, "max_tokens": 2000},))
    with stand_in(faults=overloaded(USER_TURN_MODEL)) as server, Pin() as mine:
        first, second = door.stream(server.url, policy), door.stream(server.url, policy)
        asked = [(request.json["model"], request.json["max_tokens"]) for request in server.requests]
        assert asked == [(USER_TURN_MODEL, 4096)] * 2 + [(ELSEWHERE, 2000)] * 2
    assert (first.text, second.text, mine.model) == (TEXT, TEXT, ELSEWHERE)
    assert first.report.serving_model == second.report.serving_model == ELSEWHERE
    assert [attempt.characters for attempt in first.report.attempts] == [0, 0, len(TEXT)]


@every_door
def test_without_a_pin_the_first_model_is_asked_first(door: Door) -> None:
    """A fallback is for one stream."""
    policy = HASTY.replace(fallback_models=(ELSEWHERE,))
    with stand_in(Status(529), Status(529)) as server:
        door.stream(server.url, policy)
        assert door.stream(server.url, policy).report.serving_model == USER_TURN_MODEL


@every_door
def test_a_pinned_model_that_refuses_is_left(door: Door) -> None:
    """A 4xx of the pinned model leads to the next one; where there is none it is raised, and the pin is loose."""

    def choose(number: int, body: Any) -> Fault | None:
        return Status(404) if body["model"] == "claude-gone-1" else None

    policy = HASTY.replace(fallback_models=("claude-gone-1", ELSEWHERE))
    with stand_in(faults=choose) as server:
        with Pin("claude-gone-1") as mine:
            assert door.stream(server.url, policy).text == TEXT
        assert mine.model == ELSEWHERE
        with Pin("claude-gone-1") as mine:
            seen = door.stream(server.url, policy.replace(fallback_models=("claude-gone-1",)))
            assert seen.ending == "404"
            assert mine.model is None
            assert door.stream(server.url, policy).report.serving_model == USER_TURN_MODEL
