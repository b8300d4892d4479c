"""Decides whether a reply begins a new line where a wrapper was cut.

A fence or a marker is on a line of its own. The line break behind it belongs to the wrapper, so it does not
show whether the text had a line break there: a table row may have been cut in its middle or at its end. The
form of the text's lines can show it. A row has as many cells as the row before it, an indent begins a line,
and lines of code often end with a certain sign.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

LONGEST_ROW: Final = 160
"""Characters of a row that are waited for at most."""
MOST_LINES: Final = 6
"""Lines that are examined for whether each ends with a sign."""
NEAR: Final = 2000
"""Characters at the end of the text that are searched for earlier rows."""

_SEPARATORS: Final = ",;\t|"
_PAIRS: Final = (("(", ")"), ("[", "]"))
_ENDS: Final = re.compile(r"[;{}]$|(?<!\"):$")
_GOES_ON: Final = re.compile(r"[(\[=+\-*/&|<.]$|\":$")
_MARKER: Final = re.compile(r"[\s>+|-]*")
"""A line that has nothing but an indent or a marker."""
_WORD: Final = re.compile(r"[^\W\d]|[#@\"]")


class Line(Enum):
    """On which line a reply begins."""

    NEXT = auto()
    """On a new line."""
    SAME = auto()
    """On the text's last line."""
    UNKNOWN = auto()
    """The text does not show it."""


def by_shape(text: str, rest: str, *, fenced: bool, final: bool) -> Line | None:
    """On which line ``rest`` begins, as far as indents and table cells show it; None if more of it is needed.

    Args:
        text: the text before it.
        rest: what follows the wrapper.
        fenced: whether the text ends inside a code fence. In prose, one or two commas do not make a row.
        final: whether no more will come.
    """
    if not rest.strip() and not final:
        return None
    *before, last = text[-NEAR:].rsplit("\n", 3)
    if rest[:1].isspace():
        indented = fenced and rest.startswith(("  ", "\t")) and not _MARKER.fullmatch(last)
        return Line.NEXT if indented else Line.SAME
    for separator in _SEPARATORS:
        cells = [line.count(separator) for line in before[-2:] if line.strip("`~ ")]
        count = last.count(separator)
        enough = cells and cells[-1] >= 1 if fenced else len(cells) == 2 and cells[-1] >= 2
        if enough and cells == [cells[-1]] * len(cells) and count <= cells[-1]:
            row, ends, _ = rest.partition("\n")
            if not (ends or final or len(row) >= LONGEST_ROW):
                return None
            more, open_cell = row.count(separator), last.endswith(separator)
            return _row(count, more, cells[-1], begun=more > 0 or open_cell)
    return Line.UNKNOWN


def _row(count: int, more: int, cells: int, *, begun: bool) -> Line:
    """Whether a reply continues a row or begins the next one.

    Args:
        count: separators in the text's last row.
        more: separators in the reply's first line.
        cells: separators in a complete row.
        begun: whether the reply's line has a separator, or the text's last cell is empty. If neither, the
            text's row may be complete, and any line may follow it.
    """
    if count == cells and more == cells:
        return Line.NEXT
    return Line.SAME if count + more == cells and begun else Line.UNKNOWN


def by_signs(text: str, rest: str) -> Line:
    """On which line ``rest`` begins, as far as the sign at the end of the text shows it. For code."""
    *before, line = text[-NEAR:].split("\n")
    opened = any(line.count(one) > line.count(other) for one, other in _PAIRS) or line.count('"') % 2
    if opened or _GOES_ON.search(line):
        return Line.SAME
    if _ENDS.search(line) or (line[-1:] == "," and line[:1].isspace()):
        return Line.NEXT
    if line[-1:] in ")]\"'" and _WORD.match(rest):
        return Line.NEXT
    ends = [each.rstrip()[-1] for each in before[-MOST_LINES:] if each.strip("`~ \t")]
    signed = len(ends) >= 2 and not any(map(str.isalnum, ends))
    return Line.SAME if signed and line[-1:].isalnum() else Line.UNKNOWN


def begins(text: str, rest: str, *, fenced: bool, final: bool) -> Line | None:
    """On which line ``rest`` begins; None if more of it is needed.

    Args:
        text: as in `by_shape`.
        rest: as in `by_shape`.
        fenced: whether the text ends inside a code fence.
        final: as in `by_shape`.
    """
    shape = by_shape(text, rest, fenced=fenced, final=final)
    return by_signs(text, rest) if shape is Line.UNKNOWN and fenced else shape
