"""What there is to tell of a stream while it happens."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, cast

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.record.lifecycle import (
    AttemptRecord,
    EndRecord,
    GiveUpRecord,
    Note,
    ResumeRecord,
    WaitRecord,
)
from tests.support.contents import CALL, PROSE, text
from tests.support.machines import REQUEST, RESET, Body, Patient, drive, machine, once_cut, serve
from tests.support.script import Script
from tests.support.streams import STOP, block, block_start, ending, message, start, text_delta

SCRIPT = Script((text(PROSE),))
BEGUN = b"".join([start(), block_start(0, text("")), text_delta(0, PROSE[:70])])
CUT = Body([BEGUN], RESET)
DOWN = Failure(Kind.OVERLOADED, Phase.HEADERS, detail="overloaded_error", status=529, retry_after=3.0)
WHOLE = message((text(PROSE),))


def notes_of(upstream: Any, *, attempts: int = 16, wait: float = 0.0) -> list[Note]:
    """All notes of one stream."""
    made = machine(judge=Patient(attempts, wait))
    drive(made, upstream)
    return made.lifecycle.take()


def find(notes: list[Note], about: str) -> Any:
    """The one record about something."""
    (record,) = (record for what, record in notes if what == about)
    return record


def words(notes: list[Note]) -> list[str]:
    """What the notes are about."""
    return [what.value for what, _ in notes]


def test_a_stream_without_faults_is_told_in_three_notes() -> None:
    """An attempt, its first content, the end; nothing for each event."""
    notes = notes_of(serve(WHOLE))
    assert words(notes) == ["attempt", "content", "end"]
    end = find(notes, "end")
    assert (end.outcome, end.attempts, end.resumed, end.stop_reason) == ("completed", 1, False, "end_turn")
    assert (end.characters, end.failure, end.error) == (len(PROSE), None, "")
    assert end.attempt.usage["output_tokens"] == end.usage["output_tokens"] == 40


def test_a_resumed_stream_is_told_in_order() -> None:
    """Failure, wait, attempt, content, resumption, end; the wait is told at both its ends."""
    notes = notes_of(once_cut(SCRIPT, CUT), wait=2.0)
    assert words(notes) == [
        *("attempt", "content", "failure", "wait", "waited"),
        *("attempt", "content", "resume", "end"),
    ]
    assert find(notes, "wait") == find(notes, "waited") == WaitRecord(2.0, "test", None)
    resumed = find(notes, "resume")
    assert (resumed.attempt.number, resumed.attempt.form, resumed.attempt.offset) == (2, "user_turn", 70)
    assert (resumed.joined, resumed.verified, resumed.trimmed > 0) == ("echo", True, True)


def test_no_wait_is_not_told() -> None:
    """An attempt that follows at once has no wait before it."""
    assert "wait" not in words(notes_of(once_cut(SCRIPT, CUT)))


def test_a_restart_resumes_without_a_seam() -> None:
    """Where nothing had been handed over, nothing was joined."""
    resumed: ResumeRecord = find(notes_of(serve(DOWN, WHOLE)), "resume")
    assert (resumed.attempt.form, resumed.joined, resumed.verified) == ("restart", None, None)


def test_an_unverified_seam_is_told() -> None:
    """A continuation without its echo resumes the stream, unverified."""
    notes = notes_of(
        serve(CUT, message((text("Something else entirely, at some length. " * 20),), id="msg_2"))
    )
    assert find(notes, "resume").verified is False


def test_an_ending_that_had_been_lost_is_a_resumption() -> None:
    """A continuation that brings the echo and the end resumes the stream, though it brings no text."""
    lost = Body([b"".join([start(), block_start(0, text("")), text_delta(0, PROSE)])], RESET)
    notes = notes_of(once_cut(SCRIPT, lost))
    assert words(notes)[-3:] == ["content", "resume", "end"]
    assert find(notes, "resume").joined == "echo_only"


def test_giving_up_is_told_before_the_end() -> None:
    """What is raised, why nothing more is tried, and the end."""
    notes = notes_of(serve(CUT, DOWN), attempts=2)
    assert words(notes)[-3:] == ["failure", "give_up", "end"]
    gave_up: GiveUpRecord = find(notes, "give_up")
    assert (gave_up.reason, gave_up.error, gave_up.limit) == ("enough", "Broken", None)
    assert (gave_up.failure.kind, gave_up.failure.status, gave_up.failure.retry_after) == (
        Kind.OVERLOADED,
        529,
        3.0,
    )
    end: EndRecord = find(notes, "end")
    assert (end.outcome, end.failure, end.error, end.attempts) == ("failed", gave_up.failure, "Broken", 2)


def test_a_turn_finished_with_tools_failed_and_did_not_give_up() -> None:
    """The cut is told, and that the stream ended well."""
    cut = Body([b"".join([start(), *block(0, CALL)])], RESET)
    notes = notes_of(serve(cut))
    assert words(notes) == ["attempt", "content", "failure", "end"]
    assert find(notes, "end").outcome == "finished_with_tools"


def running(*, at: float = 0.0) -> Machine:
    """A machine whose first attempt has handed over content."""
    made = machine()
    made.start(at)
    made.head(at, 200, "req_1")
    made.data(at + 1, BEGUN, 0.0)
    return made


def test_a_stream_that_was_left_is_cancelled_and_has_not_failed() -> None:
    """Leaving is no failure; the record of the attempt says that it was cut off."""
    made = running(at=10.0)
    made.close(15.0)
    notes = made.lifecycle.take()
    assert words(notes) == ["attempt", "content", "end"]
    end: EndRecord = find(notes, "end")
    assert (end.outcome, end.error, end.duration) == ("cancelled", "", 5.0)
    assert end.attempt.failure is not None
    assert (end.attempt.failure.kind, end.attempt.ended) == (Kind.CANCELLED, 5.0)


def test_what_ended_is_told_once() -> None:
    """Closing again tells nothing."""
    made = running()
    made.close(1.0)
    made.lifecycle.take()
    made.close(2.0)
    assert not made.lifecycle.notes


def test_an_exception_that_passes_through_fails_the_stream() -> None:
    """A fault of somebody else's code is the end, by its class, and no giving up of ours."""
    made = running()
    made.fault(2.0, RESET)
    made.lifecycle.take()
    made.close(3.0, "KeyError")
    notes = made.lifecycle.take()
    assert words(notes) == ["end"]
    end: EndRecord = find(notes, "end")
    assert (end.outcome, end.error, end.failure) == ("failed", "KeyError", None)


