"""`report`: what happened on a stream, as a `StreamReport`."""

from __future__ import annotations

from ._report.model import PartialTurn, StreamReport, report
from ._report.parts import AttemptReport, FailureReport, SeamReport

__all__ = ["AttemptReport", "FailureReport", "PartialTurn", "SeamReport", "StreamReport", "report"]
