"""Bytes to frames and back."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.failures import Flaw, Kind
from resilient_stream._core.wire.sse import (
    MAX_FRAME,
    Framer,
    encode,
    fields,
    has_strange_line,
    is_event_stream,
    is_utf8,
)

EVENTS = [b"event: a\ndata: 1\n\n", b": comment\n\n", b"data: 2\ndata: 3\n\n"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_frames_are_the_stream_cut_at_blank_lines(end: bytes, size: int) -> None:
    """Whatever the chunks and line ends, the frames are the events, and joined they are the stream."""
    events = [event.replace(b"\n", end) for event in EVENTS]
    stream = b"".join(events)
    framer = Framer()
    frames = [one for at in range(0, len(stream), size) for one in framer.feed(stream[at : at + size])]
    assert frames == events
    assert framer.rest == b""
    assert not framer.rest


def test_one_frame_in_one_chunk_passes_as_the_same_object() -> None:
    """The common case copies nothing."""
    chunk = EVENTS[0]
    assert Framer().feed(chunk)[0] is chunk


@pytest.mark.parametrize("size", [1, 100])
def test_more_blank_lines_belong_to_the_next_frame(size: int) -> None:
    """A third line feed goes to the next frame, in one chunk as in many."""
    framer, stream = Framer(), b"data: 1\n\n\ndata: 2\n\n"
    frames = [one for at in range(0, len(stream), size) for one in framer.feed(stream[at : at + size])]
    assert frames == [b"data: 1\n\n", b"\ndata: 2\n\n"]
    framer = Framer()
    assert framer.feed(b"data: 1\n\n\n") == [b"data: 1\n\n"]
    assert framer.rest == b"\n"


def test_mixed_line_ends_end_a_frame() -> None:
    """Two line ends in a row end a frame, of whatever kinds they are, but a CRLF is one."""
    for blank in (b"\n\r\n", b"\r\n\n", b"\r\r\n", b"\n\r"):
        framer = Framer()
        assert framer.feed(b"data: 1" + blank + b"data") == [b"data: 1" + blank]
        assert framer.rest == b"data"
    assert Framer().feed(b"event: a\r\ndata: 1\r\n") == []
    assert Framer().feed(b"event: a\r\n\rdata: 1\r\n") == [b"event: a\r\n\r"]


def test_the_rest_can_be_given_up() -> None:
    """What was dropped is told once, and is not part of what follows."""
    framer = Framer()
    framer.feed(b"data: 1")
    assert framer.rest
    assert framer.drop() == b"data: 1"
    assert not framer.rest
    assert framer.feed(b"data: 2\n\n") == [b"data: 2\n\n"]


@pytest.mark.parametrize(
    "chunks", [[b"data: 12345678\n\n"], [b"data: 123", b"45678"], [b"data: 1\n\ndata: 12345678\n\n"]]
)
def test_a_frame_has_a_limit(chunks: list[bytes]) -> None:
    """A frame over the limit is corrupt, whether it is complete or not, in one chunk or in several."""
    framer = Framer(limit=12)
    with pytest.raises(Flaw) as caught:
        for chunk in chunks:
            framer.feed(chunk)
    assert caught.value.failure.kind is Kind.CORRUPT


def test_fields_are_read_as_the_standard_says() -> None:
    """One space after the colon goes, data lines are joined, the last event counts, the rest is ignored."""
    assert fields(b"event: a\nevent:b\ndata:  x\ndata\nid: 7\n: data: no\nretry: 1\n\n") == ("b", " x\n")
    assert fields(b": nothing\n\n") == (None, None)
    assert fields(b"event: a\r\ndata: 1\rdata: 2\r\n\r\n") == ("a", "1\n2")


LINES = st.lists(
    st.sampled_from(
        [b"event", b"data", b"id", b"retry", b"", b"eventual", b"dat", b" data", b"\xc3\xa9", b"da\0ta"]
    ).flatmap(
        lambda name: st.sampled_from(
            [name, name + b":", name + b": ", name + b":x", name + b":  y: z", name + b": data"]
        )
    )
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(lines=LINES, end=ENDS, ended=st.booleans())
def test_fields_and_strange_lines_are_what_a_plain_reading_finds(
    lines: list[bytes], end: bytes, *, ended: bool
) -> None:
    """Line by line, as the standard describes it."""
    frame = end.join(lines) + end * ended
    parts = [line.partition(b":") for line in lines]
    values = [(name, value.removeprefix(b" ").decode()) for name, _, value in parts]
    named = [value for name, value in values if name == b"event"]
    data = [value for name, value in values if name == b"data"]
    assert fields(frame) == (named[-1] if named else None, "\n".join(data) if data else None)
    known = (b"", b"event", b"data", b"id", b"retry")
    assert has_strange_line(frame) == any(
        name not in known for line, (name, _, _) in zip(lines, parts, strict=True) if line.strip(b" \t")
    )
    said = [name for line, (name, _, _) in zip(lines, parts, strict=True) if line.strip(b" \t")]
    if ended or not lines[-1:]:
        assert is_event_stream(frame) == (not said or any(name in known for name in said))


@pytest.mark.parametrize(
    ("start", "is_one"),
    [
        *((one, True) for one in (b"", b" \t\r\n", b":", b"eve", b"\r\ndat", b"data")),
        *((one, False) for one in (b"<p>\n", b"{\n", b"eve\n", b"even:", b"ok", b"idea")),
    ],
)
def test_a_body_shows_what_it_is(start: bytes, is_one: bool) -> None:
    """By any line that only an event stream has, or the beginning of one at the very end."""
    assert is_event_stream(start) is is_one


def test_utf8_is_told_from_other_bytes() -> None:
    """Overlong forms and halves are none."""
    assert is_utf8("é".encode())
    assert not is_utf8(b"\xff")
    assert not is_utf8(b"\xed\xa0\x80")


def test_a_document_is_one_event() -> None:
    """What the API may send of a fetched document passes; a hundred megabytes do not, nor a line without end."""
    document = b'event: a\ndata: "' + b"A" * 32 * 2**20 + b'"\n\n'
    assert Framer().feed(document) == [document]
    framer = Framer()
    with pytest.raises(Flaw) as caught:
        for _ in range(200):
            framer.feed(b"A" * 2**20)
    assert caught.value.failure.kind is Kind.CORRUPT
    assert len(framer.rest) <= MAX_FRAME + 2**20


@pytest.mark.parametrize("line", [b"data: x\n", b"data:\n", b":\n", b"x\n", b"\r"])
def test_an_event_of_many_lines_takes_only_its_bytes(line: bytes) -> None:
    """No list of lines is made, which would take fifty bytes for each."""
    frame = line * (2**20 // len(line))
    tracemalloc.start()
    try:
        fields(frame)
        has_strange_line(frame)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 4 * len(frame)


def test_bad_utf8_is_corrupt() -> None:
    """Bytes that are no text are told as such."""
    with pytest.raises(Flaw) as caught:
        fields(b"data: \xff\n\n")
    assert caught.value.failure.kind is Kind.CORRUPT


def test_what_is_encoded_can_be_read() -> None:
    """A frame made here says what it was made of, halves of surrogate pairs included, in ASCII."""
    payload = {"type": "x", "text": "é\ud83d\n"}
    frame = encode("x", payload)
    assert frame.isascii()
    name, data = fields(frame)
    assert name == "x"
    assert json.loads(data or "") == payload


def test_what_is_nested_too_deeply_is_corrupt() -> None:
    """A payload that can't be written is a flaw, not a crash."""
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(Flaw) as caught:
        encode("x", {"x": nested})
    assert caught.value.failure.kind is Kind.CORRUPT
    while nested:  # taken apart by hand: the garbage collector's own recursion has a limit, too
        nested = nested.pop()  # type: ignore[assignment]
