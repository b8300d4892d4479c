"""The machine: what happened to what to do next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest
from anthropic.types import StopReason
from anthropic.types.beta import BetaStopReason

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import DRAIN_PATIENCE, Machine
from resilient_stream._core.loop.states import Drain, Finish, Raise, Read, Send, State, Wait
from resilient_stream._core.plan.planner import Step
from resilient_stream._core.plan.quote import quote
from resilient_stream._core.seam.joined import Joined
from tests.core.support import (
    CALL,
    CODE,
    ERROR,
    MODERN,
    OTHER_CALL,
    PING,
    PREFILLED,
    PROSE,
    REQUEST,
    RESET,
    SEARCH,
    STOP,
    THOUGHT,
    Body,
    Broken,
    Json,
    Patient,
    Run,
    Script,
    block,
    block_start,
    block_stop,
    drive,
    ending,
    frame,
    machine,
    message,
    once_cut,
    serve,
    start,
    text,
    text_delta,
    whole,
)

SCRIPT = Script((text(PROSE),))
HEAD = b"".join([start(), block_start(0, text("")), text_delta(0, PROSE[:70])])
CUT = Body([HEAD], RESET)
PREFILL = REQUEST | {"model": PREFILLED}
DOWN = Failure(Kind.OVERLOADED, Phase.HEADERS, status=529, request_id="req_down")
BAD = Failure(Kind.REJECTED, Phase.HEADERS, status=400)
DENIED = Failure(Kind.REJECTED, Phase.HEADERS, status=403)
DONE = b"".join([ending(), STOP])
REASONS = sorted({*get_args(StopReason), *get_args(BetaStopReason), "compaction", "a_new_one"})
"""Every stop reason that the SDK knows, GA and beta, and one that it does not."""


def answer(*contents: Json, reason: str = "end_turn", **opening: Any) -> bytes:
    """A later message."""
    return message(contents, reason, ping=False, id="msg_later", **opening)


def raised(run: Run) -> Failure:
    """The failure that was raised."""
    assert isinstance(run.last, Raise)
    assert run.last.failure is run.machine.failure
    assert isinstance(run.last.error, Broken)
    assert run.last.error.failure == run.last.failure
    return run.last.failure


# -- the ordinary ways ---------------------------------------------------------------------------


def test_a_stream_without_faults_is_one_attempt() -> None:
    """Sent once, read, drained, finished."""
    made = machine(first_event_timeout=9.0, silence_timeout=7.0)
    action = made.start(0.0)
    assert isinstance(action, Send)
    assert (action.plan.body, action.number, action.patience) == (None, 1, 9.0)
    assert made.head(0.0, 200, "req_1") == Read(7.0)
    assert made.data(1.0, message([text("Hi.")]), 1.0) == Drain(DRAIN_PATIENCE)
    assert made.data(1.0, b"", 0.0) == Drain(DRAIN_PATIENCE)
    assert made.end(1.0) == Finish()
    attempt = made.attempt
    assert (attempt.status, attempt.request_id, attempt.message_id, attempt.failure) == (
        200,
        "req_1",
        "msg_first",
        None,
    )
    assert (attempt.started, attempt.ended, attempt.characters, attempt.usage_source) == (
        0.0,
        1.0,
        3,
        "reported",
    )


@pytest.mark.parametrize("wait", [0.0, 1.5])
def test_a_wait_is_waited_before_the_next_attempt(wait: float) -> None:
    """And told in the ledger; none at all is no action of its own."""
    judge = Patient(wait=wait)
    run = drive(machine(judge=judge), serve(DOWN, CUT, SCRIPT.stream()))
    assert run.waits == ([wait, wait] if wait else [])
    assert [one.wait for one in run.machine.ledger.attempts] == [0.0, wait, wait]
    failed = run.machine.ledger.attempts[0]
    assert (failed.status, failed.request_id, failed.usage_source) == (529, "req_down", "unknown")


def test_the_judge_is_told_the_history() -> None:
    """When it began, what time it is, how many attempts, and how many in a row brought nothing new."""
    made = machine(judge=(judge := Patient(9)))
    made.start(10.0)
    made.fault(11.0, DOWN)
    made.fault(12.0, DOWN)
    made.head(0.0, 200, None)
    made.data(13.0, HEAD, 1.0)
    made.fault(14.0, RESET)
    made.fault(15.0, DOWN)
    told = [(one.started, one.now, one.attempts, one.barren) for _, one in judge.asked]
    assert told == [(10.0, 11.0, 1, 1), (10.0, 12.0, 2, 2), (10.0, 14.0, 3, 0), (10.0, 15.0, 4, 1)]


def test_giving_up_raises_the_last_failure_with_a_note() -> None:
    """The note has numbers and no content."""
    run = drive(machine(judge=Patient(3)), lambda send: CUT if send.number == 1 else DOWN)
    assert raised(run).kind is Kind.OVERLOADED
    assert run.outcome == "failed"
    assert run.machine.ledger.reason == "enough"
    assert isinstance(run.last, Raise)
    (note,) = run.last.error.__notes__
    assert "3 attempts" in note
    assert "70 characters" in note
    assert "Tides" not in note


@pytest.mark.parametrize("state", ["idle", "opening", "reading", "waiting", "draining"])
def test_a_closed_stream_is_cancelled(state: str) -> None:
    """Unless it was complete; the failure that a wait was for is kept, and seams are told once."""
    made = machine(judge=Patient(wait=1.0))
    if state != "idle":
        made.start(0.0)
    if state in ("reading", "waiting", "draining"):
        made.head(0.0, 200, None)
        made.data(0.0, HEAD if state != "draining" else SCRIPT.stream(), 0.0)
    if state == "waiting":
        made.fault(0.0, RESET)
    assert made.close(5.0) == Finish()
    assert made.state is State.DONE
    assert made.ledger.outcome == ("completed" if state == "draining" else "cancelled")
    failures = [one.failure and (one.failure.kind, one.failure.phase) for one in made.ledger.attempts]
    assert (
        failures
        == {
            "idle": [],
            "opening": [(Kind.CANCELLED, Phase.HEADERS)],
            "reading": [(Kind.CANCELLED, Phase.BODY)],
            "waiting": [(Kind.RESET, Phase.BODY)],
            "draining": [None],
        }[state]
    )
    assert made.close(6.0) == Finish()


# -- complete or not -----------------------------------------------------------------------------


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize(
    "after",
    [
        Body([]),
        Body([], RESET),
        Body([ERROR]),
        Body([b"event: x\ndata: {\n\n"]),
        Body([start()]),
        Body([block_start(1, text(""))], RESET),
        Body([STOP[:-3]]),
        Body([STOP[:-1]]),
        Body([PING, ending(None), b"event: message_st"]),
        Body([], Failure(Kind.STALLED, Phase.BODY)),
    ],
)
def test_a_stop_reason_completes_whatever_follows(reason: str, after: Body) -> None:
    """The missing message_stop is supplied, no request is made, and no fault of the socket's matters."""
    first = b"".join([start(), *block(0, text("All of it.")), ending(reason)])
    run = drive(machine(), lambda send: Body([first, *after.chunks], after.ends))
    whole(run.heard)
    assert (run.heard.text, run.heard.stop_reason, run.forms) == ("All of it.", reason, ["first"])
    assert (run.outcome, run.machine.attempt.failure) == ("completed", None)


