"""Decides whether a sentence of prose continues after an empty line.

A model that repeats a fragment often makes a paragraph of it and continues behind an empty line, in the
middle of a sentence. A paragraph of prose ends with a full stop, and the next one begins with a capital. If a
line looks like prose, has no full stop at its end and is followed by a small letter, the model added the
empty line. If the writing system has no capitals, the line must have a comma or a full stop inside it.
"""

from __future__ import annotations

import re
from typing import Final

LONG_LINE: Final = 40
"""Length, in characters, from which a line can be prose."""
LONG_LINE_OF_IDEOGRAPHS: Final = 20
"""The same in writing systems in which a character may be a word."""

_WORD: Final = re.compile(
    r"[\"'(*\u2018\u201c\u00ab\u201e]*[^\W\d_][^\W\d_'\u2019\u0300-\u036f-]*[*,.;:!?)\"'\u2019\u201d\u00bb]*"
)
_CAPITAL: Final = re.compile(r"(?:^|[.!?]\s+)[\"'(*\u2018\u201c]*(?=[^\W\d_])(?![a-z])")
_BROKEN: Final = re.compile(r"[^\W\d_],?\n[ \t]*\n\s*(?=[^\W\d_])(?![A-Z])")
_WITHIN: Final = re.compile(r"[,;.!?\u060c\u061b\u061f\u0964\u3001\u3002\uff0c\uff1b\uff01\uff1f]")
_SOLID: Final = (
    ("\u0e00", "\u0eff"),  # Thai and Lao
    ("\u1000", "\u109f"),  # Burmese
    ("\u1780", "\u17ff"),  # Khmer
    ("\u2e80", "\ua4cf"),  # ideographs and kana
    ("\uf900", "\ufaff"),
    ("\uff00", "\uffef"),  # full-width signs
)


def runs_on(text: str, word: str) -> bool:
    """Whether an empty line between ``text`` and ``word`` breaks a sentence.

    Args:
        text: the end of the text, without trailing white space.
        word: what follows.
    """
    line = text[text.rfind("\n") + 1 :]
    last, first = line.rstrip(",\u060c\u3001\uff0c")[-1:], word[:1]
    if line[:1].isspace() or not _letter(last) or not _letter(first) or first.isupper() or last.isupper():
        return False
    if _BROKEN.search(text) or line.count("`") % 2:
        return False
    if first.islower():
        return is_prose(line) and _CAPITAL.search(line) is not None
    return len(_WITHIN.findall(line)) > 0 and (
        len(line) >= LONG_LINE_OF_IDEOGRAPHS if _solid(last) else len(line) >= LONG_LINE and is_prose(line)
    )


def joins_without_space(text: str, word: str) -> bool:
    """Whether the writing system of both sides puts no space between words."""
    return _solid(text[-1:]) and _solid(word[:1])


def is_prose(line: str) -> bool:
    """Whether a line is long and nearly all of it words."""
    if _solid(line[-1:]):
        return len(line) >= LONG_LINE_OF_IDEOGRAPHS and sum(map(_solid, line)) > len(line) // 2
    words = line.split()
    plain = sum(_WORD.fullmatch(word) is not None for word in words)
    return len(line) >= LONG_LINE and len(words) > LONG_LINE // 8 and 10 * plain >= 9 * len(words)


def _letter(character: str) -> bool:
    """Whether a character is a letter, or a mark on one."""
    return character.isalpha() or "\u0900" <= character <= "\u0eff"


def _solid(character: str) -> bool:
    """Whether a character belongs to a writing system that puts no space between words."""
    return any(first <= character <= last for first, last in _SOLID)
