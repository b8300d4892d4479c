"""Which headers pass in either direction: all except those of one connection and those of the gateway."""

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
"""The beginning of the names of headers that a client and the gateway exchange."""


def value_of(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """The value of a header, or those of several of the same name in one list; empty if there is none."""
    return ", ".join(value.decode("latin-1") for each, value in headers if each == name)


def passing(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers that pass, in their order: without those of one connection, those that ``connection``
    names, and the gateway's."""
    named = [(name.lower(), value) for name, value in headers]
    options = {word.strip().lower().encode("latin-1") for word in value_of(named, b"connection").split(",")}
    dropped = HOP_BY_HOP | options
    return [(name, value) for name, value in named if name not in dropped and not name.startswith(OURS)]


def to_upstream(headers: Iterable[tuple[bytes, bytes]], host: bytes) -> Headers:
    """A request's headers as the upstream receives them.

    ``expect`` is answered here, and ``host`` is the upstream's.

    Args:
        headers: the client's.
        host: the upstream's host, with its port where it has one.
    """
    kept = [(name, value) for name, value in passing(headers) if name not in (b"expect", b"host")]
    return [(b"host", host), *kept]


def without(headers: Headers, *names: bytes) -> Headers:
    """The headers without those of these names."""
    return [(name, value) for name, value in headers if name not in names]