@pytest.mark.parametrize("reason", REASONS)
def test_a_stop_reason_of_a_continuation_is_the_messages(reason: str) -> None:
    """It is handed on as it came, and nothing is asked behind it."""
    later = message([text(PROSE[70 - 60 : 70] + " And so on.")], reason, id="msg_later")
    run = drive(machine(), serve(CUT, later))
    whole(run.heard)
    assert (run.heard.stop_reason, len(run.sends), run.outcome) == (reason, 2, "completed")


@pytest.mark.parametrize("reason", REASONS)
def test_a_continuation_that_brings_nothing_may_say_why(reason: str) -> None:
    """An ending that explains nothing is asked for once more; any other is believed at once."""
    empty = b"".join([start(id="x"), ending(reason), STOP])
    run = drive(machine(), serve(CUT, empty))
    whole(run.heard)
    assert (run.heard.stop_reason, run.heard.text) == (reason, PROSE[:70])
    assert len(run.sends) == (3 if reason in ("end_turn", "stop_sequence", "max_tokens") else 2)


@pytest.mark.parametrize("last", [[], [STOP], [ending(None), STOP], [ending(None)]])
def test_without_a_stop_reason_nothing_is_complete(last: list[bytes]) -> None:
    """A clean end, or a message_stop alone, is truncated, never a success."""
    first = b"".join([start(), *block(0, text(PROSE)), *last])
    run = drive(machine(judge=Patient(1)), lambda send: Body([first]))
    assert raised(run).kind is Kind.TRUNCATED
    assert not run.heard.stopped


