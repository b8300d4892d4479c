"""When nothing fails, nothing is changed, however the bytes are cut into chunks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.loop.states import Finish
from resilient_stream._core.turn.transcript import Turn
from tests.support.contents import text
from tests.support.golden import GOLDEN
from tests.support.machines import REQUEST, Body, Run, drive, machine
from tests.support.streams import (
    PING,
    STOP,
    block,
    block_start,
    block_stop,
    delta,
    ending,
    frame,
    start,
    text_delta,
)

LINE_ENDS = {"LF": b"\n", "CRLF": b"\r\n", "CR": b"\r"}


def chunks(data: bytes, seed: int) -> Iterator[bytes]:
    """``data`` in random pieces, empty ones among them."""
    rng, at = random.Random(seed), 0
    while at < len(data):
        size = rng.choice((0, 1, 2, 7, 90, 400))
        yield data[at : at + size]
        at += size


def ways(data: bytes) -> dict[str, list[bytes]]:
    """Ways to cut the bytes into chunks."""
    frames = [one + b"\n\n" for one in data.split(b"\n\n")[:-1]]
    made = {"whole": [data], "bytes": [data[at : at + 1] for at in range(len(data))], "frames": frames}
    return made | {f"random {seed}": list(chunks(data, seed)) for seed in range(2)}


def facts(turn: Turn) -> Any:
    """A turn as plain values."""
    return (turn.message, [(one.start, one.written, one.citations, one.closed) for one in turn.blocks])


def run_through(pieces: list[bytes], *, quick: bool = True) -> Run:
    """One attempt that is fed these chunks, and whose end never comes."""
    return drive(machine(), lambda send: Body([*pieces, b"", b"garbage after the end"]), quick=quick)


@pytest.mark.parametrize("name", GOLDEN)
def test_the_bytes_pass_as_they_came(name: str) -> None:
    """What is handed over are the upstream's bytes up to message_stop, whatever the chunks."""
    data = GOLDEN[name]
    seen = []
    for way, pieces in ways(data).items():
        for quick in (True, False) if way == "frames" else (True,):
            run = run_through(pieces, quick=quick)
            assert run.out == data
            assert isinstance(run.last, Finish)
            assert run.outcome == "completed" and run.forms == ["first"]
            seen.append(facts(run.machine.turn))
    assert all(one == seen[0] for one in seen)


@pytest.mark.parametrize("ends", ["CRLF", "CR"])
@pytest.mark.parametrize("name", GOLDEN)
def test_other_line_ends_pass_as_they_came(name: str, ends: str) -> None:
    """Streams with CRLF or CR lines are handed over byte for byte, whatever the chunks."""
    plain = GOLDEN[name]
    data = plain.replace(b"\n", LINE_ENDS[ends])
    expected = facts(run_through([plain]).machine.turn)
    for way, pieces in ways(data).items():
        if way != "frames":
            run = run_through(pieces)
            assert run.out == data
            assert facts(run.machine.turn) == expected


@given(name=st.sampled_from(sorted(GOLDEN)), ends=st.sampled_from(sorted(LINE_ENDS)), data=st.data())
def test_chunking_never_matters(name: str, ends: str, data: st.DataObject) -> None:
    """Any way to cut a golden stream into chunks hands over the same bytes and the same turn."""
    stream = GOLDEN[name].replace(b"\n", LINE_ENDS[ends])
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    cut = [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]
    run = run_through(cut)
    assert run.out == stream
    assert facts(run.machine.turn) == whole_facts(name)


@lru_cache
def whole_facts(name: str) -> Any:
    """The turn of a golden stream fed whole."""
    return facts(run_through([GOLDEN[name]]).machine.turn)


@pytest.mark.parametrize("name", GOLDEN)
def test_what_follows_the_end_is_of_no_consequence(name: str) -> None:
    """After message_stop neither broken bytes nor failures nor a second message change anything."""
    made, behind = machine(), GOLDEN["text"].replace(PING, b"")
    run = drive(
        made,
        lambda send: Body(
            [GOLDEN[name] + behind, behind, start(), text_delta(0, "x"), b"event: x\ndata: {\n\n"]
        ),
    )
    assert run.out == GOLDEN[name]
    assert run.outcome == "completed"
    assert made.planner.request == REQUEST


@pytest.mark.parametrize("chunks", [1, 2])
def test_what_belongs_to_no_message_passes_behind_it(chunks: int) -> None:
    """Unknown events, pings and comments after message_stop are handed over; an error there is none."""
    behind = b"".join([frame({"type": "future_event"}), PING, b": bye\n\n"])
    told = behind + frame({"type": "error", "error": {"type": "api_error"}})
    pieces = [GOLDEN["text"] + told] if chunks == 1 else [GOLDEN["text"], told]
    run = drive(machine(), lambda send: Body(pieces), strict=False)
    assert (run.out, run.outcome) == (GOLDEN["text"] + behind, "completed")


@pytest.mark.parametrize("name", [name for name in GOLDEN if name != "unknown"])
def test_a_byte_order_mark_is_taken_away(name: str) -> None:
    """A byte order mark in front, which would hide the first event, is all that is taken away."""
    stream = b"\xef\xbb\xbf" + GOLDEN[name]
    assert run_through([stream]).out == GOLDEN[name]
    assert run_through([stream[at : at + 1] for at in range(len(stream))]).out == GOLDEN[name]


@pytest.mark.parametrize("lacks", [1, 2])
def test_a_last_event_without_its_blank_line_stays_so(lacks: int) -> None:
    """A body that ends cleanly after message_stop is whole, and nothing is added to it."""
    stream = GOLDEN["text"][:-lacks]
    run = drive(machine(), lambda send: Body([stream]))
    assert (run.out, run.outcome) == (stream, "completed")


def test_a_stop_before_the_message_passes() -> None:
    """A content_block_stop before the message stops nothing; the SDK hands it on, and so do we."""
    stream = block_stop(0) + GOLDEN["text"]
    assert drive(machine(), lambda send: Body([stream]), strict=False).out == stream


@pytest.mark.parametrize("hold", [frozenset[str](), frozenset({"tool_use"})])
def test_a_call_that_max_tokens_ended_passes_as_it_came(hold: frozenset[str]) -> None:
    """A stop reason inside an open tool call ends the message; the call stays open, its input as it is."""
    stream = b"".join(
        [
            start(),
            *block(0, text("I write it.")),
            block_start(1, {"type": "tool_use", "id": "toolu_1", "name": "write", "input": {}}),
            delta(1, type="input_json_delta", partial_json='{"lines": ["one'),
            ending("max_tokens"),
            STOP,
        ]
    )
    run = drive(machine(hold=hold), lambda send: Body([stream]), strict=False)
    assert (run.out, run.outcome) == (stream, "completed")


def test_a_missing_event_line_is_repaired() -> None:
    """Events that the SDK would skip for lack of an event line are handed over with one."""
    bare = b"".join(
        one.split(b"\n", 1)[1] + b"\n\n" for one in GOLDEN["text"].replace(PING, b"").split(b"\n\n")[:-1]
    )
    run = run_through([bare])
    assert run.heard.text == drive(machine(), lambda send: GOLDEN["text"]).heard.text
    assert run.heard.stopped


def test_a_misleading_ping_is_repaired() -> None:
    """A delta that is named a ping is handed over as a delta."""
    wrong = GOLDEN["two_texts"].replace(b"event: content_block_delta\n", b"event: ping\n")
    assert run_through([wrong]).heard.text == "One.Two."
    assert frame({"type": "ping"}) in run_through([wrong]).out
