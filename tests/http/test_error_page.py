"""Whatever the page of an error holds, it is read within its limit and says something."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import httpx2
import pytest

from resilient_stream._http.error_page import LONGEST_PAGE, aread_page, read_page, said

JSON: dict[str, Any] = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
WHOLE = json.dumps(JSON).encode()


class Stream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A page in chunks; counts what was asked for, and how often it was closed."""

    def __init__(self, chunk: bytes, times: int = 1) -> None:
        self.chunk, self.left, self.read, self.closed = chunk, times, 0, 0

    def __iter__(self) -> Iterator[bytes]:
        while self.left:
            self.left -= 1
            self.read += len(self.chunk)
            yield self.chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.left:
            await anyio.lowlevel.checkpoint()
            self.left -= 1
            self.read += len(self.chunk)
            yield self.chunk

    def close(self) -> None:
        """Count."""
        self.closed += 1

    async def aclose(self) -> None:
        """Count."""
        self.closed += 1


def page(world: str, stream: Stream, **headers: str) -> httpx2.Response:
    """A response whose page was read, in one of the worlds."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx2.Response(
        529, headers=named, stream=stream, request=httpx2.Request("POST", "http://api.test")
    )
    read_again(world, response)
    return response


def read_again(world: str, response: httpx2.Response) -> None:
    """Read the page of a response."""
    if world == "sync":
        read_page(response)
    else:
        anyio.run(aread_page, response, backend=world)


in_worlds = pytest.mark.parametrize("world", ["sync", "asyncio", "trio"])


@in_worlds
@pytest.mark.parametrize("coded", [False, True])
def test_a_page_is_what_it_would_be_without_us(world: str, *, coded: bool) -> None:
    """Bytes, text and JSON are the response's, it counts as read and closed, and its connection was given back."""
    stream = Stream(gzip.compress(WHOLE) if coded else WHOLE)
    response = page(world, stream, **({"content_encoding": "gzip"} if coded else {}))
    assert (response.content, response.text, said(response)) == (WHOLE, WHOLE.decode(), JSON)
    assert (response.is_closed, response.is_stream_consumed) == (True, True)
    closed = stream.closed
    assert closed >= 1
    read_again(world, response)  # as after an event hook
    assert (response.content, stream.closed) == (WHOLE, closed)


@in_worlds
def test_a_page_without_end_is_read_up_to_its_limit(world: str) -> None:
    """A gigabyte takes no longer than the limit, and its connection is closed."""
    stream = Stream(b"x" * 4096, times=2**18)
    response = page(world, stream)
    assert said(response) == "x" * LONGEST_PAGE
    assert LONGEST_PAGE < stream.read <= LONGEST_PAGE + 4096
    assert stream.closed == 1


@in_worlds
def test_a_page_that_others_have_read_is_cut_too(world: str) -> None:
    """What is kept of it is as little."""
    response = httpx2.Response(500, content=b"x" * 10**6)
    read_again(world, response)
    assert response.content == b"x" * LONGEST_PAGE


@in_worlds
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, gzip"])
def test_a_bomb_is_not_unpacked(world: str, encoding: str) -> None:
    """A page that unpacks to 64 MiB is unpacked a piece at a time, and no further than the limit."""
    blank = b"\0" * 2**20
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16 if "gzip" in encoding else zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(blank) for _ in range(64)) + packer.flush()
    bomb = gzip.compress(bomb) if "," in encoding else bomb
    tracemalloc.start()
    try:
        response = page(world, Stream(bomb), content_encoding=encoding)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert response.content == b"\0" * LONGEST_PAGE
    assert peak < 8 * 2**20


@in_worlds
def test_a_page_that_cannot_be_unpacked_breaks(world: str) -> None:
    """That is the transport's trouble, and told as such; the connection is closed."""
    for encoding in ("gzip", ", ".join(["gzip"] * 6)):
        stream = Stream(b"no gzip")
        with pytest.raises(httpx2.DecodingError):
            page(world, stream, content_encoding=encoding)
        assert stream.closed


CHARSETS = [
    *("utf-8", "utf-16", "utf-32", "utf-7", "ascii", "latin-1", "cp1252", "shift_jis", "gbk", "hz"),
    *("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "charmap", "mbcs"),
    *("rot13", "hex", "base64", "bz2", "zlib", "uu", "quopri", "no-such", "", "\0", "x" * 1000),
]


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("content", [WHOLE, b"\xff\xfe\0 x", b"a-" + b"z9" * 40_000, b""])
def test_any_charset_may_be_named(charset: str, content: bytes) -> None:
    """A page is text in the end, whatever it says it is."""
    response = page("sync", Stream(content), content_type=f"text/html; charset={charset}")
    assert isinstance(response.text, str)
    assert content != WHOLE or said(response) == JSON or charset in ("utf-16", "hz", "utf-32")


def test_a_charset_that_can_be_read_is_read() -> None:
    """A proxy's page in its own language is no riddle."""
    response = page("sync", Stream("Сервер занят".encode("cp1251")), content_type="text/html; charset=cp1251")
    assert said(response) == "Сервер занят"


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b"[" * 30_000 + b"]" * 30_000,
        b'{"a":' * 201 + b"1" + b"}" * 201,
        b"1" * 5000,
        b"{",
        b"\0",
        b"",
    ],
)
def test_json_that_cannot_be_read_is_text(content: bytes) -> None:
    """Nesting without end and numbers without end are what they look like: no JSON."""
    assert said(page("sync", Stream(content))) == content[:LONGEST_PAGE].decode()


def test_numbers_that_json_has_not_are_read() -> None:
    """As the SDK reads them."""
    assert said(page("sync", Stream(b'{"error": [1e999, NaN]}'))) == {
        "error": [float("inf"), pytest.approx(float("nan"), nan_ok=True)]
    }


def test_who_interrupts_the_decoding_of_a_page_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any charset may fail to decode; what somebody raises meanwhile is theirs."""
    from resilient_stream._http import error_page

    class Odd:
        """A response whose text can't be had."""

        charset_encoding = "odd"

        @property
        def text(self) -> str:
            raise LookupError("unknown encoding: odd")

    odd: Any = Odd()
    assert not error_page._readable(odd)
    monkeypatch.setattr(error_page, "interrupts", lambda error: True)
    with pytest.raises(LookupError):
        error_page._readable(odd)
