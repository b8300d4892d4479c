"""What a command says where it can't do what it was asked to."""

from __future__ import annotations


class UsageError(Exception):
    """The command can't do what it was asked to. The text is for the user."""