def test_a_refusal_of_a_continuation_is_passed_through() -> None:
    """With its details; never continued."""
    refused = b"".join([start(id="x"), ending("refusal", stop_details={"category": "cyber"}), STOP])
    run = drive(machine(unverified="refuse"), serve(CUT, refused))
    assert (run.heard.stop_reason, run.heard.delta["stop_details"]) == ("refusal", {"category": "cyber"})
    assert (run.heard.text, len(run.sends)) == (PROSE[:70], 2)


# -- tools ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", [None, RESET, DOWN])
def test_complete_calls_end_the_turn(ends: Failure | None) -> None:
    """No request, no verdict; usage estimated and marked; what was cut behind them is closed and abandoned."""
    judge = Patient()
    frames = [
        start(),
        *block(0, text("I look.")),
        *block(1, CALL),
        *block(2, OTHER_CALL),
        *block(3, THOUGHT)[:3],
    ]
    run = drive(machine(judge=judge), lambda send: Body([b"".join(frames)], ends))
    whole(run.heard)
    assert (run.outcome, run.heard.stop_reason, len(run.sends), judge.asked) == (
        "finished_with_tools",
        "tool_use",
        1,
        [],
    )
    assert [one["input"] for one in run.heard.of_type("tool_use")] == [CALL["input"], OTHER_CALL["input"]]
    assert run.machine.turn.abandoned == [3]
    assert run.machine.attempt.usage_source == "estimated"
    assert run.heard.usage["input_tokens"] == 25
    assert run.heard.usage["output_tokens"] > 10
    assert run.machine.ledger.resumed


def test_a_turn_finished_late_has_the_usage_of_the_attempt_that_served() -> None:
    """Not that of the first."""
    later = b"".join([start(id="x", usage={"input_tokens": 99, "output_tokens": 1}), *block(0, CALL)])
    run = drive(machine(), serve(CUT, Body([later], RESET)))
    assert run.outcome == "finished_with_tools"
    assert run.heard.usage["input_tokens"] == 99
    assert [one["input_tokens"] for one in run.heard.usage["iterations"]] == [25, 99]
    assert run.heard.usage["output_tokens"] < 30


def test_a_call_without_proof_is_the_policys_question() -> None:
    """Accepted and reported, or refused with the partial."""
    call = b"".join([start(id="x"), *block(0, CALL), ending("tool_use"), STOP])
    run = drive(machine(), serve(CUT, call))
    assert [(one.joined, one.verified) for one in run.machine.ledger.seams] == [(Joined.AS_IS, False)]
    assert run.outcome == "completed"
    run = drive(machine(unverified="refuse"), serve(CUT, call))
    assert run.outcome == "failed"
    assert not run.heard.of_type("tool_use")


def test_tools_with_side_effects_do_not_run_twice() -> None:
    """Cut without a result the stream gives up; a harmless one is dropped and marked, and runs again."""
    head = b"".join([start(), *block(0, text(PROSE[:50]))])
    run = drive(machine(), lambda send: Body([head, *block(1, CODE)], RESET))
    assert raised(run).kind is Kind.RESET
    assert "side effects" in run.machine.ledger.reason
    assert run.machine.turn.abandoned == [1]
    run = drive(
        machine(),
        lambda send: (
            Body([head, *block(1, SEARCH)], RESET) if send.number == 1 else answer(text(PROSE[:50] + "!"))
        ),
    )
    assert (run.outcome, run.machine.turn.abandoned) == ("completed", [1])
    unseen = Body([start(), *block(0, CODE)[:-1]], RESET)
    held = frozenset({"tool_use", "server_tool_use"})
    assert drive(machine(hold=held), lambda send: unseen).outcome == "failed"
    again = drive(machine(hold=held, rerun_server_tools=True), serve(unseen, SCRIPT.stream()))
    assert (again.outcome, again.forms) == ("completed", ["first", "restart"])


