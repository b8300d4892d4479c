"""Decides whether a reply begins a new line where a wrapper was cut.

A fence or a marker stands on a line of its own. The line break behind it belongs to the wrapper and
says nothing about the text: a row of a table may have been cut in its middle or at its end.
What shows it is the shape
of the text's lines. Rows have as many cells as the row before; an indent begins a line; in code a sign ends
one.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

LONGEST_ROW: Final = 160
"""Characters of a row that are waited for."""
MOST_LINES: Final = 6
"""Lines that show whether each ends with a sign."""
NEAR: Final = 2000
"""Characters at the text's end in which the rows before are looked for."""

_SEPARATORS: Final = ",;\t|"
_PAIRS: Final = (("(", ")"), ("[", "]"))
_ENDS: Final = re.compile(r"[;{}]$|(?<!\"):$")
_GOES_ON: Final = re.compile(r"[(\[=+\-*/&|<.]$|\":$")
_MARKER: Final = re.compile(r"[\s>+|-]*")
"""A line that has begun, and no more."""
_WORD: Final = re.compile(r"[^\W\d]|[#@\"]")


class Line(Enum):
    """Where a reply begins."""

    NEXT = auto()
    """At the beginning of a line."""
    SAME = auto()
    """In the text's last line."""
    UNKNOWN = auto()
    """The text does not show it."""


def by_shape(text: str, rest: str, *, fenced: bool, final: bool) -> Line | None:
    """Where ``rest`` begins, if indents and cells show it; None if more of it is needed.

    Args:
        text: what stands before it.
        rest: what follows the wrapper.
        fenced: whether the text ends inside a code fence. Elsewhere a comma or two make no row.
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
    """Whether ``more`` separators complete a row that has ``count`` of ``cells``, or are the next row. In
    the last cell any line may follow, unless it is empty: that is, nothing has ``begun`` to be a row."""
    if count == cells and more == cells:
        return Line.NEXT
    return Line.SAME if count + more == cells and begun else Line.UNKNOWN


def by_signs(text: str, rest: str) -> Line:
    """Where ``rest`` begins, if it is code and the sign at the end of the text shows it."""
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
    """Where ``rest`` begins, by all that shows it; None if more of it is needed.

    Args:
        text: as in `by_shape`.
        rest: as in `by_shape`.
        fenced: whether the text ends inside a code fence.
        final: as in `by_shape`.
    """
    shape = by_shape(text, rest, fenced=fenced, final=final)
    return by_signs(text, rest) if shape is Line.UNKNOWN and fenced else shape
