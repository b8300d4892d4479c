"""Attaches to requests and responses the record, which `report` looks for, and the marks by which one layer
of the library recognises another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from resilient_stream._core.record.ledger import RECORD_KEY

if TYPE_CHECKING:
    from httpx2 import Request

SPLICED: Final = "resilient_stream.spliced"
"""The name under which the extensions of a response say that a layer further in reads its body: from any
connection, and with clocks of its own."""

GIVEN_UP: Final = "resilient_stream.given_up"
"""The same, of a response that a layer further in has made of a failure without one. Reading it raises the
exception."""


def attach(request: Request, record: object) -> None:
    """Attach ``record`` to a request: in its extensions, and in an attribute, because httpx leaves extensions
    out of copies and pickles."""
    request.extensions[RECORD_KEY] = record
    vars(request)[RECORD_KEY] = record
