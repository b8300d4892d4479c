"""Finds where a code fence opens, and whether it is still open at the end of a text.

A fence may be in a list or in a block quote, so any indent is accepted. A fence is closed by a line of the
same sign, at least as many of them, and nothing else. A line with an info string opens a fence.
"""

from __future__ import annotations

import re
from typing import Final

FENCE_LINE: Final = r"(?P<ticks>`{3,}+(?=[^`\n]{0,200}\n)|~{3,}+)(?P<info>[^\n]{0,200})\n"
"""A pattern for a line that opens a fence, with the line's end."""

_FENCES: Final = re.compile(
    r"(?:\A|\n)[ \t>]*(?:(?:[-*+\u2022]|\d{1,3}[.)])[ \t]+)?(?P<ticks>`{3,}(?![^\n]*`)|~{3,})(?P<info>[^\n]*)"
)


def opened_at(text: str) -> int:
    """Where the line begins that opens the fence in which ``text`` ends; -1 if the text ends in no fence."""
    opened, at = "", -1
    for fence in _FENCES.finditer(text):
        if not opened:
            opened, at = fence["ticks"], fence.start() + fence[0].startswith("\n")
        elif fence["ticks"].startswith(opened) and not fence["info"].strip():
            opened, at = "", -1
    return at


def in_fence(text: str) -> bool:
    """Whether ``text`` ends inside a code fence."""
    return opened_at(text) >= 0
