"""Ends streams that were dropped without being closed, when the garbage collector finds them.

The collector may run while its thread holds a lock of the connection pool, of an observer or of a metric.
Re-acquiring that lock in the same thread would deadlock. So a separate thread ends the stream, and the
collector waits for it only a moment.
"""

from __future__ import annotations

import sys
import threading
from _thread import start_new_thread
from collections.abc import Callable
from typing import Final

__all__ = ["apart"]

PATIENCE: Final = 0.5
"""Seconds that the collector waits for the thread. The thread needs a thousandth of that unless a lock is
held."""


def apart(end: Callable[[], None]) -> None:
    """Call ``end`` in a separate thread, and wait for it for at most `PATIENCE` seconds."""
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
