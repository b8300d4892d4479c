"""Another policy for a block or a call, and the pin of a conversation, through clients."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from resilient_stream import Pin, policy_option, policy_scope
from resilient_stream.testing import Fault, Status, cut_at
from tests.support.worlds import HASTY, TEXT, USER_TURN_MODEL, World, every_world, stand_in

from .test_models_and_history import ELSEWHERE, overloaded

TWICE = HASTY.replace(max_attempts=2)


@every_world
@pytest.mark.parametrize("how", ["scope", "option"])
def test_another_policy_for_some_calls(world: World, how: str) -> None:
    """A block's or a call's policy replaces the client's, for those calls alone."""
    extra: dict[str, Any] = (
        {"extra_headers": {**policy_option(TWICE), "x-trace": "1"}} if how == "option" else {}
    )
    scope = policy_scope(TWICE) if how == "scope" else contextlib.nullcontext()
    with stand_in(*[Status(529)] * 2, *[Status(529)] * 3) as server:
        with scope:
            assert len(world.stream(server.url, **extra).report.attempts) == 2
        seen = world.stream(server.url)
        assert (len(seen.report.attempts), seen.text) == (4, TEXT)


@every_world
def test_the_wire_knows_nothing_of_it(world: World) -> None:
    """A call with an option sends the very headers and body of one without, from a bare client too."""
    with stand_in() as server:
        for policy in (HASTY, None):
            for headers in ({}, policy_option("batch")):
                world.stream(server.url, policy, extra_headers=headers)
        ours, ours_with, bare, bare_with = server.requests
    for one, other in ((ours, ours_with), (bare, bare_with)):
        assert one.body == other.body
        assert sorted(one.headers) == sorted(other.headers)


@every_world
def test_a_scope_can_switch_off(world: World) -> None:
    """Under ``off`` the SDK's own behaviour is back, its retries included."""
    with stand_in(Status(529), cut_at(1500, "rst")) as server, policy_scope("off"):
        seen = world.stream(server.url, client={"max_retries": 1})
        assert len(server.requests) == 2
    assert type(seen.error).__module__ == "httpx2"
    assert seen.told is None


@every_world
def test_a_pinned_conversation_stays_where_it_was_served(world: World) -> None:
    """After a fallback the next turns go to that model at once, with its fields; the report names it."""
    policy = HASTY.replace(fallback_models=({"model": ELSEWHERE, "max_tokens": 2000},))
    with stand_in(faults=overloaded(USER_TURN_MODEL)) as server, Pin() as mine:
        first, second = world.stream(server.url, policy), world.stream(server.url, policy)
        asked = [(request.json["model"], request.json["max_tokens"]) for request in server.requests]
        assert asked == [(USER_TURN_MODEL, 4096)] * 2 + [(ELSEWHERE, 2000)] * 2
    assert (first.text, second.text, mine.model) == (TEXT, TEXT, ELSEWHERE)
    assert first.report.serving_model == second.report.serving_model == ELSEWHERE
    assert [attempt.characters for attempt in first.report.attempts] == [0, 0, len(TEXT)]


@every_world
def test_without_a_pin_the_first_model_is_asked_first(world: World) -> None:
    """A fallback is for one stream."""
    policy = HASTY.replace(fallback_models=(ELSEWHERE,))
    with stand_in(Status(529), Status(529)) as server:
        world.stream(server.url, policy)
        assert world.stream(server.url, policy).report.serving_model == USER_TURN_MODEL


@every_world
def test_a_pinned_model_that_refuses_is_left(world: World) -> None:
    """A 4xx of the pinned model leads to the next one; where there is none it is raised, and the pin is loose."""

    def choose(number: int, body: Any) -> Fault | None:
        return Status(404) if body["model"] == "claude-gone-1" else None

    policy = HASTY.replace(fallback_models=("claude-gone-1", ELSEWHERE))
    with stand_in(faults=choose) as server:
        with Pin("claude-gone-1") as mine:
            assert world.stream(server.url, policy).text == TEXT
        assert mine.model == ELSEWHERE
        with Pin("claude-gone-1") as mine:
            seen = world.stream(server.url, policy.replace(fallback_models=("claude-gone-1",)))
            assert getattr(seen.error, "status_code", None) == 404
            assert mine.model is None
            assert world.stream(server.url, policy).report.serving_model == USER_TURN_MODEL