# -- barren continuations ------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["end_turn", "stop_sequence"])
@pytest.mark.parametrize(
    "nothing",
    [[], [THOUGHT], [text("")], [text(" \n")], [text(quote(PROSE[:70])[:10])]],
    ids=["none", "thought", "empty", "blank", "part"],
)
def test_nothing_is_asked_once_more_then_believed(nothing: list[Json], reason: str) -> None:
    """A continuation without news is barren; the second ends the message, unverified."""
    judge = Patient()
    run = drive(
        machine(judge=judge), lambda send: CUT if send.number == 1 else answer(*nothing, reason=reason)
    )
    whole(run.heard)
    assert (run.heard.text, run.heard.stop_reason, len(run.sends)) == (PROSE[:70], reason, 3)
    assert [history.barren for _, history in judge.asked] == [0, 1]
    assert judge.asked[1][0].detail == "the continuation brought nothing"
    assert [(one.joined, one.verified) for one in run.machine.ledger.seams] == [(Joined.AS_IS, False)]


def test_thinking_that_ate_the_limit_gets_the_original_one() -> None:
    """Thinking only and max_tokens: the next try is not reduced; the one after an end_turn is again."""
    long = "word " * 2000
    head = Body([start(), block_start(0, text("")), text_delta(0, long + "end")], RESET)
    request = REQUEST | {"max_tokens": 20_000}
    replies: list[Any] = [
        head,
        answer(THOUGHT, reason="max_tokens"),
        answer(THOUGHT),
        answer(reason="max_tokens"),
    ]
    run = drive(machine(request), serve(*replies))
    tokens = [send.plan.body["max_tokens"] for send in run.sends[1:] if send.plan.body]
    assert tokens[0] < 20_000
    assert tokens[1:] == [20_000, tokens[0]]
    assert (run.outcome, run.heard.stop_reason) == ("completed", "max_tokens")


def test_a_prefill_that_ends_at_once_is_asked_again() -> None:
    """It may be complete, but nothing proves it."""
    run = drive(machine(PREFILL), lambda send: CUT if send.number == 1 else answer())
    assert (run.forms, run.outcome) == (["first", "prefill", "prefill"], "completed")


def test_a_barren_ending_without_its_blank_line_is_barren_once() -> None:
    """What was cut behind the ending is read once, and asked again like any other."""
    cut = Body([b"".join([start(id="x"), ending()])[:-1]], RESET)
    run = drive(machine(), serve(CUT, cut, answer(text(quote(PROSE[:70]) + "!"))))
    assert (run.outcome, run.heard.text, len(run.sends)) == ("completed", PROSE[:70] + "!", 3)


def test_a_continuation_behind_a_result_may_be_barren_too() -> None:
    """Where no text is joined, nothing is nothing all the same."""
    found = {"type": "web_search_tool_result", "tool_use_id": SEARCH["id"], "content": []}
    head = b"".join([start(), *block(0, SEARCH), *block(1, found)])
    run = drive(machine(), lambda send: Body([head], RESET) if send.number == 1 else answer())
    assert len(run.sends) == 3
    assert run.machine.ledger.seams == []
    whole(run.heard)


def test_a_restart_may_be_empty() -> None:
    """It is the user's own request, and an empty answer is one; on another model too."""
    assert drive(machine(), serve(Body([start()], RESET), answer())).forms == ["first", "restart"]
    fallen = drive(machine(fallback_models=({"model": "b"},)), serve(DOWN, DOWN, answer()))
    assert (fallen.forms, fallen.outcome) == (["first", "restart", "restart"], "completed")


# -- unverified ----------------------------------------------------------------------------------


def stubborn(send: Send) -> Any:
    """A model that goes on without the fragment."""
    return CUT if send.number == 1 else answer(text(" and then."))


def test_an_unverified_seam_is_accepted_and_reported() -> None:
    """By default."""
    run = drive(machine(), stubborn)
    assert run.heard.text == PROSE[:70] + " and then."
    (seam,) = run.machine.ledger.seams
    assert (seam.attempt, seam.at, seam.joined, seam.trimmed, seam.verified) == (
        2,
        70,
        Joined.AS_IS,
        0,
        False,
    )


