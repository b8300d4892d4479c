"""The error of a command that can't do what was asked."""

from __future__ import annotations


class UsageError(Exception):
    """The command can't do what was asked. The text is for the user."""
