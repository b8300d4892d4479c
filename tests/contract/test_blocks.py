"""Blocks, endings and usage as a program sees them."""

from __future__ import annotations

from typing import Any

from resilient_stream import RetryPolicy, report
from resilient_stream.testing import Cut, Fault, Status, cut_at, sse_events
from resilient_stream.testing.golden import GOLDEN, SECOND, Golden, call, text
from tests.support.doors import Door, every_door, through
from tests.support.worlds import ASK, HASTY, stand_in, sync_client

MODELS = {"user_turn": "claude-sonnet-5", "prefill": "claude-haiku-4-5"}


def cut_in(golden: Golden, needle: str, plus: int = 20) -> Cut:
    """A reset inside the first event that has these words."""
    told = sse_events(golden.reply)
    count = next(number for number, event in enumerate(told) if needle.encode() in event)
    return Cut(after=count, plus=plus, how="rst")


@through([name for name, golden in GOLDEN.items() if not golden.stops])
def test_each_family_is_healed_on_real_sockets(name: str, door: Door) -> None:
    """Cut somewhere in the middle, what can be healed comes out whole."""
    golden = GOLDEN[name]
    count = len(sse_events(golden.reply)) * (60 + 3 * len(name) % 29) // 100
    form = "user_turn" if len(name) % 2 else "prefill"
    cut = Cut(after=count, plus=len(name), how="rst" if len(name) % 3 else "clean")
    with stand_in(cut, reply=golden.author()) as server:
        seen = door.stream(server.url, model=MODELS[form], **golden.request)
        assert [request.rule for request in server.requests] == [None] * len(server.requests)
    assert seen.ending == "whole"
    outcome = seen.report.outcome
    assert (seen.text == golden.said) or outcome == "finished_with_tools"
    assert seen.message["stop_reason"] == (golden.reply.reason if outcome == "completed" else "tool_use")


@through(["refusal", "paused", "max_tokens", "context_window", "compaction_pause"])
def test_an_ending_is_not_gone_on_with(name: str, door: Door) -> None:
    """Cut behind its stop reason, a stream is complete: one request, whatever the reason was."""
    golden = GOLDEN[name]
    with stand_in(cut_in(golden, "message_stop"), reply=golden.author()) as server:
        seen = door.stream(server.url, **golden.request)
        assert len(server.requests) == 1
    assert seen.message["stop_reason"] == golden.reply.reason
    assert (seen.types[-1], seen.report.outcome) == ("message_stop", "completed")


@every_door
def test_who_only_watches_changes_nothing(door: Door) -> None:
    """Under ``observe`` a cut turn with a complete call is an error; its events are those without the library."""
    golden = GOLDEN["parallel_calls"]
    observe = RetryPolicy.preset("observe")
    with stand_in(always=cut_in(golden, '"index":2'), reply=golden.author()) as server:
        bare, watched = (door.stream(server.url, policy, **golden.request) for policy in (None, observe))
        assert len(server.requests) == 2
    assert watched.ending == "broken"
    assert (watched.report.outcome, watched.report.resumed) == ("failed", False)
    assert (watched.types, watched.text) == (bare.types, bare.text)
    assert bare.raw.replace(b"0001", b"0002").startswith(watched.raw)  # but for half an event at the end
    assert watched.report.partial == {"role": "assistant", "content": [golden.content[0]]}


@every_door
def test_a_call_cut_while_nothing_is_held_is_an_error(door: Door) -> None:
    """With the partial, which is without it."""
    golden = GOLDEN["call"]
    with stand_in(always=cut_in(golden, "tide\\"), reply=golden.author()) as server:
        seen = door.stream(server.url, HASTY.replace(hold=()), **golden.request)
        assert len(server.requests) == 1
    assert seen.ending == "broken"
    assert seen.report.partial == {"role": "assistant", "content": [golden.content[0]]}
    assert "tool call was cut" in seen.report.reason


def beta_usage(policy: RetryPolicy, *faults: Fault | None) -> tuple[Any, Any]:
    """The usage that the beta namespace puts together, and the report."""
    golden = Golden(
        (text(SECOND * 3), call()), {"tools": [{"name": "look_up", "input_schema": {"type": "object"}}]}
    )
    with stand_in(*faults, reply=golden.author()) as server, sync_client(server.url, policy) as client:
        with client.beta.messages.stream(
            model="claude-sonnet-5", max_tokens=4096, messages=ASK, **golden.request
        ) as stream:
            message = stream.get_final_message()
        return message.usage, report(stream)


def test_iterations_are_the_apis_own() -> None:
    """The SDK reads them as its own types, one for each attempt that told of its usage."""
    usage, told = beta_usage(HASTY, cut_at(900, "rst"), Status(529))
    assert [attempt.usage_source for attempt in told.attempts] == ["estimated", "unknown", "reported"]
    assert [type(one).__name__ for one in usage.iterations] == ["BetaMessageIterationUsage"] * 2
    first, serving = usage.iterations
    assert (first.input_tokens, serving.input_tokens) == (
        told.attempts[0].usage["input_tokens"],
        usage.input_tokens,
    )
    assert serving.output_tokens == usage.output_tokens == told.attempts[2].usage["output_tokens"]
    assert told.usage["output_tokens"] == first.output_tokens + serving.output_tokens


def test_a_total_is_a_sum() -> None:
    """For those who want it: the message's usage is the report's."""
    usage, told = beta_usage(HASTY.replace(usage="total"), cut_at(900, "rst"))
    assert (usage.input_tokens, usage.output_tokens) == (
        told.usage["input_tokens"],
        told.usage["output_tokens"],
    )
    assert sum(one.input_tokens for one in usage.iterations) == usage.input_tokens


def test_usage_is_untouched_where_nothing_failed() -> None:
    """No iterations of ours."""
    usage, told = beta_usage(HASTY)
    assert usage.iterations is None
    assert [attempt.usage_source for attempt in told.attempts] == ["reported"]


@every_door
def test_a_resilient_client_asks_with_the_container(door: Door) -> None:
    """Code that ran goes on in its container, once its id was told."""
    golden = GOLDEN["code_execution_tools"]
    with stand_in(cut_in(golden, "neaps", 200), reply=golden.author()) as server:
        seen = door.stream(server.url, **golden.request)
        assert [request.json.get("container") for request in server.requests] == [None, "container_01"]
    assert (seen.text, seen.report.outcome) == (golden.said, "completed")
