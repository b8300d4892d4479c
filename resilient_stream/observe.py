"""`Observer`: is told what happens on a stream while it happens."""

from __future__ import annotations

from ._telemetry.observers import (
    AttemptRecord,
    EndRecord,
    FailureRecord,
    GiveUpRecord,
    Observer,
    ResumeRecord,
    StreamRecord,
    WaitRecord,
)

__all__ = [
    "AttemptRecord",
    "EndRecord",
    "FailureRecord",
    "GiveUpRecord",
    "Observer",
    "ResumeRecord",
    "StreamRecord",
    "WaitRecord",
]
