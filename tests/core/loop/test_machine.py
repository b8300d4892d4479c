"""The machine: what happened to what to do next."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.draining import DRAIN_PATIENCE
from resilient_stream._core.loop.states import Drain, Finish, Raise, Read, Send, State
from tests.support.broken import CUT, DONE, DOWN, HEAD, SCRIPT, answer, raised
from tests.support.contents import PROSE, SEARCH, THOUGHT, text
from tests.support.machines import RESET, Body, Patient, drive, machine, once_cut, serve
from tests.support.streams import (
    ERROR,
    STOP,
    block,
    block_start,
    block_stop,
    delta,
    frame,
    message,
    start,
    text_delta,
)

# -- the ordinary ways ------------------------------------------------------------------------------


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


THINKS = block_start(0, {"type": "thinking", "thinking": ""}) + delta(
    0, type="thinking_delta", thinking="Hm. " * 9
)
SEARCHES = b"".join(block(0, SEARCH))


@pytest.mark.parametrize("before", [b"", b"".join(block(0, text(PROSE)))])
@pytest.mark.parametrize(
    "cut", [THINKS, SEARCHES, b"".join(block(0, THOUGHT))], ids=["thought", "search", "signed"]
)
def test_what_is_abandoned_is_no_progress(before: bytes, cut: bytes) -> None:
    """A stream that dies in every thought, or in every search, has brought nothing new each time: it waits, and
    its attempts in a row are counted."""
    judge = Patient(6)
    behind = cut.replace(b'"index": 0', b'"index": 1')  # the second block of the first attempt
    first = Body([start() + before + (behind if before else cut)], RESET)
    run = drive(
        machine(judge=judge), lambda send: first if send.number == 1 else Body([start() + cut], RESET)
    )
    assert [one.barren for _, one in judge.asked] == list(range(not before, 6 + (not before)))
    assert run.machine.turn.blocks
    assert run.outcome == "failed"


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


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.BUDGET, Kind.CANCELLED)])
def test_an_exception_names_the_page_of_its_kind(kind: Kind) -> None:
    """Of the failure that is raised, which a rejected continuation is not; the two kinds left out are never raised."""
    failure = Failure(kind, Phase.BODY)
    run = drive(machine(judge=Patient(0)), lambda send: Body([HEAD], failure))
    assert isinstance(run.last, Raise)
    (note,) = run.last.error.__notes__
    assert note.partition(" What to do: ")[2].partition(" ")[0] == f"{kind.page}."
    rejected = Failure(Kind.REJECTED, Phase.HEADERS, status=403)
    run = drive(machine(), lambda send: Body([HEAD], failure) if send.number == 1 else rejected)
    assert isinstance(run.last, Raise)
    assert run.last.error.__notes__[0].count(kind.page) == 1


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


# -- nothing is lost --------------------------------------------------------------------------------


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


def test_usage_has_the_last_number_of_the_serving_attempt() -> None:
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


def test_thinking_of_two_attempts_is_not_mixed() -> None:
    """A restart hides its own once signed thinking was handed over, and shows it before."""
    thought = block(0, THOUGHT)
    signed = Body([start(), *thought, *block(1, SEARCH)], RESET)
    run = drive(machine(), serve(signed, answer(THOUGHT, text("So."))))
    assert [one["type"] for one in run.heard.blocks] == ["thinking", "server_tool_use", "text"]
    unsigned = Body([start(), *thought], RESET)
    run = drive(machine(), serve(unsigned, answer(THOUGHT, text("So."))))
    assert [one.get("signature") for one in run.heard.blocks] == ["", THOUGHT["signature"], None]
    assert run.machine.turn.abandoned == [0]
