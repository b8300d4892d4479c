"""What counts for which timeout."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Finish, Read, Send, Wait
from tests.support.broken import HEAD
from tests.support.machines import Patient, machine
from tests.support.streams import (
    PING,
    Json,
    block_stop,
    ending,
    frame,
    start,
    text_delta,
)


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


def short_way(made: Machine, action: object, chunk: bytes) -> bytes | None:
    """What the short way gives that a read allows."""
    assert isinstance(action, Read)
    assert action.slack >= 0
    return made.quick(chunk)


def test_the_short_way_is_for_the_deltas_of_a_steady_stream() -> None:
    """In one piece or in two; whatever else comes goes the long way."""
    made = reading()
    made.data(0.0, HEAD, 0.0)
    action = made.data(0.0, text_delta(0, "a"), 0.0)
    made.take()
    assert short_way(made, action, text_delta(0, "b")) == text_delta(0, "b")
    assert short_way(made, action, text_delta(0, "c")[:20]) == b""
    action = made.data(0.0, b"", 0.1)
    assert short_way(made, action, text_delta(0, "c")[20:]) == text_delta(0, "c")
    assert short_way(made, action, block_stop(0)) is None
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
        assert short_way(made, action, text_delta(0, "b")) == text_delta(0, "b")
    assert made.data(73.0, PING, 39.0) == Read(1.0)
    made.fault(74.0, Failure(Kind.SILENT, Phase.BODY))
    assert made.attempt.failure is not None
    assert (made.attempt.failure.kind, made.attempt.gap) == (Kind.STALLED, 39.0)


@pytest.mark.parametrize("comes", [PING, frame({"type": "novel"}), ending(None), b": keep-alive\n\n"])
def test_a_finished_answer_is_not_held_for_its_message_stop(comes: bytes) -> None:
    """After the stop reason, whatever else comes, the message_stop is supplied within a second of reading."""
    made = reading()
    made.data(3.0, HEAD + block_stop(0) + ending(), 3.0)
    made.take()
    for now in (3.4, 3.8):
        assert made.data(now, comes, 0.4).__class__ is Read
    assert made.data(4.0, comes, 0.2) == Finish()
    assert made.take().endswith(b'"message_stop"}\n\n')
    assert (made.ledger.outcome, len(made.ledger.attempts)) == ("completed", 1)


def test_silence_behind_the_stop_reason_ends_the_message() -> None:
    """The read is given a second, and no other request is sent."""
    made = reading()
    action = made.data(3.0, HEAD + block_stop(0) + ending("tool_use"), 3.0)
    assert action == Read(1.0)
    assert made.fault(4.0, Failure(Kind.SILENT, Phase.BODY), 1.0) == Finish()
    assert (made.ledger.outcome, made.turn.stopped) == ("completed", True)