def test_what_never_began_is_not_told() -> None:
    """A stream without an attempt ends in silence."""
    made = machine()
    made.close(0.0)
    assert not made.lifecycle.notes


def test_recovery_counts_from_the_first_failure_of_several() -> None:
    """Attempts that fail before they bring anything lengthen the gap that the consumer sees."""
    made = running(at=100.0)
    made.fault(105.0, RESET)
    made.fault(106.0, DOWN)
    made.head(106.0, 200, "req_3")
    reply = [start(id="msg_3"), *block(0, text(PROSE)), ending(), STOP]
    made.data(109.0, b"".join(reply), 0.0)
    assert find(made.lifecycle.take(), "resume").recovery == 4.0


def test_times_are_seconds_since_the_call() -> None:
    """Whatever the clock began at."""
    made = running(at=1000.0)
    made.fault(1007.0, RESET)
    *_, first, second = (record for _, record in made.lifecycle.take() if isinstance(record, AttemptRecord))
    assert (first.started, first.ended) == (0.0, 7.0)
    assert (second.started, second.ended) == (7.0, None)


def leaves(value: object) -> Iterable[object]:
    """Everything that a record holds, however deep."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from leaves(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, each in cast("Mapping[object, object]", value).items():
            yield from (key, *leaves(each))
    elif isinstance(value, tuple):
        for each in cast("tuple[object, ...]", value):
            yield from leaves(each)
    else:
        yield value


@pytest.mark.parametrize(
    "upstream", [once_cut(SCRIPT, CUT), serve(CUT, DOWN), serve(CUT, message((text("?"),)))]
)
def test_records_hold_no_content(upstream: Any) -> None:
    """Nothing that anybody wrote is in them: plain values, and no string of the request or the reply."""
    written = (PROSE, str(REQUEST["messages"]), str(REQUEST["system"]))
    for _, record in notes_of(upstream, attempts=3, wait=1.0):
        for leaf in leaves(record):
            assert leaf is None or isinstance(leaf, str | int | float)
            if isinstance(leaf, str) and len(leaf) > 3:
                assert not any(leaf in text for text in written), leaf
