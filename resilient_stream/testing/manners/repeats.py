"""Manners that repeat something else than the quote: a word, a line, a sentence, a paragraph, the whole
answer.
"""

from __future__ import annotations

import re
from typing import Final

from .echoes import Manner

DIVERGENCE: Final = "No, let me put this differently. "
"""The text with which a restart diverges."""


def _from(answer: str, received: str, border: str) -> str:
    """The answer from the last place before the seam where ``border`` ends and text follows."""
    ends = [found.end() for found in re.finditer(border, received) if found.end() < len(received)]
    return answer[ends[-1] if ends else 0 :]


def repeated_word(answer: str, received: str, quote: str) -> str:
    """Begins with the last word, or the part of it that was received."""
    return _from(answer, received, r"\s")


def repeated_line(answer: str, received: str, quote: str) -> str:
    """Begins with the last line: a list item, a table row, a line of code."""
    return _from(answer, received, r"\n")


def repeated_sentence(answer: str, received: str, quote: str) -> str:
    """Begins with the sentence in which the text was cut."""
    return _from(answer, received, r"[.!?:]\s+|[\u3002\uff01\uff1f]|\n\s*")


def repeated_paragraph(answer: str, received: str, quote: str) -> str:
    """Begins with the last paragraph."""
    return _from(answer, received, r"\n\n")


def restart(answer: str, received: str, quote: str) -> str:
    """Begins the whole answer again."""
    return answer


def diverging_restart(answer: str, received: str, quote: str) -> str:
    """Begins the whole answer again, and diverges half-way to the seam."""
    middle = len(received) // 2
    word = received.find(" ", middle) + 1
    return answer[: word or middle] + DIVERGENCE + answer[len(received) :]


ALL: Final[tuple[Manner, ...]] = (
    repeated_word,
    repeated_line,
    repeated_sentence,
    repeated_paragraph,
    restart,
    diverging_restart,
)
