"""Prints from a separate thread, so that a stopped terminal or a pipe that nobody reads stops no stream."""

from __future__ import annotations

import contextlib
import io
import os
import queue
import threading
from typing import Final, TextIO

MOST: Final = 10_000
"""The most lines that may wait to be printed. More are dropped."""

LAST: Final = 2.0
"""Seconds that the waiting lines get at the end."""


class Printer:
    """As a text file, but `write` never waits.

    Args:
        out: where the text goes.
        most: texts that may wait; more are dropped.
        last: seconds that `close` waits for them.
    """

    def __init__(self, out: TextIO, most: int = MOST, last: float = LAST) -> None:
        self._out, self._last = out, last
        self._waiting: queue.Queue[str | None] = queue.Queue(most)
        self._thread = threading.Thread(target=self._print, name="printer", daemon=True)
        self._thread.start()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._out.isatty()

    def write(self, text: str, /) -> None:
        """Print a text soon."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(text)

    def flush(self) -> None:
        """Nothing to do: each text is written as soon as possible."""

    def close(self) -> None:
        """Write what waits, if that does not take long."""
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=self._last)
        self._thread.join(self._last)

    def _print(self) -> None:
        with contextlib.suppress(OSError):  # nobody reads it any more: the gateway continues without
            while (text := self._waiting.get()) is not None:
                self._write(text)

    def _write(self, text: str) -> None:
        try:
            number = self._out.fileno()
        except io.UnsupportedOperation:  # something in memory
            self._out.write(text)
            return
        # Past the file's own buffer: at the end of a program Python takes its lock, which a thread that waits
        # for a reader would hold.
        left = text.encode(self._out.encoding, "replace")
        while left:
            left = left[os.write(number, left) :]
