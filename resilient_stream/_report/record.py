"""The record that a stream of a client's leaves on its requests."""

from __future__ import annotations

from typing import Any

from resilient_stream._core.record.ledger import Record


class ReportedRecord(Record):
    """A record that is copied by reference and pickled as its report, so that the exceptions and responses on
    which it hangs take the report along wherever they go, and no content with it."""

    __slots__ = ()

    def __deepcopy__(self, memo: object) -> ReportedRecord:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        from .model import pickled  # a report's models take a while to build, and most programs never ask

        return pickled(self)
