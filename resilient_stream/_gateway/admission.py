"""Which requests are let in at all.

The gateway listens on the loopback interface, which every page in a browser of that machine can reach, by a
name of its own choice (DNS rebinding). So it answers to its own names alone. It has one upstream, and takes
no other from a request.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from .errors import Refused
from .request import Incoming

LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
"""Names that are this machine's whoever asks."""


def admit(incoming: Incoming, hosts: Collection[str] | None) -> None:
    """Let a request in.

    Args:
        incoming: the request.
        hosts: the names that the gateway answers to, in lower case; None for any.

    Raises:
        Refused: it asks for another host, or as if this were a proxy of any.
    """
    if incoming.method == "CONNECT" or not incoming.target.startswith(b"/"):
        raise Refused(
            400,
            "the target of a request should be a path: this gateway leads to one API and to no other host",
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
    """The host of a ``Host`` header, without the port, in lower case."""
    host, colon, port = authority.strip().lower().rpartition(":")
    return (host if colon and port.isdigit() else authority.strip().lower()).removesuffix(".")
