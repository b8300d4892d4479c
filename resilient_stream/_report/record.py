"""The record that a client's stream attaches to its requests."""

from __future__ import annotations

from typing import Any

from resilient_stream._core.record.ledger import Record


class ReportedRecord(Record):
    """A record that is copied by reference and pickled as its report. So the exceptions and responses that
    carry it take the report along wherever they go, without content."""

    __slots__ = ()

    def __deepcopy__(self, memo: object) -> ReportedRecord:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        from .model import pickled  # its models take a while to build

        return pickled(self)