def test_an_unverified_seam_is_refused() -> None:
    """At once, with the partial, and nothing of it handed over."""
    judge = Patient()
    run = drive(machine(judge=judge, unverified="refuse"), stubborn)
    assert (raised(run).kind, len(run.sends), run.heard.text) == (Kind.PROTOCOL, 2, PROSE[:70])
    assert "refuses" in run.machine.ledger.reason
    assert len(judge.asked) == 1


def test_an_unverified_seam_is_asked_for_once_more() -> None:
    """Then refused; or verified by then."""
    run = drive(machine(unverified="ask"), stubborn)
    assert (raised(run).kind, len(run.sends), run.heard.text) == (Kind.PROTOCOL, 3, PROSE[:70])
    run = drive(
        machine(unverified="ask"),
        lambda send: stubborn(send) if send.number < 3 else SCRIPT.answer(send.plan),
    )
    assert (run.outcome, run.heard.text) == ("completed", PROSE)


@pytest.mark.parametrize(("unverified", "sends"), [("accept", 3), ("ask", 3), ("refuse", 2)])
def test_another_answer_is_asked_for_once_more_and_never_joined(unverified: str, sends: int) -> None:
    """Whatever the policy accepts without proof: here it is proved that the text belongs elsewhere."""
    other = PROSE[:60] + "or so it was said by those who had never looked."
    run = drive(machine(unverified=unverified), lambda send: CUT if send.number == 1 else answer(text(other)))
    assert (raised(run).kind, len(run.sends), run.heard.text) == (Kind.PROTOCOL, sends, PROSE[:70])
    assert "another answer" in run.machine.ledger.reason
    run = drive(
        machine(unverified="accept"),
        lambda send: (
            (CUT, answer(text(other)))[send.number - 1] if send.number < 3 else SCRIPT.answer(send.plan)
        ),
    )
    assert (run.outcome, run.heard.text) == ("completed", PROSE)


@pytest.mark.parametrize("poor", [answer(), answer(text(" and then."))], ids=["nothing", "unproved"])
def test_each_seam_is_asked_for_once_more(poor: bytes) -> None:
    """What one seam has cost is forgotten once it is joined."""

    def often(send: Send) -> Any:
        if send.number % 2 == 0:
            return poor
        whole_ = SCRIPT.answer(send.plan)
        return Body([whole_[: 100 * send.number + 500]], RESET) if send.number < 5 else whole_

    run = drive(machine(unverified="ask"), often)
    assert (run.outcome, run.heard.text, len(run.sends)) == ("completed", PROSE, 5)


# -- stepping down -------------------------------------------------------------------------------


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


# -- no way on -----------------------------------------------------------------------------------


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


# -- clocks --------------------------------------------------------------------------------------


def reading(**fields: Any) -> Machine:
    """A machine that reads, with short clocks."""
    clocks: Json = {"first_event_timeout": 10.0, "silence_timeout": 4.0, "stall_timeout": 20.0}
    made = machine(judge=Patient(9, wait=1.0), **clocks | fields)
    made.start(0.0)
    made.head(0.0, 200, None)
    return made


def test_pings_are_no_events() -> None:
    """They end a silence, never a wait for the first event or a stall."""
    made = reading()
    assert made.data(3.0, PING, 3.0) == Read(4.0)
    assert made.data(7.0, PING, 4.0) == Read(3.0)
    assert isinstance(made.data(10.0, PING, 3.0), Wait)
    assert made.attempt.failure is not None
    assert (made.attempt.failure.kind, made.attempt.failure.detail) == (
        Kind.STALLED,
        "no event for 10 s (first_event_timeout)",
    )
    assert isinstance(send := made.waited(11.0), Send)
    assert send.patience == 20.0


def test_an_event_starts_the_stall_clock_anew() -> None:
    """After it, silence and stall count."""
    made = reading()
    assert made.data(3.0, HEAD, 3.0) == Read(4.0)
    assert made.data(15.0, PING, 18.0) == Read(2.0)
    assert made.data(15.0, text_delta(0, "a"), 1.0) == Read(4.0)
    made.data(16.0, PING, 17.0)
    made.fault(19.0, Failure(Kind.SILENT, Phase.BODY))
    assert made.attempt.failure is not None
    assert (made.attempt.failure.kind, made.attempt.failure.detail) == (
        Kind.STALLED,
        "no event for 20 s (stall_timeout)",
    )
    made.waited(20.0)
    made.head(20.0, 200, None)
    made.data(21.0, start(id="x"), 0.0)
    assert made.data(50.0, PING, 39.0) == Read(1.0)


