"""What the tests of the demo share: reports written by hand, and a stream of text that is a terminal."""

from __future__ import annotations

import io
from typing import Any

from resilient_stream import StreamReport

FAILED: dict[str, Any] = {"kind": "reset", "phase": "body", "in_band": False, "detail": "ReadError"}


def attempt(number: int, characters: int = 0, failure: str = "", **more: Any) -> dict[str, Any]:
    """One attempt of a report."""
    return {
        "number": number,
        "kind": "first" if number == 1 else "user_turn",
        "model": "claude-sonnet-5",
        "request_id": None,
        "message_id": None,
        "status": 200,
        "failure": {**FAILED, "kind": failure} if failure else None,
        "events": 0,
        "characters": characters,
        "usage": {},
        "usage_source": "unknown",
        "wait": 0.0,
        "duration": None,
        **more,
    }


def seam(number: int, **more: Any) -> dict[str, Any]:
    """One seam of a report."""
    return {
        "attempt": number,
        "at": 0,
        "joined": "echo",
        "trimmed": 0,
        "supplied": 0,
        "verified": True,
        **more,
    }


def report(*attempts: dict[str, Any], **more: Any) -> StreamReport:
    """A report of these attempts."""
    given = {
        "outcome": "running",
        "resumed": False,
        "reason": "",
        "limit": None,
        "attempts": attempts,
        "seams": [],
        "abandoned": [],
        "serving_model": None,
        "usage": {},
        **more,
    }
    return StreamReport.model_validate(given)


class Output(io.TextIOWrapper):
    """What a program writes, with the encoding and the kind of reader that a test wants."""

    def __init__(self, *, encoding: str = "utf-8", terminal: bool = False) -> None:
        """Nothing is written yet."""
        super().__init__(io.BytesIO(), encoding=encoding, errors="replace")
        self.terminal = terminal

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self.terminal

    @property
    def text(self) -> str:
        """What was written so far."""
        self.flush()
        raw = self.buffer
        assert isinstance(raw, io.BytesIO)
        return raw.getvalue().decode(self.encoding)
