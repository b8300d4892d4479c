"""A request as received, and the record of how it was answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .continuations import Form
from .faults import Fault


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as received; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    http_version: str = "1.1"

    @property
    def persistent(self) -> bool:
        """Whether the client wants to use the connection again."""
        options = self.headers.get("connection", "").lower().replace(" ", "").split(",")
        return self.http_version != "1.0" and "close" not in options


@dataclass(frozen=True, slots=True)
class Received:
    """The record of one request and of how it was answered.

    ``json`` is None if the body is not JSON; it includes what Vertex and Bedrock have in the path. ``status``
    is None if no status was sent. ``form`` is how the request was understood, and ``quote`` the fragment that
    it quotes. ``matched`` is False for a continuation of something that the author never wrote; it is
    answered from the beginning. ``rule`` names the rule that refused the request.
    """

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    json: Any = field(repr=False)
    status: int | None = None
    form: Form = "fresh"
    quote: str = ""
    matched: bool = True
    fault: Fault | None = None
    rule: str | None = None
    http_version: str = "1.1"
