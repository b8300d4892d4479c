"""A stream that began in a process that is gone."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.revival import revive
from resilient_stream._core.loop.states import Finish, Raise, Send, Wait
from resilient_stream._core.plan.planner import Form, Planner
from resilient_stream._core.record.ledger import Attempt, Record
from resilient_stream._core.record.lifecycle import What
from resilient_stream._core.wire import events
from resilient_stream._core.wire.sse import Framer
from tests.support.contents import CALL, text
from tests.support.machines import REQUEST, Broken, Patient
from tests.support.settings import settings_with
from tests.support.streams import STOP, block, block_start, block_stop, ending, start, text_delta

WORDS = "The moon pulls the water of the sea, and the sea bulges towards it; "
BEGUN = start() + block_start(0, text("")) + text_delta(0, WORDS)


def record_of(frames: bytes, *attempts: Attempt) -> Record:
    """What a process that is gone had handed over, and tried."""
    record = Record()
    for frame in Framer().feed(frames):
        record.turn.apply(events.read(frame))
    record.ledger.attempts += attempts
    return record


def running(number: int = 1, form: Form = Form.FIRST, **fields: Any) -> Attempt:
    """An attempt that ran when its process ended."""
    return Attempt(number, form, "claude-opus-5", started=5.0, **fields)


def revived(record: Record, judge: Any = None, **fields: Any) -> Machine:
    """A machine of this process, not begun."""
    settings = settings_with(**fields)
    return Machine(Planner(REQUEST, settings), settings, judge or Patient(), Broken, record)


def test_it_goes_on_where_it_was_cut() -> None:
    """The next request continues the turn that was handed over, and the reply is spliced onto it."""
    made = revived(record_of(BEGUN, running()))
    action = revive(made, 20.0, 4.0)
    assert isinstance(action, Send)
    assert (action.number, action.plan.form) == (2, Form.USER_TURN)
    assert WORDS.strip() in str(action.plan.body)
    assert made.take() == b""
    made.head(21.0, 200, "req_2")
    assert action.plan.asked is not None
    made.data(21.0, start() + block_start(0, text("")), 0.0)
    made.data(21.0, text_delta(0, f"{action.plan.asked.quote} and a tide runs round the earth."), 0.0)
    made.data(21.0, block_stop(0) + ending() + STOP, 0.0)
    assert isinstance(made.end(21.0), Finish)
    assert made.turn.blocks[0].text.endswith("towards it; and a tide runs round the earth.")
    assert made.ledger.outcome == "completed"
    assert made.ledger.resumed


def test_the_attempt_that_ran_has_failed_as_if_it_was_reset() -> None:
    """With what it had brought, in the report and in what observers are told."""
    made = revived(record_of(BEGUN, running()))
    revive(made, 20.0, 4.0)
    first = made.ledger.attempts[0]
    assert first.failure is not None
    assert (first.failure.kind, first.failure.phase) == (Kind.RESET, Phase.BODY)
    assert (first.ended, first.characters, first.usage_source) == (20.0, len(WORDS), "estimated")
    notes = made.lifecycle.take()
    assert [what for what, _ in notes] == [What.FAILURE, What.ATTEMPT]
    assert notes[0][1].at == 16.0  # type: ignore[union-attr]  # an attempt's


def test_what_it_had_told_of_its_usage_stays() -> None:
    """Nothing is estimated that is known."""
    known = {"input_tokens": 7, "output_tokens": 3}
    made = revived(record_of(BEGUN, running(usage=dict(known))))
    revive(made, 20.0, 4.0)
    assert made.ledger.attempts[0].usage == known
    assert made.ledger.attempts[0].usage_source == "reported"


def test_a_failed_attempt_is_judged_by_its_own_failure() -> None:
    """The process ended in the wait behind it; it is not failed again."""
    overloaded = Failure(Kind.OVERLOADED, Phase.HEADERS, status=529)
    judge = Patient(wait=3.0)
    made = revived(record_of(b"", running(ended=6.0, failure=overloaded)), judge)
    assert revive(made, 20.0, 4.0) == Wait(3.0)
    assert judge.asked[0][0] is overloaded
    assert made.ledger.attempts[0].ended == 6.0
    assert isinstance(made.waited(23.0), Send)


def test_attempts_of_both_processes_count_together() -> None:
    """For the limits, and in the history that a policy sees."""
    judge = Patient(attempts=3)
    failed = running(ended=6.0, failure=Failure(Kind.RESET, Phase.BODY))
    made = revived(record_of(BEGUN, failed, running(2, Form.USER_TURN, at=len(WORDS))), judge)
    assert isinstance(revive(made, 20.0, 4.0), Send)
    ((_, history),) = judge.asked
    assert (history.attempts, history.started) == (2, 4.0)
    assert isinstance(made.fault(21.0, Failure(Kind.RESET, Phase.HEADERS)), Raise)
    assert len(made.ledger.attempts) == 3


def test_without_content_the_same_request_is_sent_again() -> None:
    """Before the first content, and before the first attempt."""
    for record in (record_of(b"", running()), record_of(b"")):
        action = revive(revived(record), 20.0, 4.0)
        assert isinstance(action, Send)
        assert action.plan.body is None
        assert action.plan.form is (Form.RESTART if action.number == 2 else Form.FIRST)


@pytest.mark.parametrize("rest", [b"", STOP])
def test_a_turn_that_is_complete_is_finished(rest: bytes) -> None:
    """What its ending lacks is supplied; nothing is sent."""
    made = revived(record_of(BEGUN + block_stop(0) + ending() + rest, running()))
    assert isinstance(revive(made, 20.0, 4.0), Finish)
    assert made.take().startswith(b"" if rest else b"event: message_stop")
    assert made.take() == b""
    assert made.ledger.outcome == "completed"


def test_a_turn_with_complete_tool_calls_is_finished_with_them() -> None:
    """As after any other cut."""
    made = revived(record_of(start() + b"".join(block(0, CALL)), running()))
    assert isinstance(revive(made, 20.0, 4.0), Finish)
    assert b'"stop_reason":"tool_use"' in made.take()
    assert made.ledger.outcome == "finished_with_tools"


def test_a_model_that_was_fallen_back_to_is_asked_again() -> None:
    """The planner that is pinned to it begins there."""
    settings = settings_with(fallback_models=("claude-sonnet-5",))
    record = record_of(BEGUN, Attempt(1, Form.FIRST, "claude-sonnet-5", started=5.0))
    made = Machine(Planner(REQUEST, settings, pinned="claude-sonnet-5"), settings, Patient(), Broken, record)
    action = revive(made, 20.0, 4.0)
    assert isinstance(action, Send)
    assert action.plan.body is not None
    assert action.plan.body["model"] == "claude-sonnet-5"