def test_the_first_event_is_waited_for_since_the_request() -> None:
    """What the head took is spent; a silence behind it is none the less a silence."""
    made = machine(judge=Patient(9, wait=1.0), first_event_timeout=10.0, silence_timeout=4.0)
    made.start(1.0)
    assert made.head(8.0, 200, None) == Read(3.0)
    made.fault(11.0, Failure(Kind.SILENT, Phase.BODY))
    assert made.attempt.failure is not None
    assert (made.attempt.failure.kind, made.attempt.failure.detail) == (
        Kind.SILENT,
        "no byte for 3 s (first_event_timeout)",
    )


def test_silence_doubles_for_the_next_attempt() -> None:
    """What was taken for death may have been a long thought."""
    made = reading()
    made.fault(4.0, Failure(Kind.SILENT, Phase.BODY))
    made.waited(5.0)
    assert made.head(5.0, 200, None) == Read(8.0)
    made.fault(13.0, Failure(Kind.SILENT, Phase.BODY))
    made.waited(14.0)
    assert made.head(14.0, 200, None) == Read(10.0)


def test_the_consumers_own_time_never_counts() -> None:
    """Hours between two reads are no stall: only what is spent reading is."""
    made = reading()
    for hour in range(1, 5):
        assert made.data(hour * 3600.0, text_delta(0, "a") if hour > 1 else HEAD, 0.1) == Read(4.0)
        assert made.data(hour * 3600.0 + 1000, PING, 0.1).__class__ is Read
    assert made.ledger.attempts[0].failure is None


def short_way(action: object) -> Callable[[bytes], bytes | None]:
    """The short way that a read offers."""
    assert isinstance(action, Read)
    assert action.quick is not None
    return action.quick


def test_the_short_way_is_for_the_deltas_of_a_steady_stream() -> None:
    """In one piece or in two; whatever else comes goes the long way."""
    made = reading()
    made.data(0.0, HEAD, 0.0)
    action = made.data(0.0, text_delta(0, "a"), 0.0)
    made.take()
    assert short_way(action)(text_delta(0, "b")) == text_delta(0, "b")
    assert short_way(action)(text_delta(0, "c")[:20]) == b""
    action = made.data(0.0, b"", 0.1)
    assert short_way(action)(text_delta(0, "c")[20:]) == text_delta(0, "c")
    assert short_way(action)(block_stop(0)) is None
    assert made.turn.blocks[0].text.endswith("abc")
    assert made.take() == b""


def test_events_on_the_short_way_start_the_stall_clock_anew() -> None:
    """Though nobody tells the machine of them: only what was waited for since the last one counts."""
    made = reading(stall_timeout=40.0)
    made.data(0.0, HEAD, 0.0)
    action = made.data(0.0, text_delta(0, "a"), 0.0)
    for now in (3.0, 33.0, 63.0):
        action = made.data(now, PING, 30.0)
        assert action == Read(4.0)
        assert short_way(action)(text_delta(0, "b")) == text_delta(0, "b")
    assert made.data(73.0, PING, 39.0) == Read(1.0)
    made.fault(74.0, Failure(Kind.SILENT, Phase.BODY))
    assert made.attempt.failure is not None
    assert (made.attempt.failure.kind, made.attempt.gap) == (Kind.STALLED, 39.0)


# -- nothing is lost -----------------------------------------------------------------------------


@pytest.mark.parametrize("wait", [0.0, 1.0])
def test_text_and_fault_in_one_chunk_lose_nothing(wait: float) -> None:
    """What came before an error in the same chunk is handed over, though the next attempt begins at once."""
    made = machine(judge=Patient(wait=wait))
    run = drive(made, lambda send: Body([HEAD + ERROR]) if send.number == 1 else SCRIPT.answer(send.plan))
    assert run.heard.text == PROSE
    assert run.sends[1].plan.asked is not None
    assert run.machine.ledger.attempts[0].failure == Failure(
        Kind.OVERLOADED, Phase.BODY, in_band=True, detail="overloaded_error"
    )


