"""Marks a call that could not be protected."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unprotected:
    """Is attached to a request instead of a record."""

    reason: str
    """Why, in a few words."""
