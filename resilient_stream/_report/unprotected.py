"""Marks a call that could not be protected."""

from __future__ import annotations

from typing import NamedTuple


class Unprotected(NamedTuple):
    """Is attached to a request instead of a record."""

    reason: str
    """Why, in a few words."""