def test_an_error_told_with_the_last_breath_is_the_reason() -> None:
    """Though the connection broke before its blank line."""
    run = drive(machine(judge=Patient(1)), lambda send: Body([HEAD, ERROR[:-1]], RESET))
    assert raised(run).kind is Kind.OVERLOADED


def test_nothing_is_read_behind_a_gap() -> None:
    """A corrupt frame is followed by nothing, not even by a whole frame in the same chunk."""
    chunk = HEAD + b"event: x\ndata: {\n\n" + text_delta(0, "LATER")[:-1]
    run = drive(machine(), lambda send: Body([chunk]) if send.number == 1 else SCRIPT.answer(send.plan))
    assert run.heard.text == PROSE


def test_the_first_id_and_the_serving_usage_are_kept() -> None:
    """Of the message that was begun; with every attempt among the iterations."""
    run = drive(machine(), once_cut(SCRIPT, CUT))
    assert run.heard.id == "msg_first"
    assert run.heard.usage["output_tokens"] == 20
    assert [one["output_tokens"] for one in run.heard.usage["iterations"]] == [20, 20]
    assert [one.usage_source for one in run.machine.ledger.attempts] == ["estimated", "reported"]
    assert [one.message_id for one in run.machine.ledger.attempts] == ["msg_first", "msg_later"]
    total = drive(machine(usage="total"), once_cut(SCRIPT, CUT))
    assert total.heard.usage["input_tokens"] == 50


def test_each_number_of_the_serving_attempt_is_the_last_that_was_told() -> None:
    """Over its message_start and several message_deltas, null or not; cache fields too, and no false zero."""

    def told(stop_reason: str | None, **usage: Any) -> bytes:
        return frame({"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": usage})

    later = [
        start(id="x", usage={"input_tokens": 9, "cache_read_input_tokens": 400, "output_tokens": 1}),
        *block(0, text(PROSE[10:70] + " And so on.")),
        told(None, output_tokens=5, input_tokens=None, server_tool_use={"web_search_requests": 1}),
        told("end_turn", output_tokens=8, input_tokens=11),
        told(None, output_tokens=12),
        STOP,
    ]
    for mode, output in (("serving", 12), ("total", 32)):
        run = drive(machine(usage=mode), serve(CUT, b"".join(later)))
        usage = run.heard.usage
        serving = usage.pop("iterations")[1]
        assert (serving["output_tokens"], serving["input_tokens"]) == (12, 11)
        assert usage == {
            "input_tokens": 11 if mode == "serving" else 36,
            "cache_read_input_tokens": 400,
            "output_tokens": output,
            "server_tool_use": {"web_search_requests": 1},
        }
        assert run.machine.attempt.usage["output_tokens"] == 12


def test_an_echo_with_characters_in_halves_is_cut() -> None:
    """However the wire splits them."""
    said = "The tide was strong, and the fish \U0001f41f swam against it for hours."
    head = Body([start(), block_start(0, text("")), text_delta(0, said)], RESET)

    def reply(send: Send) -> Any:
        if send.number == 1:
            return head
        quoted = send.plan.asked.quote if send.plan.asked else ""
        assert "\U0001f41f" in quoted
        wide = quoted.encode("utf-16-le")
        units = [wide[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(wide), 2)]
        pieces = [text_delta(0, one) for one in [*units, " Then it slept."]]
        return b"".join([start(id="x"), block_start(0, text("")), *pieces, block_stop(0), DONE])

    run = drive(machine(), reply)
    assert run.heard.text == said + " Then it slept."


def test_signed_thinking_is_not_followed_by_thinking_of_another_attempt() -> None:
    """A restart hides its own once signed thinking was handed over, and shows it before."""
    thought = block(0, THOUGHT)
    signed = Body([start(), *thought, *block(1, SEARCH)], RESET)
    run = drive(machine(), serve(signed, answer(THOUGHT, text("So."))))
    assert [one["type"] for one in run.heard.blocks] == ["thinking", "server_tool_use", "text"]
    unsigned = Body([start(), *thought], RESET)
    run = drive(machine(), serve(unsigned, answer(THOUGHT, text("So."))))
    assert [one.get("signature") for one in run.heard.blocks] == ["", THOUGHT["signature"], None]
    assert run.machine.turn.abandoned == [0]
