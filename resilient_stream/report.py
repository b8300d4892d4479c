"""`report`: what happened on a stream, as a `StreamReport`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._report.model import PartialTurn, StreamReport
    from ._report.parts import AttemptReport, FailureReport, SeamReport

__all__ = ["AttemptReport", "FailureReport", "PartialTurn", "SeamReport", "StreamReport", "report"]


def report(source: object) -> StreamReport:
    """Return what happened on a stream: its attempts, failures, seams and tokens.

    Args:
        source: a stream of the SDK, a raw or streaming response, or an exception; or a response or an
            exception of httpx or httpx2.

    Raises:
        LookupError: ``source`` does not come from a resilient client.
    """
    from ._report.model import report as find  # pydantic is slow to import, and most programs never ask

    return find(source)


def __getattr__(name: str) -> object:
    """A class of a report's, imported when it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._report import model, parts

    return getattr(parts if hasattr(parts, name) else model, name)
