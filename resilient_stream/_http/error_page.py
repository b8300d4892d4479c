"""Reads the body of an error response up to a limit, and decodes it whatever it contains.

The API's errors are a few hundred bytes of JSON; a proxy's page has some kilobytes. But a page may also be
endless, compressed a thousandfold, in a charset that does not exist, or nested deeper than any parser allows.
The status alone decides the kind of failure, so such a page must not cause another failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from resilient_stream._core.interruption import interrupts
from resilient_stream._core.wire import safe_json

from .body import AsyncBody, SyncBody

if TYPE_CHECKING:
    from httpx2 import Headers, Response

LONGEST_PAGE: Final = 64 * 1024
"""The most bytes, decoded, that are read of a page. The rest stays unread, and its connection is closed."""

_SLOW_CHARSETS: Final = frozenset({"punycode"})
"""Charsets whose decoding takes a time quadratic in the length of the page."""


def read_page(http: Response) -> None:
    """Read a response's page.

    Raises:
        TransportError: it breaks before its end or its limit.
    """
    if _was_read(http):
        return _keep(http, http.content)
    body, page = SyncBody(http), bytearray()
    try:
        while len(page) <= LONGEST_PAGE and (chunk := body.read()) is not None:
            page += chunk
    finally:
        body.close()
    return _keep(http, page)


async def aread_page(http: Response) -> None:
    """As `read_page`, of an async response."""
    if _was_read(http):
        return _keep(http, http.content)
    body, page = AsyncBody(http), bytearray()
    try:
        while len(page) <= LONGEST_PAGE and (chunk := await body.read()) is not None:
            page += chunk
    finally:
        with anyio.CancelScope(shield=True):  # its time may be up
            await body.close()
    return _keep(http, page)


def _was_read(http: Response) -> bool:
    """Whether somebody has read the page already, for instance an event hook."""
    return "_content" in vars(http)


def _keep(http: Response, page: bytes | bytearray) -> None:
    """Store the page in a response, as if the response had read it itself, so that its text can always be
    read.

    httpx and httpx2 keep what they have read in an attribute of their own, and have no public way to set it.
    """
    vars(http)["_content"] = bytes(page[:LONGEST_PAGE])
    http.is_stream_consumed = http.is_closed = True
    if not _readable(http):
        http.encoding = "utf-8"


def _readable(http: Response) -> bool:
    """Whether the page can be decoded with the response's charset."""
    try:
        return http.charset_encoding not in _SLOW_CHARSETS and len(http.text) >= 0
    except Exception as error:  # anything may be named as a charset, and each fails in its own way
        if interrupts(error):
            raise
        return False


def said(http: Response) -> object:
    """The value of the page's JSON, or else its text."""
    try:
        return safe_json.parse(http.text)
    except ValueError:
        return http.text


def without_encoding(headers: Headers) -> Headers:
    """The headers of a page, without those that describe a body which could not be read."""
    kept = headers.copy()
    for name in ("content-encoding", "content-length", "transfer-encoding"):
        kept.pop(name, None)
    return kept
