"""Who watches a stream can't harm it.

Log handlers and filters, observers, span processors, exporters and meters are somebody else's code, and run
in the middle of a stream. What they raise is dropped. A `BaseException` passes: to exit or to be cancelled is
what somebody wants of the whole program.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

__all__ = ["guarded"]


def guarded(act: Callable[..., object], *args: Any, **options: Any) -> None:
    """Call ``act``, and drop what it raises."""
    with contextlib.suppress(Exception):
        act(*args, **options)
