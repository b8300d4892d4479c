"""`report`: what happened on a stream, as a `StreamReport`."""

from __future__ import annotations

from ._report.model import (
    AttemptReport,
    FailureReport,
    PartialTurn,
    SeamReport,
    StreamReport,
    report,
)

__all__ = ["AttemptReport", "FailureReport", "PartialTurn", "SeamReport", "StreamReport", "report"]
