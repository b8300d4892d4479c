"""Two packages of one shape."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import anyio
import httpcore
import httpcore2
import httpx
import httpx2
import pytest

from resilient_stream._http.dialect import CORE, HTTP, classes, dialect, dialect_of

PACKAGES = pytest.mark.parametrize("http", [httpx2, httpx])


class Chunks:
    """A body, sync and async."""

    elapsed = timedelta(seconds=3)

    def __init__(self) -> None:
        self.left, self.closed = [b"a", b"b"], 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.left)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.left:
            yield chunk

    def close(self) -> None:
        """Count."""
        self.closed += 1

    async def aclose(self) -> None:
        """Count."""
        self.closed += 1


@PACKAGES
def test_a_response_speaks_its_own_dialect(http: Any) -> None:
    """So do requests, and classes made from the package's; a dialect is made once."""

    class Own(http.Response):  # type: ignore[misc]  # the package is a parameter
        """A response class of a user's."""

    for thing in (http.Response(200), http.Request("GET", "/"), Own(200)):
        assert dialect_of(thing) is dialect(http.__name__)
    assert issubclass(dialect(http.__name__).read_timeout, http.ReadTimeout)


def test_anything_else_is_refused() -> None:
    """With the names of what it should be."""
    with pytest.raises(TypeError, match="should be of httpx2 or httpx; not int"):
        dialect_of(3)


@PACKAGES
def test_a_body_is_a_stream_of_the_package(http: Any) -> None:
    """Its client takes it, iterating it is iterating the body, closing it closes the body, and it tells its time."""
    body = Chunks()
    stream: Any = dialect(http.__name__).sync_stream(body)
    assert isinstance(stream, http.SyncByteStream)
    assert not isinstance(stream, http.AsyncByteStream)
    response = http.Response(200, stream=stream)
    assert b"".join(response.iter_bytes()) == b"ab"
    assert body.closed == 1
    assert stream.elapsed == body.elapsed


@PACKAGES
@pytest.mark.parametrize("world", ["asyncio", "trio"])
def test_an_async_body_is_a_stream_of_the_package(http: Any, world: str) -> None:
    """As a sync one."""
    body = Chunks()
    stream = dialect(http.__name__).async_stream(body)
    assert isinstance(stream, http.AsyncByteStream)
    assert not isinstance(stream, http.SyncByteStream)
    response = http.Response(200, stream=stream)
    assert anyio.run(response.aread, backend=world) == b"ab"
    assert body.closed == 1


@PACKAGES
def test_a_body_that_does_not_tell_its_time_has_none(http: Any) -> None:
    """The response then says so in its own way."""
    response = http.Response(200, stream=dialect(http.__name__).sync_stream(iter([b"a"])))
    with pytest.raises(RuntimeError, match="elapsed"):
        _ = response.elapsed


@PACKAGES
def test_responses_and_requests_are_made_in_the_dialect(http: Any) -> None:
    """With a stream or with content."""
    own = dialect(http.__name__)
    request = own.request("POST", "http://api.test/v1")
    made = own.response(503, http.Headers({"a": "b"}), request, content=b"c")
    assert (type(made), made.status_code, made.content, made.request) == (http.Response, 503, b"c", request)
    streamed = own.response(200, http.Headers(), request, stream=own.stream_of(b"d"))
    assert streamed.read() == b"d"


def test_classes_are_those_of_the_packages_that_are_imported() -> None:
    """Of both where both are; what is no class, and what there is none of, is left out."""
    assert classes(HTTP, "ReadError") == (httpx2.ReadError, httpx.ReadError)
    assert classes(CORE, "ReadTimeout") == (httpcore2.ReadTimeout, httpcore.ReadTimeout)
    assert classes(HTTP, "get") == classes(HTTP, "Nothing") == classes(("nowhere",), "ReadError") == ()


IMPORTS = """
import sys
import {package}
import resilient_stream._http.exchange, resilient_stream._http.error_page
from resilient_stream._http.classify import of_exception
from resilient_stream._core.failures import Phase
assert of_exception({package}.ReadTimeout(""), Phase.BODY).kind == "silent"
assert {other!r} not in sys.modules
"""


@pytest.mark.parametrize(("package", "other"), [("httpx2", "httpx"), ("httpx", "httpx2")])
def test_neither_package_is_imported_for_the_other(package: str, other: str) -> None:
    """A program that speaks one of them does without the other."""
    program = IMPORTS.format(package=package, other=other)
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
