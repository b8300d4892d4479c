"""Frames to events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Flaw, Kind, Phase
from resilient_stream._core.wire.events import (
    CANONICAL_HEAD,
    CANONICAL_TAIL,
    LONGEST_ERROR,
    NO_STREAM,
    SKIPPED,
    Event,
    ends_in_half,
    first,
    has_content,
    paired,
    read,
)
from tests.support.streams import delta, frame, text_delta


def canonical(one: bytes) -> bytes | None:
    """The raw string of a canonical delta."""
    head = CANONICAL_HEAD.match(one)
    tail = CANONICAL_TAIL.fullmatch(one, head.end()) if head else None
    return tail[1] if tail else None


@pytest.mark.parametrize("spaced", [True, False])
@pytest.mark.parametrize(
    "fields",
    [
        {"type": "text_delta", "text": 'a "b" \\ \n é'},
        {"type": "thinking_delta", "thinking": ""},
        {"type": "input_json_delta", "partial_json": '{"a'},
    ],
)
def test_deltas_in_the_two_usual_spellings_are_canonical(fields: dict[str, Any], *, spaced: bool) -> None:
    """With and without spaces, the deltas that make up a stream take the short way."""
    one = frame({"type": "content_block_delta", "index": 3, "delta": fields}, spaced=spaced)
    assert canonical(one) is not None


@pytest.mark.parametrize(
    "one",
    [
        delta(0, type="text_delta", text="a", more=1),
        delta(0, type="signature_delta", signature="a"),
        delta(0, type="text_delta", thinking="a"),
        text_delta(0, "a")[:-1],
        text_delta(0, "a").replace(b"\n", b"\r\n"),
        text_delta(0, "a").replace(b'"a"', b'"\\x"'),
        text_delta(0, "a").replace(b'"a"', b'"\x01"'),
        text_delta(0, "a").replace(b'"a"', b'"\\ud83d"'),
        text_delta(0, "a").replace(b'"a"', b'"\\uD83D"'),
        text_delta(0, "a").replace(b'"a"', b"1"),
        b": c\n" + text_delta(0, "a"),
        frame({"type": "message_stop"}),
    ],
)
def test_everything_else_is_not(one: bytes) -> None:
    """Other fields, other types, broken strings and a first half of a pair take the long way."""
    assert canonical(one) is None


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (b": comment\n\n", SKIPPED),
        (b"id: 1\nretry: 5\n\n", SKIPPED),
        (b'event: novel\nodd: 1\ndata: {"type": "novel"}\n\n', "novel"),
        (b"event: x\n\n", SKIPPED),
        (b"event: x\ndata:\n\n", SKIPPED),
        (b"event: ping\n\n", "ping"),
        (b'event: ping\ndata: {"type": "ping"}\n\n', "ping"),
        (b"event: ping\ndata: {\n\n", SKIPPED),
        (b"event: ping\ndata: 1\n\n", SKIPPED),
        (b"data: {\n\n", SKIPPED),
        (b'data: {"no": 1}\n\n', SKIPPED),
        (b'data: {"type": "a b"}\n\n', SKIPPED),
        (b'data: {"type": "a\\nb"}\n\n', SKIPPED),
        (b'data: {"type": "\\ud800"}\n\n', SKIPPED),
        (b'event: ping\ndata: {"type": "\xc3\xa9"}\n\n', SKIPPED),
        (b'data: {"type": "ping"}\n\n', "ping"),
        (b'event: novel\ndata: {"type": "novel"}\n\n', "novel"),
        (b'event: novel\ndata: {"type": "error"}\n\n', "error"),
        (b'data: {"type": "error"}\n\n', "error"),
        (b"event: error\n\n", "error"),
    ],
)
def test_a_frame_that_the_sdk_reads_alike_passes_as_it_is(one: bytes, kind: str) -> None:
    """Frames that are skipped, known or unknown keep their bytes."""
    event = read(one)
    assert (event.type, event.frame) == (kind, one)


@pytest.mark.parametrize("name", [b"", b"event: ping\n", b"event: message_\nstop\n"])
def test_a_hidden_event_is_named(name: bytes) -> None:
    """An event that the SDK would drop for its event line gets the one that its data says."""
    event = read(name + b'data: {"type": "message_stop", "a": 1}\n\n')
    assert event.frame == b'event: message_stop\ndata: {"type":"message_stop","a":1}\n\n'
    assert event.data == {"type": "message_stop", "a": 1}


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (b"event: x\ndata: {\n\n", Kind.CORRUPT),
        (b"event: x\ndata: " + b"[" * 100_000 + b"\n\n", Kind.CORRUPT),
        (b"event: x\ndata: 1\n\n", Kind.PROTOCOL),
        (b"event: x\ndata: []\n\n", Kind.PROTOCOL),
        (b"event: x\ndata: \xff\n\n", Kind.CORRUPT),
        (b"event: message_stop\n\n", Kind.CORRUPT),
        (b"event: message_stop\ndata:\n\n", Kind.CORRUPT),
        (b'event: x\nda\rta: {"type": "x"}\n\n', Kind.CORRUPT),
        (b'da\x00ta: {"type": "x"}\n\n', Kind.CORRUPT),
    ],
)
def test_a_frame_that_cannot_be_read_is_a_flaw(one: bytes, kind: Kind) -> None:
    """What would explode in the SDK is never an event, nor is what it would not miss the data of."""
    with pytest.raises(Flaw) as caught:
        read(one)
    assert caught.value.failure.kind is kind


@pytest.mark.parametrize("data", ["{", "1", "", "[" * 100_000])
def test_an_unreadable_error_is_still_an_error(data: str) -> None:
    """An error event's body is kept as it came where it is no object."""
    event = read(f"event: error\ndata: {data}\n\n".encode())
    assert event.type == "error"
    assert event.data == {"unreadable": data[:LONGEST_ERROR]}


