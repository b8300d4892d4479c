"""Which request comes next: another form, another model, or none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.states import Raise, Send, Wait
from resilient_stream._core.plan.planner import Step
from resilient_stream._core.verdict import GiveUp
from tests.support.broken import BAD, CUT, DENIED, DOWN, HEAD, PREFILL, SCRIPT, raised
from tests.support.contents import PROSE, THOUGHT, text
from tests.support.machines import REQUEST, RESET, Body, Patient, drive, machine, once_cut, serve
from tests.support.streams import (
    MODERN,
    PREFILLED,
    Json,
    block,
    block_start,
    start,
    text_delta,
)

# -- stepping down ----------------------------------------------------------------------------------


def test_a_400_steps_down_at_no_cost_but_the_attempt() -> None:
    """Prefill, user turn: no wait, no verdict, not barren; and the client remembers."""
    refused: set[tuple[str, Step]] = set()
    judge = Patient(wait=1.0)
    run = drive(
        machine(PREFILL, judge=judge, refused=refused),
        lambda send: (CUT, BAD)[send.number - 1] if send.number < 3 else SCRIPT.answer(send.plan),
    )
    assert run.forms == ["first", "prefill", "user_turn"]
    assert (run.waits, len(judge.asked), run.heard.text) == ([1.0], 1, PROSE)
    assert refused == {(PREFILLED, Step.PREFILL)}
    assert run.machine.ledger.attempts[1].failure == BAD
    again = drive(machine(PREFILL, refused=refused), once_cut(SCRIPT, CUT))
    assert again.forms == ["first", "user_turn"]


def test_a_400_steps_down_to_no_thinking() -> None:
    """Where there is some; the same request is not sent twice."""
    head = b"".join([start(), *block(0, THOUGHT), block_start(1, text("")), text_delta(1, PROSE[:70])])
    run = drive(machine(judge=Patient(9)), lambda send: Body([head], RESET) if send.number == 1 else BAD)
    bodies = [send.plan.body["messages"][1]["content"] for send in run.sends[1:] if send.plan.body]
    assert [[one["type"] for one in content] for content in bodies] == [["thinking", "text"], ["text"]]
    run = drive(machine(judge=Patient(9)), lambda send: CUT if send.number == 1 else BAD)
    assert run.forms == ["first", "user_turn"]


def test_a_400_about_something_else_is_told_and_asked_for_once() -> None:
    """No other form is tried, the exception's note has the API's words, and other streams of the client go on as before."""
    refused: set[tuple[str, Step]] = set()
    poor = replace(BAD, body={"error": {"message": "Your credit balance is too low."}})
    run = drive(machine(PREFILL, refused=refused), lambda send: CUT if send.number == 1 else poor)
    assert (raised(run), run.forms, refused) == (RESET, ["first", "prefill"], set())
    assert run.machine.ledger.attempts[-1].said == "Your credit balance is too low."
    assert isinstance(run.last, Raise)
    (note,) = run.last.error.__notes__
    assert "The API said of the last request: 'Your credit balance is too low.'" in note
    again = drive(machine(PREFILL, refused=refused), once_cut(SCRIPT, CUT))
    assert again.forms == ["first", "prefill"]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("fallbacks", [(), ({"model": MODERN}, {"model": PREFILLED})])
def test_past_the_deadline_nothing_steps_down(fallbacks: tuple[Json, ...], late: bool) -> None:
    """Neither to another form nor to another model; before it both do."""
    made = machine(PREFILL, judge=Patient(9, wait=1.0), deadline=5.0, fallback_models=fallbacks)
    made.start(0.0)
    made.head(0.0, 200, None)
    made.data(0.0, HEAD, 0.0)
    last = made.fault(1.0, RESET)
    for _ in fallbacks:  # two overloads, and the first fallback is asked
        made.waited(2.0)
        last = made.fault(2.0, DOWN)
    assert isinstance(last, Wait)
    made.waited(4.0)
    assert isinstance(made.fault(5.0 if late else 4.9, DENIED if fallbacks else BAD), Raise if late else Send)


@pytest.mark.parametrize("rejection", [BAD, DENIED, Failure(Kind.REJECTED, Phase.BODY, in_band=True)])
def test_the_failure_before_a_rejection_is_raised(rejection: Failure) -> None:
    """The user did not write that request; the rejection stands among the attempts."""
    reply = rejection if rejection.phase is Phase.HEADERS else Body([], rejection)
    run = drive(machine(PREFILL), lambda send: CUT if send.number == 1 else reply)
    assert raised(run) == RESET
    assert run.machine.ledger.attempts[-1].failure == rejection
    assert run.machine.ledger.reason == "the continuation was rejected"
    steps = 1 if rejection is not BAD else 2
    assert len(run.sends) == 1 + steps


@pytest.mark.parametrize("failure", [BAD, DENIED])
def test_a_rejection_of_the_users_own_request_is_raised(failure: Failure) -> None:
    """On the first attempt, and on a restart."""
    assert raised(drive(machine(), serve(failure))) == failure
    assert raised(drive(machine(), serve(DOWN, failure))) == failure


def test_stepping_down_counts_among_the_attempts() -> None:
    """And stops at their limit, with the failure before."""
    run = drive(machine(PREFILL, max_attempts=2), lambda send: CUT if send.number == 1 else BAD)
    assert (raised(run), len(run.sends)) == (RESET, 2)


def test_a_step_that_leaves_no_request_is_none() -> None:
    """Under a policy of prefill alone."""
    run = drive(machine(continuation="prefill"), lambda send: CUT if send.number == 1 else BAD)
    assert (raised(run), run.forms) == (RESET, ["first", "prefill"])


def test_the_judge_is_told_that_another_model_is_next() -> None:
    """Once a model is left for the next: after two overloads in a row, or at once where it asks for an hour."""
    hour = replace(DOWN, kind=Kind.RATE_LIMITED, status=429, retry_after=3600.0)
    made = machine(judge=(judge := Patient(9)), fallback_models=({"model": "b"}, {"model": "c"}))
    run = drive(made, serve(DOWN, DOWN, hour, hour, SCRIPT.stream()))
    assert [one.elsewhere for _, one in judge.asked] == [False, True, True, False]
    assert [one.model for one in run.machine.ledger.attempts] == [MODERN, MODERN, "b", "c", "c"]


def test_the_next_model_is_asked_after_a_rejection() -> None:
    """A fallback that refuses is left for the next, while there are attempts; then the failure before is raised."""
    models = ({"model": "b"}, {"model": "c"})
    run = drive(machine(fallback_models=models), serve(DOWN, DOWN, DENIED, SCRIPT.stream()))
    assert [one.model for one in run.machine.ledger.attempts] == [MODERN, MODERN, "b", "c"]
    assert run.heard.text == PROSE
    limits: list[dict[str, Any]] = [{}, {"max_attempts": 3}]
    for limit in limits:
        run = drive(machine(fallback_models=models, **limit), serve(DOWN, DOWN, DENIED))
        assert raised(run) == DOWN
        assert len(run.sends) == (3 if limit else 4)
    blocked = drive(machine(fallback_models=models, continuation="never"), serve(CUT))
    assert raised(blocked) == RESET


# -- no way on --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (REQUEST | {"output_config": {"format": {"type": "json_schema"}}}, {}),
        (REQUEST | {"thread": {"type": "create"}}, {}),
        (REQUEST, {"continuation": "restart_only"}),
        (REQUEST, {"continuation": "never"}),
    ],
)
def test_where_nothing_can_follow_the_stream_gives_up(request_: Json, fields: Json) -> None:
    """With the reason; the judge is not asked."""
    judge = Patient()
    run = drive(machine(request_, judge=judge, **fields), lambda send: CUT)
    assert (raised(run), judge.asked, len(run.sends)) == (RESET, [], 1)
    assert run.machine.ledger.reason


def test_never_is_never_once_a_reply_has_begun() -> None:
    """Before the head the same request is still sent again."""
    run = drive(machine(continuation="never"), serve(DOWN, Body([start()], RESET), SCRIPT.stream()))
    assert (raised(run), len(run.sends)) == (RESET, 2)


def test_input_has_a_cap() -> None:
    """The policy is told when attempts together have billed more than it allows."""
    big = Body([start(usage={"input_tokens": 30_000, "output_tokens": 1})], RESET)
    judge = Patient(99)
    run = drive(machine(judge=judge), lambda send: big)
    assert [told.overspent for _, told in judge.asked] == [False] * 5 + [True]
    assert len(run.sends) == 6
    assert len(drive(machine(judge=Patient(20), max_input_multiple=None), lambda send: big).sends) == 20


class Tired(Patient):
    """A judge who lets nobody send any more."""

    def turn(self, now: float) -> GiveUp:
        """It is never the stream's turn."""
        return GiveUp("nobody's turn")


def test_before_any_failure_there_is_no_turn_to_give_up() -> None:
    """A turn is waited for after a failure; a driver that asks for one before is wrong."""
    with pytest.raises(RuntimeError, match="no failure"):
        machine(judge=Tired()).waited(0.0)
