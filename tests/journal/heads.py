"""Heads of streams."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from resilient_stream._journal.entries import Head, Status

_HEAD = Head("s", "0123456789ab", Status.RUNNING, 1, "a", 110.0, 0, 0, 100.0, 100.0, "", stopping=False)


def head(**fields: Any) -> Head:
    """One that was begun at 100 and is leased until 110."""
    return replace(_HEAD, **fields)
