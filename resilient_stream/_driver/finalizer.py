"""What is done for a stream that was dropped, when the collector finds it.

The collector runs wherever a thread happens to be: within a lock of the connection pool, of an observer, of
a metric. Taken once more by the same thread, such a lock would never open. So what is left to do is done
in a thread of its own, and the collector waits for it only a moment.
"""

from __future__ import annotations

import sys
import threading
from _thread import start_new_thread
from collections.abc import Callable
from typing import Final

__all__ = ["apart"]

PATIENCE: Final = 0.5
"""Seconds that the collector waits. A thousandth of that is enough, unless a lock is held."""


def apart(end: Callable[[], None]) -> None:
    """Call ``end`` in a thread of its own, and wait for it a moment."""
    ended = threading.Event()

    def run() -> None:
        try:
            end()
        finally:
            ended.set()

    if sys.is_finalizing():  # a thread that begins now never runs
        run()
        return
    try:
        start_new_thread(run, ())  # `Thread` takes a lock, within which the collector may have come
    except RuntimeError:  # newer Pythons refuse at exit; and there may be too many
        run()
    ended.wait(PATIENCE)
