"""`Observer`: its methods are called when something happens on a stream."""

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
