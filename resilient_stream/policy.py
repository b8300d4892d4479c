"""`RetryPolicy`: what is tried after a failure, and for how long."""

from __future__ import annotations

from ._policy.model import RetryPolicy

__all__ = ["RetryPolicy"]