CREDIT = {"error": {"message": "Your credit balance is too low", "type": "invalid_request_error"}}
SAID = json.dumps(CREDIT)


@pytest.mark.parametrize(
    "one",
    [
        f"data: {SAID}\n\n",
        f"event: ping\ndata: {SAID}\n\n",
        f"event: error\ndata: {SAID}\n\n",
        f"event: message\ndata: {SAID}\n\n",
        f"event: content_block_delta\ndata: {SAID}\n\n",
        f"{SAID}\n\n",
        f"  {SAID}\r\n\r\n",
        f"event: x\n{SAID}\n\n",
        f"oops\n{SAID}\n\n",
        json.dumps(CREDIT, indent=2) + "\n\n",
        f"[{SAID}]\n\n",
    ],
)
def test_an_error_is_understood_in_every_spelling(one: str) -> None:
    """Typed or not, in a field or as a bare line: gateways tell errors as they like."""
    event = read(one.encode())
    assert (event.type, event.data) == ("error", CREDIT)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ({"type": "novel", "error": {"message": "x"}}, "error"),
        ({"error": "Overloaded"}, "error"),
        ({"error": ["Overloaded"]}, "error"),
        ({"error": [{"message": "x"}], "type": None}, "error"),
        ({"type": "overloaded_error", "message": "x"}, "error"),
        ({"type": "novel", "error": ["x"]}, "novel"),
        ({"type": "novel", "error": "x"}, "novel"),
        ({"type": "novel", "error": {}}, "novel"),
        ({"type": "novel", "error": None}, "novel"),
        ({"type": "message_stop", "error": {"message": "x"}}, "message_stop"),
    ],
)
def test_what_tells_of_an_error_is_one(payload: dict[str, Any], kind: str) -> None:
    """A field of that name makes an error of anything but the events of a message, if it says anything."""
    assert read(f"event: x\ndata: {json.dumps(payload)}\n\n".encode()).type == kind


def test_an_error_in_a_list_is_one() -> None:
    """In a field as well as in a line of its own."""
    assert read(f"data: [{SAID}]\n\n".encode()).data == CREDIT
    assert read(b'data: [{"no": "error"}]\n\n').type == "skipped"


def test_a_long_line_is_not_searched_for_an_error() -> None:
    """It would take many times its bytes."""
    long = json.dumps({"error": {"message": "x" * LONGEST_ERROR}})
    with pytest.raises(Flaw):
        read(f"{long}\n\n".encode())


@pytest.mark.parametrize("one", ["[]", "[1]", "{}", '{"no": 1}', "{", '{"error": null}'])
def test_other_bare_json_is_no_error(one: str) -> None:
    """It may be an event that has lost the name of its field."""
    with pytest.raises(Flaw):
        read(f"{one}\n\n".encode())


@pytest.mark.parametrize("name", ["status", "statusCode", "code"])
@pytest.mark.parametrize(
    "words", ['"detail": "No"', '"Message": "No"', '"errors": [{}]', '"type": "a:b", "title": "No"']
)
def test_an_error_page_that_names_a_status_is_an_error(words: str, name: str) -> None:
    """In JSON, whoever wrote it."""
    page = f'{{{words}, "{name}": 410}}'
    assert first(page.encode()) == page.encode()
    event = read(f"{page}\n\n".encode())
    assert (event.type, event.data) == ("error", json.loads(page))


