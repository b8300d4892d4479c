"""Events added, missing, doubled and spoiled."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from resilient_stream.testing import Close, ErrorEvent, Insert, Mangle, Remove, Repeat, Wait, sse_events
from resilient_stream.testing.faults import MANGLINGS, kind_of, text_delta
from tests.support.stand_ins import ANSWER, TEXT, heard

EVENTS = sse_events(TEXT, delta_size=5)
STREAM = replace(ANSWER, body=tuple(EVENTS))


def chunks(fault: Any) -> list[bytes]:
    """What is sent of the stream."""
    return heard(fault.script(STREAM)).chunks


def test_bytes_are_inserted_as_they_are() -> None:
    """In a chunk of their own, and the stream goes on or ends."""
    assert chunks(Insert(after=2, data=b"xy")) == [*EVENTS[:2], b"xy", *EVENTS[2:]]
    assert chunks(Insert(after=2, data=b"xy", then="clean")) == [*EVENTS[:2], b"xy"]
    assert Insert(after=2, data=b"xy", then="fin").script(STREAM)[-1] == Close()


def test_an_inserted_delta_is_an_event() -> None:
    """A text delta for a block."""
    said = json.loads(text_delta("hi", 3).partition(b"data: ")[2])
    assert said == {"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": "hi"}}


@pytest.mark.parametrize(
    ("spelling", "begins", "ends"),
    [
        ("proper", b'event: error\ndata: {"type":"error"', b"}\n\n"),
        ("no_blank_line", b'event: error\ndata: {"type":"error"', b"}\n"),
        ("data_only", b'data: {"type":"error"', b"}\n\n"),
        ("not_json", b"event: error\ndata: upstream", b"error\n\n"),
        ("no_data", b"event: error\n", b"\n\n"),
    ],
)
def test_an_error_is_spelled_in_five_ways(spelling: Any, begins: bytes, ends: bytes) -> None:
    """Only the first is the API's."""
    *before, said = chunks(ErrorEvent(after=4, spelling=spelling))
    assert before == EVENTS[:4]
    assert said.startswith(begins)
    assert said.endswith(ends)


def test_an_error_says_type_message_and_request() -> None:
    """As the API's documentation shows it; the stream may even go on."""
    fault = ErrorEvent(at=0, error="api_error", message="Oh.", then="go_on")
    said, *rest = chunks(fault)
    assert rest == EVENTS
    assert json.loads(said.partition(b"data: ")[2]) == {
        "type": "error",
        "error": {"type": "api_error", "message": "Oh.", "details": None},
        "request_id": "req_0001",
    }


def test_an_event_comes_twice() -> None:
    """The one before the place, or the last of a type before it; none if there is none."""
    assert chunks(Repeat(after=4)) == [*EVENTS[:4], EVENTS[3], *EVENTS[4:]]
    assert chunks(Repeat(after=4, what="message_start")) == [*EVENTS[:4], EVENTS[0], *EVENTS[4:]]
    assert chunks(Repeat(after=4, what="message_stop")) == EVENTS
    assert chunks(Repeat(at=0)) == EVENTS


def test_an_event_is_missing() -> None:
    """The one at the place; at the end there is none."""
    assert chunks(Remove(after=3)) == [*EVENTS[:3], *EVENTS[4:]]
    assert chunks(Remove(after="message_stop")) == EVENTS


SPOILED = {
    "bad_utf8": EVENTS[3].replace(b'"}}', b'\xff"}}'),
    "no_event_line": EVENTS[3].partition(b"\n")[2],
    "no_index": EVENTS[3].replace(b'"index":0,', b""),
    "padded": EVENTS[3][:-3] + b"     }\n\n",
    "two_data_lines": EVENTS[3].replace(b',"index', b',\ndata: "index'),
    "wrong_event_name": b"event: message_delta" + EVENTS[3][26:],
    "wrong_index": EVENTS[3].replace(b'"index":0', b'"index":5'),
}


@pytest.mark.parametrize("how", MANGLINGS)
def test_one_event_is_spoiled_and_no_other(how: str) -> None:
    """Each way does what its name says, to the event at the place."""
    got = chunks(Mangle(after=3, how=how))
    assert got[:3] + got[4:] == EVENTS[:3] + EVENTS[4:]
    assert got[3] != EVENTS[3]
    if how != "json_cut":
        assert got[3] == SPOILED[how]
    else:
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            json.loads(got[3].splitlines()[1].partition(b"data: ")[2])


def test_all_events_from_a_place_on_may_be_spoiled() -> None:
    """By name or by a function; pauses stay."""
    bare = [event.partition(b"\n")[2] for event in EVENTS]
    assert chunks(Mangle(at=0, how="no_event_line", every=True)) == bare
    paused = replace(STREAM, body=(EVENTS[0], Wait(1), EVENTS[1]))
    assert Mangle(at=0, how=bytes.upper, every=True).edit(paused).body == (
        EVENTS[0].upper(),
        Wait(1),
        EVENTS[1].upper(),
    )
    assert Mangle(at=0, how=bytes.upper).edit(paused).body == (EVENTS[0].upper(), Wait(1), EVENTS[1])


def test_data_in_two_lines_is_the_same_json() -> None:
    """The line break falls where JSON allows one."""
    first, second = MANGLINGS["two_data_lines"](EVENTS[3]).split(b"data: ")[1:]
    assert json.loads(first + second) == json.loads(EVENTS[3].partition(b"data: ")[2])
    assert kind_of(first) == "content_block_delta"
