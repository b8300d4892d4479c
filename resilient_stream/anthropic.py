"""The way in for clients of the official SDK: `resilient`, or `ResumeMiddleware` for a chain of one's own."""

from __future__ import annotations

from ._sdk.middleware import ResumeMiddleware, resilient

__all__ = ["ResumeMiddleware", "resilient"]