@pytest.mark.parametrize(
    "page", ['{"detail": "Not authenticated"}', '{"message": "No", "__type": "Throttled"}']
)
def test_an_error_page_without_a_status_is_a_broken_reply(page: str) -> None:
    """Its words are kept for the user. Nobody can tell whether asking again helps: once is enough."""
    assert first(page.encode()) == page.encode()
    with pytest.raises(Flaw) as caught:
        read(f"{page}\n\n".encode())
    failure = caught.value.failure
    assert (failure.kind, failure.in_band, failure.body) == (Kind.PROTOCOL, True, json.loads(page))


@pytest.mark.parametrize("kind", ["message", "content_block_delta"])
def test_a_message_or_an_event_outside_a_field_is_no_error(kind: str) -> None:
    """Whatever words it has."""
    with pytest.raises(Flaw):
        read(f'{{"type": "{kind}", "message": "hello"}}\n\n'.encode())


@pytest.mark.parametrize("given", ["", '"type": null, '])
def test_an_event_without_a_type_has_that_of_its_event_line(given: str) -> None:
    """Where that is one of a message's."""
    event = read(f'event: content_block_stop\ndata: {{{given}"index": 0}}\n\n'.encode())
    assert (event.type, event.data) == ("content_block_stop", {"type": "content_block_stop", "index": 0})
    assert read(event.frame) == event


@pytest.mark.parametrize("value", ["null", "7", "true", "1.5", "[]", "{}", '""'])
def test_a_type_that_is_none_is_told_by_the_event_line(value: str) -> None:
    """For the events of a message; any other is passed over, as the SDK does."""
    event = read(f'event: content_block_stop\ndata: {{"type": {value}, "index": 0}}\n\n'.encode())
    assert (event.type, event.data) == ("content_block_stop", {"type": "content_block_stop", "index": 0})
    novel = f'event: novel\ndata: {{"type": {value}, "error": {{}}}}\n\n'.encode()
    assert (read(novel).type, read(novel).frame) == ("skipped", novel)
    error = f'data: {{"type": {value}, "error": {{"a": 1}}}}\n\n'.encode()
    assert read(error).type == "error"


@pytest.mark.parametrize("start", [b"<html>\n\n", b"Bad gateway\n", b'{"type": "message"}', b"\xff\xfe\n\n"])
def test_a_body_that_is_no_event_stream_is_a_breach_of_protocol(start: bytes) -> None:
    """Whatever its label: a page, words, an answer that is no stream. Nothing of a reply has come then;
    without a content encoding it may be one."""
    with pytest.raises(Flaw) as caught:
        first(start)
    assert caught.value.failure == Failure(Kind.PROTOCOL, Phase.HEADERS, detail=NO_STREAM, undecodable=True)


@pytest.mark.parametrize("start", [b"event: x\n\n", b": hello\n\n", b"\n", b"", SAID.encode()])
def test_a_body_that_may_be_one_is_read(start: bytes) -> None:
    """And so is one that tells of an error; a byte order mark is taken away."""
    assert first(start) == start
    assert first(b"\xef\xbb\xbf" + start) == start


def test_an_error_keeps_its_body() -> None:
    """The body is what the SDK would hang on the exception."""
    assert read(b'event: error\ndata: {"error": {"type": "a"}}\n\n').data == {"error": {"type": "a"}}


def test_an_event_of_our_own_can_be_read() -> None:
    """What is made here is understood here."""
    event = Event.of({"type": "content_block_stop", "index": 1})
    assert read(event.frame) == event


def test_half_a_pair_is_noticed() -> None:
    """Text that ends in a first half waits for the second; a second half does not."""
    assert ends_in_half({"text": "a\ud83d"})
    assert ends_in_half({"thinking": "\ud83d"})
    assert not ends_in_half({"text": "\ude00"})
    assert not ends_in_half({"text": ""})
    assert not ends_in_half({"text": 1})


def test_halves_are_put_together() -> None:
    """Two halves in a row are a character; a lone one stays what it is."""
    assert paired("a\ud83d\ude00\ud83d") == "a😀\ud83d"


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ({"type": "text_delta", "text": " a"}, True),
        ({"type": "text_delta", "text": " \n"}, False),
        ({"type": "thinking_delta", "thinking": " "}, True),
        ({"type": "thinking_delta", "thinking": ""}, False),
        ({"type": "input_json_delta", "partial_json": ""}, True),
        ({"type": "citations_delta"}, True),
        ({"type": "signature_delta", "signature": "x"}, False),
    ],
)
def test_content_is_what_a_consumer_would_show(part: dict[str, Any], *, content: bool) -> None:
    """Blank text and signatures are none."""
    assert has_content(part) is content
