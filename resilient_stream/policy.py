"""`RetryPolicy`: how hard a stream is tried, and what may be kept of it."""

from __future__ import annotations

from ._policy.model import RetryPolicy

__all__ = ["RetryPolicy"]
