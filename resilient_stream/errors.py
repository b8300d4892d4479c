"""The exceptions of the library's own.

There is one::

    ValueError
    └── PolicyError     the policy as written cannot be meant

A stream that fails raises the SDK's exceptions, never one of these.
"""

from __future__ import annotations

__all__ = ["PolicyError"]


class PolicyError(ValueError):
    """A policy was written wrongly: an unknown field, an impossible value, a contradiction, a missing file.

    The text names the field, the value and what would be right. It is raised where the policy is
    made, before any request is sent, except for what a strategy of the user's own answers: that
    is only known when the strategy is asked.
    """
