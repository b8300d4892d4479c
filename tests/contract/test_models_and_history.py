"""Fallback models, the cost guard, and history that was cut."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from anthropic.types import MessageParam
from anthropic.types.beta import BetaMessageParam

from resilient_stream import RetryPolicy, report, sendable
from resilient_stream.testing import Fault, RetryAfter, Status, cut_at
from tests.support.doors import Door, asking, entered, every_door, told
from tests.support.worlds import (
    CUT_HISTORY,
    HASTY,
    PREFILL_MODEL,
    TEXT,
    USER_TURN_MODEL,
    stand_in,
    sync_client,
)

ELSEWHERE = "claude-opus-5"


def overloaded(model: str) -> Any:
    """A fault for all requests to one model."""

    def choose(number: int, body: Any) -> Fault | None:
        del number
        return Status(529) if body["model"] == model else None

    return choose


@every_door
def test_an_overloaded_model_is_left_for_the_next(door: Door) -> None:
    """After two overloads in a row the request goes to the fallback model; the report says who wrote."""
    policy = HASTY.replace(fallback_models=(ELSEWHERE,))
    with stand_in(faults=overloaded(USER_TURN_MODEL)) as server:
        seen = door.stream(server.url, policy)
    assert seen.text == TEXT
    assert [attempt.model for attempt in seen.report.attempts] == [
        USER_TURN_MODEL,
        USER_TURN_MODEL,
        ELSEWHERE,
    ]


@every_door
def test_a_fallback_model_continues_in_its_own_form(door: Door) -> None:
    """The same message goes on on the next model, in the form that this one accepts."""
    policy = HASTY.replace(fallback_models=({"model": PREFILL_MODEL, "max_tokens": 2000},))
    with stand_in(cut_at(1500, "rst"), Status(529), Status(529)) as server:
        seen = door.stream(server.url, policy)
        assert server.requests[-1].json["model"] == PREFILL_MODEL
        assert server.requests[-1].json["max_tokens"] <= 2000
    assert seen.text == TEXT
    assert seen.forms == ["first", "user_turn", "user_turn", "prefill"]


@every_door
def test_a_model_that_asks_for_an_hour_is_left_at_once(door: Door) -> None:
    """The next one is asked without a wait; where none is left the exception tells how long was asked, and until when."""
    policy = RetryPolicy(fallback_models=(ELSEWHERE,))
    with stand_in(RetryAfter(429, seconds=3600)) as server:
        seen = door.stream(server.url, policy)
    assert seen.text == TEXT
    assert [(one.model, one.wait) for one in seen.report.attempts] == [(USER_TURN_MODEL, 0), (ELSEWHERE, 0)]
    assert seen.report.attempts[0].failure is not None
    assert seen.report.attempts[0].failure.retry_after == 3600
    with stand_in(always=RetryAfter(429, seconds=3600)) as server:
        seen = door.stream(server.url, policy)
    assert seen.ending == "429"
    assert (len(seen.report.attempts), seen.report.limit) == (2, "retry_after")
    assert "asked to wait 3600 s, until 2" in seen.report.reason


@every_door
def test_a_fallback_model_that_refuses_is_skipped(door: Door) -> None:
    """A model that answers 4xx is passed over; if none is left, the overload is raised."""
    policy = HASTY.replace(fallback_models=("claude-gone-1", ELSEWHERE))

    def choose(number: int, body: Any) -> Fault | None:
        del number
        return {USER_TURN_MODEL: Status(529), "claude-gone-1": Status(404)}.get(body["model"])

    with stand_in(faults=choose) as server:
        seen = door.stream(server.url, policy)
    assert (seen.text, seen.report.attempts[-1].model) == (TEXT, ELSEWHERE)
    with stand_in(faults=choose) as server:
        seen = door.stream(server.url, policy.replace(fallback_models=("claude-gone-1",)))
    assert seen.ending == "529"


@every_door
def test_the_cost_guard_stops(door: Door) -> None:
    """Attempts that together have billed too much input are the last."""
    long = [{"role": "user", "content": "tides " * 40_000}]
    policy = HASTY.replace(max_input_multiple=2.5)
    with stand_in(always=cut_at(1500, "rst")) as server:
        seen = door.stream(server.url, policy, messages=long)
        assert len(server.requests) == 3
    assert "max_input_multiple" in seen.report.reason
    with stand_in(always=cut_at(1500, "rst")) as server:
        door.stream(server.url, policy.replace(max_input_multiple=None, max_attempts=5), messages=long)
        assert len(server.requests) == 5


@every_door
def test_cut_history_is_healed(door: Door) -> None:
    """A history with blocks that were cut is accepted; what is sent has a true length."""
    with stand_in() as server:
        seen = door.stream(server.url, messages=CUT_HISTORY)
        (sent,) = server.requests
    assert (seen.ending, seen.text) == ("whole", TEXT)
    assert [message["role"] for message in sent.json["messages"]] == ["user", "assistant", "user"]
    assert sent.json["messages"][1]["content"] == [{"type": "text", "text": "The moon pulls."}]
    assert sent.headers["content-length"] == str(len(sent.body))


@every_door
@pytest.mark.parametrize("path", ["messages", "messages/count_tokens"])
def test_cut_history_is_healed_without_a_stream(door: Door, path: str) -> None:
    """And for counting."""

    async def law(url: str) -> None:
        async with entered(door.client(url)) as client:
            ask = {key: value for key, value in asking(messages=CUT_HISTORY).items() if key != "stream"}
            if path.endswith("tokens"):
                del ask["max_tokens"]
            if door.package == "sdk":
                await told(
                    client.messages.create(**ask)
                    if path == "messages"
                    else client.messages.count_tokens(**ask)
                )
            else:
                (await told(client.post(f"/v1/{path}", json=ask))).raise_for_status()

    with stand_in() as server:
        door.run(lambda: law(server.url))
        (sent,) = server.requests
    assert sent.json["messages"][1]["content"] == [{"type": "text", "text": "The moon pulls."}]


def test_healing_can_be_switched_off() -> None:
    """Without healing the API's refusal is the user's to see."""
    with stand_in() as server, sync_client(server.url, RetryPolicy(heal_history=False)) as client:
        with pytest.raises(anthropic.BadRequestError):
            client.messages.create(model=USER_TURN_MODEL, max_tokens=100, messages=CUT_HISTORY)
        assert server.requests[0].json["messages"] == CUT_HISTORY


def test_a_typed_program_sends_it_back_without_a_cast() -> None:
    """The partial goes into the histories of both APIs as their types have them; a healed history keeps its type."""
    history: list[MessageParam] = [{"role": "user", "content": "Tell me about tides."}]
    beta: list[BetaMessageParam] = [{"role": "user", "content": "Tell me about tides."}]
    with (
        stand_in(cut_at(1500, "rst")) as server,
        sync_client(server.url, HASTY.replace(max_attempts=1)) as client,
    ):
        with pytest.raises(anthropic.APIConnectionError) as caught:
            list(
                client.messages.create(model=USER_TURN_MODEL, max_tokens=4096, messages=history, stream=True)
            )
        partial = report(caught.value).partial
        assert partial is not None
        history.append(partial)
        beta.append(partial)
        history, beta = sendable(history), sendable(beta)
        history.append({"role": "user", "content": "Go on."})
        client.messages.create(model=USER_TURN_MODEL, max_tokens=4096, messages=history)
    assert history[:-1] == beta
