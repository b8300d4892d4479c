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
"""Columns for tables where no edge folds them: in a file, in a pipe."""

NARROW: Final = 79
"""Columns for sentences and rules, at most; tables of more than numbers leave something out on fewer."""


@dataclass(frozen=True, slots=True)
class Signs:
    """The few characters that say more than ASCII can; each set is complete."""

    opens: str
    closes: str
    proved: str
    unproved: str
    rule: str
    bar: str


SIGNS: Final = Signs("\u27ea", "\u27eb", "\u2713", "?", "\u2500", "\u2501")
ASCII: Final = Signs("<<", ">>", "ok", "?", "-", "=")


class Screen:
    """A stream of text, and what is known of whoever reads it.

    A terminal gets marks in the text; colours and lines too, unless ``NO_COLOR`` is set or ``TERM`` is
    dumb. Anything else gets the plain text and plain tables. Where the encoding lacks a character,
    ASCII stands in.
    """

    def __init__(self, out: TextIO, environ: Mapping[str, str] = os.environ) -> None:
        self._out = out
        self.marks = out.isatty()
        self.colours = self.marks and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        self.signs = SIGNS if _encodes(out, SIGNS) else ASCII
        self.width = shutil.get_terminal_size().columns if self.marks else WIDE

    def write(self, text: str) -> None:
        """Text as it is, at once."""
        self._out.write(text)
        self._out.flush()

    def mark(self, mark: Mark) -> None:
        """A mark inside the text, on a terminal only."""
        if self.marks:
            label = f"{self.signs.opens}{', '.join(mark.kinds)}{self.signs.closes}"
            self.write(f"\x1b[1;35m{label}\x1b[0m" if self.colours else label)

    def line(self, text: str = "", style: str = "") -> None:
        """A line of the demo's own words, folded at the edge."""
        self._render(Text(text, style=style), min(self.width, NARROW))

    def rule(self) -> None:
        """A line across, between the demo's words and the answer's."""
        self.line(self.signs.rule * min(self.width, NARROW), "dim")

    def table(self, *, heads: bool = True) -> Table:
        """An empty table in the style of this screen; `show` it when it is filled."""
        lines = box.SIMPLE_HEAD if self.colours and self.signs is SIGNS else None
        pad = (0, 1 if lines else 2, 0, 0)
        return Table(
            box=lines, padding=pad, pad_edge=False, show_edge=False, show_header=heads, header_style="bold"
        )

    def show(self, table: Table) -> None:
        """A table."""
        self._render(table, self.width)

    def _render(self, what: Text | Table, width: int) -> None:
        """Through rich, but into a string: how the output fails is the caller's business, not rich's."""
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
