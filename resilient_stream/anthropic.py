"""For clients of the official SDK: `resilient`, or `ResumeMiddleware` for your own chain of middleware."""

from __future__ import annotations

from ._sdk.middleware import ResumeMiddleware, resilient

__all__ = ["ResumeMiddleware", "resilient"]
