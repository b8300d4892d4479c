"""What exceptions hold on to while the next attempt runs."""

from __future__ import annotations

import gc
import traceback
import types
import weakref
from collections.abc import Generator
from typing import Any, cast

import httpx
import httpx2
import pytest

from resilient_stream._http.lighten import lighten

BROKEN = """
def broken(body):
    try:
        body[len(body)] = 0
    except IndexError as error:
        raise Broken("broke", request=theirs) from error
"""

SHARED = """
def shared(error):
    try:
        raise error
    except error.__class__:
        yield "closing"
        raise

async def task(error):
    try:
        raise error
    except error.__class__:
        await sleep()
        raise
"""


class Body(bytearray):
    """Can be referred to weakly."""


@pytest.mark.parametrize("http", [httpx2, httpx])
@pytest.mark.parametrize(
    ("module", "kept"),
    [("httpcore2._sync.http11", False), ("httpcore._sync.http11", False), ("users.own", True)],
)
def test_an_error_that_is_kept_keeps_nothing_large(http: Any, module: str, kept: bool) -> None:
    """The frames of a transport that are over let go of what they have; nobody else's are touched."""
    names: dict[str, Any] = {
        "__name__": module,
        "Broken": http.ReadError,
        "theirs": http.Request("POST", "http://other.test"),
    }
    exec(BROKEN, names)  # noqa: S102 -- a module of that name
    body = Body(b"a continuation")
    gone = weakref.ref(body)
    with pytest.raises(http.ReadError) as raised:
        names["broken"](body)
    error, request = raised.value, http.Request("POST", "http://api.test/v1/messages")
    del body
    lighten([error, cast("BaseException", error.__cause__)], request)
    gc.collect()
    assert (gone() is not None) is kept
    assert error.request is request
    assert error.__traceback__ is not None


@pytest.mark.parametrize("traced", [False, True], ids=["alone", "traced"])
@pytest.mark.parametrize("kind", ["shared", "task"])
def test_what_another_stream_still_runs_goes_on(kind: str, *, traced: bool) -> None:
    """Streams of one connection may share its exception: what has not ended in its traceback is left alone,
    also if a debugger looks on."""

    @types.coroutine
    def sleep() -> Generator[str]:
        yield "closing"

    names: dict[str, Any] = {"__name__": "httpcore2._async.http2", "sleep": sleep}
    exec(SHARED, names)  # noqa: S102 -- a module of that name
    error = httpx2.ReadError("broke")
    other = names[kind](error)
    assert other.send(None) == "closing"
    for frame, _ in traceback.walk_tb(error.__traceback__):
        frame.f_trace = (lambda *_: None) if traced else frame.f_trace
    lighten([error], httpx2.Request("POST", "http://api.test/v1/messages"))
    with pytest.raises(httpx2.ReadError):
        other.send(None)
