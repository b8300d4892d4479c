"""What the proxy recorded of one request and its answer, and how to read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answered:
    """One request that the proxy passed on, and the part of the answer that it passed back."""

    request: bytes = field(repr=False)
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    cut: bool
    """Whether the proxy ended it early."""

    @property
    def asked(self) -> Mapping[str, Any]:
        """The request's JSON."""
        parsed = json.loads(self.request)
        return parsed if isinstance(parsed, dict) else {}

    @property
    def continues(self) -> bool:
        """Whether the request contains an assistant turn. Only continuations do here."""
        return any(message.get("role") == "assistant" for message in self.asked.get("messages", ()))

    def frames(self) -> Iterator[bytes]:
        """The whole frames of an event stream, each with its empty line."""
        for frame in self.body.replace(b"\r\n", b"\n").split(b"\n\n")[:-1]:
            yield frame + b"\n\n"

    def events(self) -> Iterator[Mapping[str, Any]]:
        """The JSON of each frame that has any."""
        for frame in self.frames():
            for line in frame.split(b"\n"):
                if line.startswith(b"data:"):
                    try:
                        event = json.loads(line[5:])
                    except ValueError:
                        continue
                    if isinstance(event, dict):
                        yield event
