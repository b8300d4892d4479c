"""AWS's event stream, with a decoder that stands in for the client's."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._sdk.bedrock import (
    LONGEST_HEADERS,
    LONGEST_PAYLOAD,
    UNREADABLE,
    FramedBody,
    MessageDecoder,
    Unframer,
    framed,
)
from resilient_stream.testing import aws_event, aws_exception, aws_message, sse_event

EVENTS = [
    sse_event({"type": "message_start", "message": {"id": "m"}}),
    sse_event(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "\u2028 é\n"}}
    ),
    sse_event({"type": "ping"}),
    sse_event({"type": "message_stop"}),
]
STREAM = b"".join(map(aws_event, EVENTS))


@dataclass
class Told:
    """One event of the decoder's."""

    event: str | None
    data: str


class Decoder:
    """What the client's decoder does, on whole messages; the stand-in's tests hold it to botocore."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.fails = fails

    def iter_bytes(self, iterator: Iterator[bytes]) -> Iterator[Told]:
        """The event in each message."""
        for message in iterator:
            if self.fails is not None:
                raise self.fails
            (headers,) = struct.unpack("!I", message[4:8])
            payload = json.loads(message[12 + headers : -4])
            if b":exception-type" in message[12 : 12 + headers]:
                error = {"type": "throttlingException", "message": payload["message"]}
                yield Told("error", json.dumps({"type": "error", "error": error}))
            else:
                data = base64.b64decode(payload["bytes"]).decode()
                yield Told(json.loads(data)["type"], data)


each_decoder = pytest.mark.parametrize("decoder", [Decoder, MessageDecoder])
"""The client's, and ours that takes its place where it can't be had."""


@each_decoder
@given(places=st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_messages_become_events_however_they_are_cut(decoder: Any, places: list[int]) -> None:
    """The same events come out, in order, whatever the chunks."""
    unframer, bounds = Unframer(decoder()), sorted(places)
    told = [unframer.feed(STREAM[a:b]) for a, b in zip([0, *bounds], [*bounds, len(STREAM)], strict=True)]
    assert b"".join(told) == b"".join(EVENTS)


def test_events_become_messages_that_say_the_same() -> None:
    """There and back; what has no data is left out, as the SDK skips it."""
    assert Unframer(Decoder()).feed(framed(b": comment\n\n" + b"".join(EVENTS))) == b"".join(EVENTS)
    assert framed(b": comment\n\n") == b""


@each_decoder
def test_data_of_several_lines_stays_so(decoder: Any) -> None:
    """A host that spreads its JSON over lines is read like any other."""
    message = aws_message(
        {":event-type": "chunk"},
        json.dumps({"bytes": base64.b64encode(b'{"type":\n"ping"}').decode()}).encode(),
    )
    assert Unframer(decoder()).feed(message) == b'event: ping\ndata: {"type":\ndata: "ping"}\n\n'


@pytest.mark.parametrize("place", [0, 1, 3, 5, 9])
def test_a_spoilt_prelude_is_noticed_at_once(place: int) -> None:
    """A wrong length is not waited for; what came before it still counts, what follows does not."""
    spoilt = bytearray(aws_event(EVENTS[1]))
    spoilt[place] ^= 0x40
    unframer = Unframer(Decoder())
    assert unframer.feed(aws_event(EVENTS[0]) + spoilt) == EVENTS[0] + UNREADABLE
    assert unframer.feed(STREAM) == b""


def prelude(size: int, headers: int) -> bytes:
    """The beginning of a message, its checksum right."""
    lengths = struct.pack("!II", size, headers)
    return lengths + struct.pack("!I", zlib.crc32(lengths))


@pytest.mark.parametrize(
    ("size", "headers", "possible"),
    [
        (16, 0, True),
        (15, 0, False),
        (100, 84, True),
        (100, 85, False),
        (16 + LONGEST_HEADERS + LONGEST_PAYLOAD, LONGEST_HEADERS, True),
        (17 + LONGEST_HEADERS + LONGEST_PAYLOAD, LONGEST_HEADERS, False),
        (17 + LONGEST_PAYLOAD, 0, False),
        (17 + LONGEST_HEADERS, LONGEST_HEADERS + 1, False),
        (2**32 - 1, 0, False),
    ],
)
def test_a_message_longer_than_any_can_be_is_not_waited_for(size: int, headers: int, possible: bool) -> None:
    """Its beginning alone is corrupt, even where the checksum of the beginning is right."""
    assert Unframer(Decoder()).feed(prelude(size, headers)) == (b"" if possible else UNREADABLE)


def test_what_the_decoder_cannot_read_is_corrupt() -> None:
    """Whatever it raises, but for a package that is missing."""
    assert Unframer(Decoder(KeyError("x"))).feed(STREAM) == UNREADABLE
    assert Unframer(Decoder(UnicodeDecodeError("utf-8", b"", 0, 1, "x"))).feed(STREAM) == UNREADABLE
    with pytest.raises(ImportError):
        Unframer(Decoder(ImportError("botocore"))).feed(STREAM)


@each_decoder
def test_an_exception_becomes_an_error_event(decoder: Any) -> None:
    """With the API's own word for it, and AWS's beside it."""
    frame = Unframer(decoder()).feed(aws_exception("throttlingException", "Slow down."))
    error = json.loads(frame.split(b"data: ")[1])["error"]
    assert error == {"type": "rate_limit_error", "message": "Slow down.", "code": "throttlingException"}


def test_our_own_decoder_finds_what_is_spoilt() -> None:
    """Anywhere in a message: its headers, its payload, its checksum."""
    message = aws_event(EVENTS[1])
    for place in range(12, len(message)):
        spoilt = bytearray(message)
        spoilt[place] ^= 0x10
        assert Unframer(MessageDecoder()).feed(bytes(spoilt)) == UNREADABLE


def test_an_exception_in_the_words_of_sdk_1_is_one_too() -> None:
    """There the decoder raises, and does not say which it was."""
    frame = Unframer(Decoder(ValueError("Bad response code"))).feed(aws_event(EVENTS[0]))
    assert json.loads(frame.split(b"data: ")[1])["error"]["type"] == "api_error"


class Driver:
    """A driver's body, or a replay's, sync and async."""

    def __init__(self) -> None:
        self.left = [EVENTS[0] + EVENTS[1], EVENTS[3]]
        self.closed = 0
        self.elapsed = timedelta(seconds=2)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.left)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for frames in self.left:
            yield frames

    def close(self) -> None:
        """Count."""
        self.closed += 1

    async def aclose(self) -> None:
        """Count."""
        self.closed += 1


def test_a_framed_body_is_its_drivers() -> None:
    """It hands over the driver's events as messages, closes it, and takes as long."""
    wanted = [aws_event(EVENTS[0]) + aws_event(EVENTS[1]), aws_event(EVENTS[3])]

    async def read(body: AsyncIterable[bytes]) -> list[bytes]:
        return [chunk async for chunk in body]

    def events(messages: list[bytes]) -> list[bytes]:
        return [Unframer(Decoder()).feed(one) for one in messages]

    driver = Driver()
    body = FramedBody(driver)
    assert events(list(body)) == events(wanted)
    body.close()
    assert events(asyncio.run(read(FramedBody(Driver())))) == events(wanted)
    asyncio.run(body.aclose())
    assert driver.closed == 2
    assert body.elapsed == driver.elapsed


def test_who_interrupts_the_decoder_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody raises in the middle of it is theirs, and no fault of the stream."""
    from resilient_stream._sdk import bedrock

    monkeypatch.setattr(bedrock, "interrupts", lambda error: True)
    with pytest.raises(KeyError):
        Unframer(Decoder(KeyError("x"))).feed(STREAM)
