"""A client's request: its head as ASGI has it, and its body, which is read once.

The channel that brings the body also reports that a client has left, so both are read here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from .errors import Refused
from .headers import Headers, value_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATIENCE: Final = 60.0
"""Seconds that a client may take for the next piece of a request's body. (nginx: ``client_body_timeout``.)"""


class ClientLeft(Exception):
    """The client has closed its connection."""


class Body:
    """The body of a request.

    Args:
        receive: ASGI's.
        patience: seconds that each piece may take.
    """

    def __init__(self, receive: Receive, patience: float = PATIENCE) -> None:
        self.left = False
        """Whether the client has left."""
        self._receive, self._patience = receive, patience
        self._read = asyncio.Event()

    @classmethod
    def of_nobody(cls) -> Body:
        """The body of a client that has left."""
        made = cls(_nothing)
        made.left = True
        made._read.set()
        return made

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._next()
            if piece := message.get("body", b""):
                yield piece
            more = message.get("more_body", False)
        self._read.set()

    async def _next(self) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(self._patience):
                message = await self._receive()
        except TimeoutError:
            said = f"no more of the request's body arrived for {self._patience:g} s"
            raise Refused(408, said, close=True) from None
        if message["type"] == "http.disconnect":
            self.left = True
            raise ClientLeft
        return message

    async def whole(self, most: int) -> bytes:
        """The whole body.

        Raises:
            Refused: it has more than ``most`` bytes.
        """
        pieces, size = list[bytes](), 0
        async for piece in self:
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise too_large(most)
        return b"".join(pieces)

    async def until_left(self) -> None:
        """Wait until the client leaves, or its response is complete."""
        await self._read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True


async def _nothing() -> MutableMapping[str, Any]:
    return {"type": "http.disconnect"}


def too_large(most: int) -> Refused:
    """The response to a body that is too large."""
    return Refused(413, f"the request's body has more than {most} bytes", close=True)


@dataclass(frozen=True, slots=True)
class Incoming:
    """The head of a request."""

    method: str
    target: bytes
    """The path and the query as received, without the path at which the application is mounted."""
    headers: Headers
    http_version: str = "1.1"

    @classmethod
    def of(cls, scope: Scope) -> Incoming:
        """From an ASGI scope."""
        path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        root = quote(scope.get("root_path", "")).encode()
        if root and path.startswith(root):
            path = path[len(root) :]
        query: bytes = scope.get("query_string", b"")
        target = path + b"?" + query if query else path
        headers = [(bytes(name).lower(), bytes(value)) for name, value in scope["headers"]]
        return cls(scope["method"].upper(), target, headers, scope.get("http_version", "1.1"))

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.target.partition(b"?")[0].decode("latin-1")

    def value(self, name: str) -> str:
        """The value of a header; empty if there is none."""
        return value_of(self.headers, name.encode())

    @property
    def length(self) -> int | None:
        """The length in ``content-length``; None if there is none."""
        said = self.value("content-length")
        return int(said) if said.isascii() and said.isdigit() else None

    @property
    def has_body(self) -> bool:
        """Whether there is a body, even an empty one."""
        return self.length is not None or bool(self.value("transfer-encoding"))
