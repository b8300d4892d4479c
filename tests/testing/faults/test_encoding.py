"""Line endings, byte order marks, compression."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest

from resilient_stream.testing import Bom, Gzip, Labelled, LineEndings
from tests.support.stand_ins import ANSWER, heard

BODY = b"one\n\ntwo\n\nthree\n\n"


@pytest.mark.parametrize("ending", [b"\r\n", b"\r", b"\n"])
@pytest.mark.parametrize("split", [True, False])
def test_lines_end_otherwise(ending: bytes, split: bool) -> None:
    """Every line, and only the ends of lines."""
    got = heard(LineEndings(ending, split=split).script(ANSWER))
    assert got.body == BODY.replace(b"\n", ending)


def test_an_ending_is_split_between_chunks() -> None:
    """No chunk holds a whole CRLF."""
    got = heard(LineEndings(b"\r\n", split=True).script(ANSWER))
    assert not any(b"\r\n" in chunk for chunk in got.chunks)


def test_the_mark_comes_first() -> None:
    """Three bytes, then the stream."""
    assert heard(Bom().script(ANSWER)).body == b"\xef\xbb\xbf" + BODY


def test_a_label_may_lie() -> None:
    """The body is plain."""
    got = heard(Labelled("br").script(ANSWER))
    assert (got.headers["content-encoding"], got.body) == ("br", BODY)


def test_a_compressed_body_can_be_read_event_by_event() -> None:
    """Each chunk brings its event; all together are a sound file."""
    got = heard(Gzip(after=1).script(ANSWER))
    assert got.headers["content-encoding"] == "gzip"
    assert gzip.decompress(got.body) == BODY
    opened = zlib.decompressobj(wbits=31)
    assert [opened.decompress(chunk) for chunk in got.chunks][:3] == [b"one\n\n", b"two\n\n", b"three\n\n"]


@pytest.mark.parametrize(("wrong", "whole"), [("truncated", True), ("truncated_fin", False)])
def test_a_compressed_body_is_cut_at_an_event(wrong: Any, whole: bool) -> None:
    """What came can be read, and there is no trailer."""
    got = heard(Gzip(after=2, wrong=wrong).script(ANSWER))
    opened = zlib.decompressobj(wbits=31)
    assert opened.decompress(got.body) == BODY[:10]
    assert (opened.eof, got.whole) == (False, whole)


@pytest.mark.parametrize(("wrong", "readable"), [("corrupt", BODY[:10]), ("bad_crc", BODY)])
def test_a_compressed_body_is_spoiled(wrong: Any, readable: bytes) -> None:
    """It can be read up to there, and not to its end."""
    got = heard(Gzip(after=2, wrong=wrong).script(ANSWER))
    opened = zlib.decompressobj(wbits=31)
    read = bytearray()

    def run() -> None:
        for byte in got.body:
            read.extend(opened.decompress(bytes([byte])))

    with pytest.raises(zlib.error):
        run()
    assert read == readable
