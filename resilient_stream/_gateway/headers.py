"""Which headers pass, in either direction: all of them, but those that belong to one connection or to us."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

Headers = list[tuple[bytes, bytes]]
"""Names in lower case, as ASGI has them."""

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Headers of one connection [RFC 9110, 7.6.1]."""

OURS: Final = b"resilient-"
"""How the names of headers begin that a client and the gateway exchange."""


def value_of(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """The value of a header, or of several of the same name in one list; empty where there is none."""
    return ", ".join(value.decode("latin-1") for each, value in headers if each == name)


def passing(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers that go on, in their order: not those of one connection, nor those that ``connection``
    names, nor ours."""
    named = [(name.lower(), value) for name, value in headers]
    options = {word.strip().lower().encode("latin-1") for word in value_of(named, b"connection").split(",")}
    dropped = HOP_BY_HOP | options
    return [(name, value) for name, value in named if name not in dropped and not name.startswith(OURS)]


def to_upstream(headers: Iterable[tuple[bytes, bytes]], host: bytes) -> Headers:
    """A request's headers as the upstream gets them.

    ``expect`` is answered here, and ``host`` is the upstream's.

    Args:
        headers: the client's.
        host: the upstream's host, with its port where it has one.
    """
    kept = [(name, value) for name, value in passing(headers) if name not in (b"expect", b"host")]
    return [(b"host", host), *kept]


def without(headers: Headers, *names: bytes) -> Headers:
    """The headers but those of these names."""
    return [(name, value) for name, value in headers if name not in names]
