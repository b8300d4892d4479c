"""Decides which requests are accepted at all.

The gateway listens on the loopback interface. Every page in a browser of that machine can reach it under a
name of its own choice (DNS rebinding). So the gateway answers only to its own names. It has one upstream,
which no request can change.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from .errors import Refused
from .request import Incoming

LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
"""Names of the loopback interface."""


def admit(incoming: Incoming, hosts: Collection[str] | None) -> None:
    """Check that a request may be answered.

    Args:
        incoming: the request.
        hosts: the names that the gateway answers to, in lower case; None for any.

    Raises:
        Refused: it asks for another host, or treats the gateway as a general proxy.
    """
    if incoming.method == "CONNECT" or not incoming.target.startswith(b"/"):
        raise Refused(
            400,
            "the target of a request should be a path: this gateway forwards to one API only",
            close=True,
        )
    name = host_of(incoming.value("host"))
    if hosts is not None and name not in hosts:
        raise Refused(
            403,
            "the Host header of the request names a host that this gateway does not answer to; "
            "start it with --allow-host to add one",
            close=True,
        )


def host_of(authority: str) -> str:
    """The host in a ``Host`` header, without the port, in lower case."""
    host, colon, port = authority.strip().lower().rpartition(":")
    return (host if colon and port.isdigit() else authority.strip().lower()).removesuffix(".")
