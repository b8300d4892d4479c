"""Protects a stream from the code that observes it.

Log handlers and filters, observers, span processors, exporters and meters are code of others, and run in the
middle of a stream. Their exceptions are dropped. A `BaseException` passes, because an exit or a cancellation
concerns the whole program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from resilient_stream._core.interruption import quietly

__all__ = ["guarded"]


def guarded(act: Callable[..., object], *args: Any, **options: Any) -> None:
    """Call ``act``, and drop any exception that it raises.

    Raises:
        Exception: an exception with which somebody interrupted the call.
    """
    with quietly(Exception):
        act(*args, **options)
