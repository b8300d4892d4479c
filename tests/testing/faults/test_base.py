"""Faults as functions on answers, and places in a body."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resilient_stream.testing import (
    Answer,
    Bom,
    Chain,
    Close,
    Cut,
    Healthy,
    LineEndings,
    Reset,
    Wait,
    sse_events,
)
from resilient_stream.testing.faults import Place, ending, events_of, kind_of
from resilient_stream.testing.faults.base import with_body
from resilient_stream.testing.wire import frame
from tests.support.stand_ins import ANSWER, TEXT, heard

STREAM = replace(ANSWER, body=tuple(sse_events(TEXT, delta_size=5)))
SIZES = [len(event) for event in sse_events(TEXT, delta_size=5)]


def test_the_healthy_fault_is_the_contract() -> None:
    """It sends byte for byte what is sent without a fault."""
    assert Healthy().script(ANSWER) == frame(ANSWER)


@pytest.mark.parametrize(
    ("place", "offset"),
    [
        (Place(at=0), 0),
        (Place(at=100), 100),
        (Place(at=-1), sum(SIZES) - 1),
        (Place(at=10**9), sum(SIZES)),
        (Place(at=-(10**9)), 0),
        (Place(after=0), 0),
        (Place(after=2), sum(SIZES[:2])),
        (Place(after=2, plus=7), sum(SIZES[:2]) + 7),
        (Place(after=99), sum(SIZES)),
        (Place(after="message_start"), SIZES[0]),
        (Place(after="content_block_delta"), sum(SIZES[:4])),
        (Place(after="message_stop"), sum(SIZES)),
        (Place(after="no_such_event"), sum(SIZES)),
        (Place(after="message_start", plus=-3), SIZES[0] - 3),
        (Place(), sum(SIZES[: len(SIZES) // 2])),
    ],
)
def test_a_place_is_a_byte_offset(place: Place, offset: int) -> None:
    """By offset, by number of events, by an event's type; never outside the body."""
    assert place.offset(STREAM) == offset


def test_a_chain_applies_each_to_the_one_before() -> None:
    """First CRLF, then a byte order mark, then a cut: all three are there."""
    chain = Chain((LineEndings(b"\r\n"), Bom(), Cut(at=20, how="rst")))
    script = chain.script(STREAM)
    whole = b"\xef\xbb\xbf" + b"".join(sse_events(TEXT, delta_size=5)).replace(b"\n", b"\r\n")
    assert heard(script).body == whole[:20]
    assert script[-1] == Reset()
    assert chain.edit(STREAM).body[-1] == Reset()


def test_the_type_of_an_event_is_the_first_that_it_names() -> None:
    """What has no type has no name."""
    assert [kind_of(event) for event in sse_events("x")][:3] == [
        "message_start",
        "content_block_start",
        "ping",
    ]
    assert kind_of(b":\n\n") == ""


def test_only_bytes_are_events() -> None:
    """Pauses are no events."""
    assert events_of(replace(ANSWER, body=(b"a", Wait(1), b"b", Close()))) == [b"a", b"b"]


@pytest.mark.parametrize(
    ("how", "parts"), [("clean", ()), ("fin", (Close(),)), ("rst", (Reset(),)), ("stall", (Wait(3), Close()))]
)
def test_a_body_has_four_endings(how: str, parts: tuple[object, ...]) -> None:
    """Clean, FIN, RST, and silence."""
    assert ending(how, 3) == parts


@pytest.mark.parametrize(
    ("answer", "length"),
    [
        (replace(ANSWER, framing="length"), 17),
        (replace(ANSWER, framing="length", length=50), 50),
        (ANSWER, None),
    ],
)
def test_a_broken_body_announces_the_whole(answer: Answer, length: int | None) -> None:
    """A FIN before the announced length is what makes it broken."""
    assert with_body(answer, (b"one", Close())).length == length


def test_a_broken_body_is_never_complete_by_accident() -> None:
    """Even where all bytes come, one more was announced."""
    assert with_body(replace(ANSWER, framing="length"), ANSWER.body, (Close(),)).length == 18
    assert with_body(replace(ANSWER, framing="length"), (b"one",)).length is None
