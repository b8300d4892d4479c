"""Who watches a stream can't harm it.

Log handlers and filters, observers, span processors, exporters and meters are somebody else's code, and run
in the middle of a stream. What they raise is dropped. A `BaseException` passes: to exit or to be cancelled is
what somebody wants of the whole program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from resilient_stream._core.interruption import quietly

__all__ = ["guarded"]


def guarded(act: Callable[..., object], *args: Any, **options: Any) -> None:
    """Call ``act``, and drop what it raises.

    Raises:
        Exception: what interrupted it.
    """
    with quietly(Exception):
        act(*args, **options)
