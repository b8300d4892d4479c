"""Where a record hangs so that `report` finds it: on the HTTP request, which every response and exception
names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resilient_stream._core.record.ledger import RECORD_KEY

if TYPE_CHECKING:
    from httpx2 import Request


def attach(request: Request, record: object) -> None:
    """Hang ``record`` on a request, in its extensions and beside them: httpx leaves those out of copies and
    pickles."""
    request.extensions[RECORD_KEY] = record
    vars(request)[RECORD_KEY] = record
