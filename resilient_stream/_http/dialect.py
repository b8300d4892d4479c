"""httpx2 and httpx: two packages with the same interface and different classes.

The SDK uses httpx2; programs without the SDK use either. Their clients accept only stream classes of their
own package, and raise its exceptions. This module imports neither: a `Dialect` looks the classes up in the
package of a response or a request, which is therefore imported already.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # both packages have these; httpx2's stand for both
    from httpx2 import AsyncByteStream, Headers, Request, Response, SyncByteStream

HTTP: Final = ("httpx2", "httpx")
CORE: Final = ("httpcore2", "httpcore")
"""The package on which each of them is built."""


def classes(packages: tuple[str, ...], name: str) -> tuple[type[Any], ...]:
    """The classes of that name in those of the packages that are imported."""
    loaded = (sys.modules.get(package) for package in packages)
    found = (getattr(package, name, None) for package in loaded)
    return tuple(each for each in found if isinstance(each, type))


class Dialect:
    """The classes of one of the packages.

    Args:
        package: its name; it is imported already.
    """

    def __init__(self, package: str) -> None:
        http: Any = sys.modules[package]
        self.package = package
        self.read_timeout: type[Exception] = http.ReadTimeout
        self._http = http
        self._sync: Any = type("ResilientBody", (_SyncBody, http.SyncByteStream), {})
        self._async: Any = type("AsyncResilientBody", (_AsyncBody, http.AsyncByteStream), {})

    def sync_stream(self, body: Any) -> SyncByteStream:
        """``body`` as a stream of this package.

        Args:
            body: anything with ``__iter__`` and ``close``. Iterating the stream is iterating it, at no cost.
        """
        stream: SyncByteStream = self._sync(body)
        return stream

    def async_stream(self, body: Any) -> AsyncByteStream:
        """As `sync_stream`, for anything with ``__aiter__`` and ``aclose``."""
        stream: AsyncByteStream = self._async(body)
        return stream

    def stream_of(self, content: bytes) -> Any:
        """Bytes as a stream, sync and async."""
        return self._http.ByteStream(content)

    def response(
        self,
        status: int,
        headers: Headers,
        request: Request | None,
        *,
        stream: SyncByteStream | AsyncByteStream | None = None,
        content: bytes | None = None,
    ) -> Response:
        """A response of this package."""
        made: Response = self._http.Response(
            status, headers=headers, stream=stream, content=content, request=request
        )
        return made

    def request(self, method: str, url: str) -> Request:
        """A request of this package."""
        made: Request = self._http.Request(method, url)
        return made


@cache
def dialect(package: str) -> Dialect:
    """The dialect of a package that is imported."""
    return Dialect(package)


def dialect_of(thing: object) -> Dialect:
    """The dialect of a response or a request.

    Raises:
        TypeError: it is of neither package.
    """
    for kind in type(thing).__mro__:
        package = kind.__module__.partition(".")[0]
        if package in HTTP:
            return dialect(package)
    raise TypeError(f"should be of {' or '.join(HTTP)}; not {type(thing).__name__}")


class _Body:
    """A body with the interface that a client expects."""

    def __init__(self, body: Any) -> None:
        self._body = body

    @property
    def elapsed(self) -> timedelta | None:
        """What ``response.elapsed`` asks its stream for."""
        elapsed: timedelta | None = getattr(self._body, "elapsed", None)
        return elapsed


class _SyncBody(_Body):
    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        self._body.close()


class _AsyncBody(_Body):
    def __aiter__(self) -> AsyncIterator[bytes]:
        iterator: AsyncIterator[bytes] = aiter(self._body)
        return iterator

    async def aclose(self) -> None:
        await self._body.aclose()
