"""Attaches the record to requests and responses, where `report` looks for it, and the marks by which one
layer of the library recognises another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from resilient_stream._core.record.ledger import RECORD_KEY

if TYPE_CHECKING:
    from httpx2 import Request

SPLICED: Final = "resilient_stream.spliced"
"""The extension of a response that marks it as read by a layer further in, from any connection and with
timeouts of its own."""

GIVEN_UP: Final = "resilient_stream.given_up"
"""The extension that marks a response which a layer further in has made from a failure without one. Reading
it raises the exception."""


def attach(request: Request, record: object) -> None:
    """Attach ``record`` to a request: in its extensions, and in an attribute, because httpx leaves extensions
    out of copies and pickles."""
    request.extensions[RECORD_KEY] = record
    vars(request)[RECORD_KEY] = record
