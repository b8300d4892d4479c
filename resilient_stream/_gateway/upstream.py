"""The one API behind the gateway: its address, its connections, and the requests to it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.request import getproxies, proxy_bypass

import httpx2

from .headers import Headers, to_upstream
from .request import Body, Incoming

IDLE: Final = 256
"""The most connections that are kept open while nobody uses them. Those in use are limited only by the
streams."""

IDLE_SECONDS: Final = 30.0
"""Seconds that such a connection is kept. Load balancers close theirs after 60 and more."""


class AddressError(ValueError):
    """The address of the upstream is not one that requests can go to."""


class Upstream:
    """The API.

    Args:
        address: its base URL, a path included if there is one.
        verify: as httpx2 has it: True, or a TLS context.
        transport: the httpx2 transport that sends requests; None for the default one.

    Raises:
        AddressError: ``address`` is not such a URL.
    """

    def __init__(
        self,
        address: str,
        *,
        verify: ssl.SSLContext | bool = True,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        try:
            url = httpx2.URL(address.rstrip("/"))
        except httpx2.InvalidURL as error:
            raise AddressError(f"{address!r} is not a URL: {error}") from error
        if url.scheme not in ("http", "https") or not url.host or url.query or url.userinfo:
            raise AddressError(f"{address!r}: should be http:// or https://, a host, and perhaps a path")
        self.url = url
        self._prefix = b"" if url.raw_path == b"/" else url.raw_path
        self.transport = transport or httpx2.AsyncHTTPTransport(
            verify=verify,
            proxy=proxy_for(url),
            limits=httpx2.Limits(
                max_connections=None, max_keepalive_connections=IDLE, keepalive_expiry=IDLE_SECONDS
            ),
        )

    def request(self, incoming: Incoming, content: Body | bytes | None) -> httpx2.Request:
        """The request for the upstream: the client's, to another host.

        Args:
            incoming: the client's.
            content: its body, read or not; None if it has none.
        """
        target = self._prefix + incoming.target
        url = self.url.copy_with(raw_path=target)
        extensions: dict[str, Any] = {} if url.raw_path == target else {"target": target}
        headers = to_upstream(incoming.headers, self.url.netloc)
        return httpx2.Request(
            incoming.method,
            url,
            headers=framed(headers, incoming, content),
            stream=_Flowing(content) if isinstance(content, Body) else httpx2.ByteStream(content or b""),
            extensions=extensions,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self.transport.aclose()


def framed(headers: Headers, incoming: Incoming, content: Body | bytes | None) -> Headers:
    """The headers with those that give the body's length. They are the client's, unless the body is held
    here."""
    if isinstance(content, Body):
        return headers if incoming.length is not None else [*headers, (b"transfer-encoding", b"chunked")]
    if content is None:
        return headers
    kept = [(name, value) for name, value in headers if name != b"content-length"]
    return [*kept, (b"content-length", b"%d" % len(content))]


def proxy_for(url: httpx2.URL) -> str | None:
    """The proxy that the environment names for the upstream; None if there is none, or the upstream is
    local."""
    if proxy_bypass(url.host) or url.host in ("localhost", "127.0.0.1", "::1"):
        return None
    return getproxies().get(url.scheme)


class _Flowing(httpx2.AsyncByteStream):
    """A body that is forwarded as it arrives."""

    def __init__(self, body: Body) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            yield piece
