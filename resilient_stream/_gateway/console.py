"""The output of a running gateway: a line per important event, and live counts on a terminal."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from resilient_stream._telemetry.attributes import SCOPE

from .streams import Counts, Ended

CLEAR: Final = "\r\x1b[2K"
"""Moves to the beginning of the line, and clears it."""

TOLD: Final = ("retried", "resumed", "lost")
"""The ends of streams that are printed."""


class Out(Protocol):
    """The interface of a text file that a console uses."""

    def write(self, text: str, /) -> object:
        """Write a text."""

    def flush(self) -> object:
        """Write what is buffered."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        ...


class Console:
    """Prints lines.

    Args:
        out: where to.
        as_json: print one JSON object a line, for programs; otherwise text, for people.
        now: the time of day, as a word.
        process: the id of this process, where several print to one place.
    """

    def __init__(
        self,
        out: Out | None = None,
        *,
        as_json: bool = False,
        now: Callable[[], str] | None = None,
        process: int | None = None,
    ) -> None:
        self._out: Out = out or sys.stdout
        self._json, self._process = as_json, process
        self._now = now or (lambda: time.strftime("%Y-%m-%dT%H:%M:%S%z" if as_json else "%H:%M:%S"))
        self._live = ""

    def say(self, event: str, words: str, **fields: Any) -> None:
        """Print a line.

        Args:
            event: what it is about, in a word; for programs.
            words: the text; for people.
            fields: more of it; for programs.
        """
        if self._json:
            whose = {} if self._process is None else {"process": self._process}
            line = json.dumps({"time": self._now(), **whose, "event": event, "message": words, **fields})
        else:
            whom = "" if self._process is None else f"[{self._process}] "
            line = f"{self._now()} {whom}{words}"
        self._print(f"{CLEAR if self._live else ''}{line}\n{self._live}")

    def ended(self, ended: Ended) -> None:
        """Print a line about a stream that was resumed, or is lost."""
        if ended.what not in TOLD:
            return
        told = ended.told
        words = [
            f"{ended.what} {told['id']} {told['model'] or 'a model'}:",
            f"{counted(told['attempts'], 'request')} ({', '.join(told['failures'])}),",
            f"{counted(told['seams'], 'seam')} ({told['unverified']} unverified)," if told["seams"] else "",
            f"{told['characters']} characters, {told['seconds']:.1f} s",
            f"- {ended.reason}" if ended.what == "lost" else "",
        ]
        self.say(ended.what, " ".join(filter(None, words)), reason=ended.reason, **told)

    def live(self, running: int, counts: Counts) -> None:
        """Overwrite a line with the counts, on a terminal."""
        if self._json or not self._out.isatty():
            return
        line = " · ".join(
            [f"{running} running", *(f"{getattr(counts, name)} {name}" for name in counts.__slots__)]
        )
        if line != self._live:
            self._live = line
            self._print(f"{CLEAR}{line}")

    def close(self) -> None:
        """Leave the live line as it is."""
        if self._live:
            self._live = ""
            self._print("\n")

    def _print(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except OSError:  # nobody reads it any more: the gateway continues without
            return


def counted(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


ABOUT_A_STREAM: Final = f"{SCOPE}.stream"
"""The attribute that log records about a stream have."""


class Lines(logging.Handler):
    """Prints warnings of the server and of the library: for example that a journal can't be written. Not
    those about the end of a stream, which has a line of its own, and not that a response has no end, which is
    how a lost stream ends.

    Args:
        console: prints them.
    """

    EXPECTED: Final = ("ASGI callable returned without completing response",)

    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        message = record.getMessage()
        ended = record.exc_info is not None and not isinstance(record.exc_info[1], Exception)
        if ended or message.startswith(self.EXPECTED) or hasattr(record, ABOUT_A_STREAM):
            return
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self._console.say("server", f"{message.strip()} {trace}".strip(), level=record.levelname.lower())
