"""The mark of a call that could not be protected."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unprotected:
    """Hangs on a request in place of a record."""

    reason: str
    """Why, in a few words."""
