"""What is kept beside the frames, and a stream made of both."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.progress import Progress, progress_of
from resilient_stream._core.loop.revival import LOST, revive
from resilient_stream._core.loop.states import Finish, Send
from resilient_stream._core.plan.planner import Form, Planner
from resilient_stream._core.record.ledger import Record
from resilient_stream._core.turn.transcript import Turn
from resilient_stream._core.verdict import Limit
from resilient_stream._journal import record
from resilient_stream._journal.record import Kept
from tests.support.contents import text
from tests.support.machines import REQUEST, Broken, Patient
from tests.support.settings import settings_with
from tests.support.streams import STOP, block_start, block_stop, ending, start, text_delta

WORDS = "The moon pulls the water of the sea, and the sea bulges towards it; "
BEGUN = start() + block_start(0, text("")) + text_delta(0, WORDS)


def machine(kept: Record | None = None, **fields: Any) -> Machine:
    """A machine that has not begun."""
    settings = settings_with(**fields)
    return Machine(Planner(REQUEST, settings), settings, Patient(), Broken, kept or Record())


def cut(**fields: Any) -> tuple[Machine, bytes]:
    """A machine whose first attempt was overloaded, whose second brought some text and broke, and whose third runs;
    and what it has handed over."""
    made = machine(**fields)
    made.start(50.0)
    made.fault(51.0, Failure(Kind.OVERLOADED, Phase.HEADERS, status=529, body={"secret": 1}, frame=b"secret"))
    made.head(52.0, 200, "req_2")
    made.data(52.5, BEGUN, 0.0)
    out = made.take()
    made.fault(53.0, Failure(Kind.RESET, Phase.BODY))
    return made, out + made.take()


def again(made: Machine, out: bytes) -> Kept:
    """Its record, written and read."""
    return record.read(record.written(made, 50.0, 1_000.0))


def test_the_record_of_a_stream_is_read_as_it_was_written() -> None:
    """Attempts, seams, outcome and progress; times are those since the call."""
    made, out = cut()
    kept, turned = again(made, out), Record()
    record.refill(turned, kept, record.cut(out), began=200.0, goes_on=False)
    assert kept.began == 1_000.0
    assert kept.progress == progress_of(made)
    for mine, theirs in zip(turned.ledger.attempts, made.ledger.attempts, strict=True):
        assert mine.started == theirs.started + 150.0
        assert mine.ended == (None if theirs.ended is None else theirs.ended + 150.0)
        failure = theirs.failure and replace(theirs.failure, body=None, frame=b"")
        same: dict[str, Any] = {"started": 0.0, "ended": None, "failure": failure}
        assert replace(mine, **same) == replace(theirs, **same)
        assert mine.failure == failure
    assert turned.turn.blocks[0].text == WORDS


def test_nothing_that_the_api_said_is_in_it() -> None:
    """Nor a request or a reply."""
    made, _ = cut()
    assert b"secret" not in record.written(made, 50.0, 1_000.0)
    assert b"moon" not in record.written(made, 50.0, 1_000.0)


def test_a_stream_that_ended_says_how() -> None:
    """With its seams. One that goes on has not ended."""
    made, out = cut()
    action = made._action()
    assert isinstance(action, Send) and action.plan.asked is not None
    made.head(54.0, 200, "req_3")
    reply = (
        start()
        + block_start(0, text(""))
        + text_delta(0, f"{action.plan.asked.quote} and a tide runs round it.")
    )
    made.data(54.0, reply + block_stop(0) + ending() + STOP, 0.0)
    made.ledger.limit, made.ledger.reason = Limit.DEADLINE, "late"
    out += made.take()
    for goes_on in (False, True):
        turned = Record()
        record.refill(turned, again(made, out), record.cut(out), began=50.0, goes_on=goes_on)
        told = (turned.ledger.outcome, turned.ledger.reason, turned.ledger.limit)
        assert told == ((None, "", None) if goes_on else ("completed", "late", Limit.DEADLINE))
        assert turned.ledger.seams == made.ledger.seams != []
        assert turned.turn.stop_reason == "end_turn"


def test_a_stream_without_a_record_has_its_frames() -> None:
    """It was cut before its first request."""
    turned = Record()
    record.refill(turned, record.read(b""), [], began=50.0, goes_on=True)
    assert turned.ledger.attempts == []
    assert record.read(b"") == Kept()


def test_a_stream_goes_on_from_what_was_kept() -> None:
    """As if its attempt had been reset."""
    made, out = cut()
    turned = Record()
    record.refill(turned, again(made, out), record.cut(out), began=200.0, goes_on=True)
    new = machine(turned)
    action = revive(new, 260.0, 200.0, again(made, out).progress)
    assert isinstance(action, Send) and (action.number, action.plan.form) == (4, Form.USER_TURN)
    assert new.ledger.attempts[2].failure == LOST
    assert new._recovery.tries.requests == 3


@pytest.mark.parametrize(
    ("out", "frames"),
    [
        (b"", []),
        (b"a: 1\n\nb: 2\n\n", [b"a: 1\n\n", b"b: 2\n\n"]),
        (b"a: 1\r\n\r\nb: 2", [b"a: 1\r\n\r\n", b"b: 2"]),
        (b"half", [b"half"]),
    ],
)
def test_what_is_handed_over_is_cut_into_frames(out: bytes, frames: list[bytes]) -> None:
    """None of its bytes is lost."""
    assert record.cut(out) == frames


def test_frames_fold_to_the_turn() -> None:
    """That of who was handed them."""
    turn = Turn()
    record.fold(turn, record.cut(BEGUN + block_stop(0) + ending() + STOP))
    assert (turn.blocks[0].text, turn.stop_reason, turn.stopped) == (WORDS, "end_turn", True)


def test_a_record_is_json() -> None:
    """With its version."""
    made, _ = cut()
    told = json.loads(record.written(made, 50.0, 1_000.0))
    assert told["version"] == record.VERSION
    assert told["progress"].keys() == set(Progress.__slots__)


def test_a_complete_turn_is_only_finished() -> None:
    """Nothing is sent."""
    made, out = cut()
    turned = Record()
    whole = record.cut(out + block_stop(0) + ending())
    record.refill(turned, again(made, out), whole, began=200.0, goes_on=True)
    assert isinstance(revive(machine(turned), 260.0, 200.0), Finish)
