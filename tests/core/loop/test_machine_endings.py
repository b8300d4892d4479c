"""When a message is complete, and when its tool calls end it."""

from __future__ import annotations

from typing import get_args

import pytest
from anthropic.types import StopReason
from anthropic.types.beta import BetaStopReason

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.states import Finish
from resilient_stream._core.seam.joined import Joined
from tests.support.broken import CUT, DOWN, SCRIPT, answer, raised
from tests.support.consumer import whole
from tests.support.contents import CALL, CODE, OTHER_CALL, PROSE, SEARCH, THOUGHT, text
from tests.support.machines import RESET, Body, Patient, drive, machine, serve
from tests.support.streams import (
    ERROR,
    PING,
    STOP,
    Json,
    block,
    block_start,
    ending,
    message,
    start,
)

REASONS = sorted({*get_args(StopReason), *get_args(BetaStopReason), "compaction", "a_new_one"})
"""Every stop reason that the SDK knows, GA and beta, and one that it does not."""


# -- complete or not --------------------------------------------------------------------------------


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


# -- tools ------------------------------------------------------------------------------------------


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


def test_a_turn_finished_late_has_the_serving_usage() -> None:
    """Its usage is that of the attempt that served, not that of the first."""
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


# -- what is broken the same way twice --------------------------------------------------------------

NO_REASON = {"no message_delta": [STOP], "null": [ending(None), STOP]}
STORY = (
    "The keeper woke before dawn because the lamp had gone quiet. He climbed the steps and sat down to wait."
)


@pytest.mark.parametrize("last", NO_REASON)
def test_a_text_told_twice_without_a_reason_is_whole(last: str) -> None:
    """A continuation that tells the end of the text again, and ends without a reason too, shows that it is whole.
    No reason is made up; the report says by what the end was known."""
    end = b"".join(NO_REASON[last])
    first = b"".join([start(), *block(0, text(STORY))]) + end
    again = b"".join([start(id="x"), *block(0, text(STORY[-60:]))]) + end
    run = drive(machine(), serve(first, again), strict=False)
    assert (run.outcome, len(run.sends), run.machine.attempt.inferred) == ("completed", 2, True)
    assert run.machine.turn.blocks[0].text == STORY
    assert (run.machine.turn.stop_reason, run.machine.turn.stopped) == (None, True)
    assert run.out.count(b"event: message_stop") == 1


def test_a_text_that_is_not_evidently_whole_is_not_believed() -> None:
    """In the middle of a sentence an echo alone shows nothing; asked once more, the failure is raised."""
    cut = STORY[:70]
    first = b"".join([start(), *block(0, text(cut)), STOP])
    again = b"".join([start(id="x"), *block(0, text(cut[-60:])), STOP])
    run = drive(machine(), serve(first, again))
    assert raised(run).kind is Kind.TRUNCATED
    assert len(run.sends) == 3
    assert run.machine.ledger.reason == "the reply was broken twice in the same way at the same place"


@pytest.mark.parametrize(
    "broken",
    [
        b"event: x\ndata: {\n\n",
        block_start(7, text("")) + block_start(9, text("")),
        b"<html>\n\n",
        STOP,
    ],
)
def test_the_same_break_twice_ends_the_stream(broken: bytes) -> None:
    """It would be broken a third time, and billed."""
    opening = b"" if broken.startswith(b"<") else start()
    run = drive(machine(), serve(opening + broken))
    assert len(run.sends) == 2
    assert run.outcome == "failed"


@pytest.mark.parametrize("usage", [0, None])
@pytest.mark.parametrize("content", [[], [text("")], [text(" \n")]])
def test_an_answer_of_nothing_is_asked_for_again(content: list[Json], usage: int | None) -> None:
    """Without a token written it is no answer; the second is believed."""
    nothing = message(content, output=usage or 0)
    nothing = nothing if usage == 0 else nothing.replace(b'"usage": {"output_tokens": 0}', b'"usage": null')
    run = drive(machine(), serve(nothing, message([text("Here I am.")])))
    assert (run.heard.text, run.outcome, len(run.sends)) == ("Here I am.", "completed", 2)
    failure = run.machine.ledger.attempts[0].failure
    assert failure is not None and failure.detail == "an empty answer"
    run = drive(machine(), serve(nothing))
    assert (run.heard.stop_reason, run.outcome, len(run.sends)) == ("end_turn", "completed", 2)


@pytest.mark.parametrize("reason", ["max_tokens", "refusal", "stop_sequence", "tool_use"])
def test_another_reason_explains_an_answer_of_nothing(reason: str) -> None:
    """And so do tokens that were written."""
    assert len(drive(machine(), serve(message([], reason, output=0))).sends) == 1
    assert len(drive(machine(), serve(message([], output=3))).sends) == 1


@pytest.mark.parametrize("call", [CALL, THOUGHT, SEARCH])
def test_what_is_no_text_is_an_answer(call: Json) -> None:
    """Whatever the usage says."""
    assert len(drive(machine(), serve(message([call], output=0))).sends) == 1


@pytest.mark.parametrize("fields", [{"continuation": "never"}, {}])
def test_an_answer_of_nothing_must_do_where_nothing_can_be_asked(fields: Json) -> None:
    """It is handed over as it came, not raised as a failure."""
    nothing = message([], output=0)
    run = drive(machine(judge=Patient(1), **fields), serve(nothing))
    assert (run.outcome, len(run.sends), run.heard.stop_reason) == ("completed", 1, "end_turn")
    assert isinstance(run.last, Finish)


def test_an_undecodable_body_is_asked_for_unencoded() -> None:
    """From then on; what can't be decoded then either is not asked for a third time."""
    broken = Failure(Kind.CORRUPT, Phase.BODY, detail="DecodingError", undecodable=True)
    run = drive(machine(), serve(Body([start()], broken), message([text("Here.")])))
    assert [send.identity for send in run.sends] == [False, True]
    assert run.heard.text == "Here."
    run = drive(machine(), serve(Body([start()], broken)))
    assert [send.identity for send in run.sends] == [False, True]
    assert raised(run).kind is Kind.CORRUPT
