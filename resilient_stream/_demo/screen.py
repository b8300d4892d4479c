"""The output of the demo: what the terminal can show, and how tables and marks look."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Final, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .marks import Mark

WIDE: Final = 200
"""Columns for tables without line breaks: in a file, in a pipe."""

NARROW: Final = 79
"""The most columns for sentences and rules. Tables of more than numbers leave something out if there are
fewer."""


@dataclass(frozen=True, slots=True)
class Signs:
    """The few characters that are not ASCII; each set is complete."""

    opens: str
    closes: str
    proved: str
    unproved: str
    rule: str
    bar: str


SIGNS: Final = Signs("\u27ea", "\u27eb", "\u2713", "?", "\u2500", "\u2501")
ASCII: Final = Signs("<<", ">>", "ok", "?", "-", "=")


class Screen:
    """A text output, and what is known about its reader.

    A terminal gets marks in the text, and colours and lines unless ``NO_COLOR`` is set or ``TERM`` is dumb.
    Any other output gets plain text and plain tables. If the encoding lacks a character, ASCII is used.
    """

    def __init__(self, out: TextIO, environ: Mapping[str, str] = os.environ) -> None:
        self._out = out
        self.marks = out.isatty()
        self.colours = self.marks and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        self.signs = SIGNS if _encodes(out, SIGNS) else ASCII
        self.width = shutil.get_terminal_size().columns if self.marks else WIDE

    def write(self, text: str) -> None:
        """Write a text at once, unchanged."""
        self._out.write(text)
        self._out.flush()

    def mark(self, mark: Mark) -> None:
        """Write a mark inside the text, on a terminal only."""
        if self.marks:
            label = f"{self.signs.opens}{', '.join(mark.kinds)}{self.signs.closes}"
            self.write(f"\x1b[1;35m{label}\x1b[0m" if self.colours else label)

    def line(self, text: str = "", style: str = "") -> None:
        """Write a line of the demo itself, wrapped at the edge."""
        self._render(Text(text, style=style), min(self.width, NARROW))

    def rule(self) -> None:
        """Draw a line between the demo's text and the answer's."""
        self.line(self.signs.rule * min(self.width, NARROW), "dim")

    def table(self, *, heads: bool = True) -> Table:
        """An empty table in the style of this screen. `show` it when it is filled."""
        lines = box.SIMPLE_HEAD if self.colours and self.signs is SIGNS else None
        pad = (0, 1 if lines else 2, 0, 0)
        return Table(
            box=lines, padding=pad, pad_edge=False, show_edge=False, show_header=heads, header_style="bold"
        )

    def show(self, table: Table) -> None:
        """Write a table."""
        self._render(table, self.width)

    def _render(self, what: Text | Table, width: int) -> None:
        """Write through rich, but via a string, because the caller handles failures of the output."""
        drawn = io.StringIO()
        console = Console(
            file=drawn,
            width=width,
            force_terminal=self.colours,
            color_system="standard" if self.colours else None,
            legacy_windows=False,
            highlight=False,
            emoji=False,
            markup=False,
        )
        console.print(what)
        self.write("".join(f"{line.rstrip()}\n" for line in drawn.getvalue().splitlines()))


def _encodes(out: TextIO, signs: Signs) -> bool:
    try:
        "".join(astuple(signs)).encode(out.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
