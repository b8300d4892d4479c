"""What exceptions hold on to while the next attempt runs."""

from __future__ import annotations

import gc
import weakref
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
