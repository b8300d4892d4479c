"""The fragment that a user-turn continuation is asked to repeat.

It must be long enough to mark one place, and short enough to be repeated without a mistake: 40 to 120
characters, from a word boundary to the last non-blank character received. It never starts inside a character
that the eye sees as one. It must be at least as long as the longest stop sequence, which the seam could
otherwise cut in two; but never longer than `LONGEST`, because nothing streams while a model repeats it.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import count
from typing import Final

SHORTEST: Final = 40
USUAL: Final = 80
SPREAD: Final = 40
"""How much longer than usual a fragment may be to begin with a word."""
LONGEST: Final = 1000
"""The most characters of a fragment, whatever the stop sequences are and however much white space there
is."""

_MARKERS: Final = (("<<<", ">>>"), ("«", "»"), ("[[[", "]]]"), ("{{{", "}}}"))
_PART: Final = re.compile(r"part-(\d{1,9})>")
_TAILS: Final = (
    range(0x1160, 0x1200),  # Korean vowels and finals in pieces
    range(0x1F1E6, 0x1F200),  # halves of flags
    range(0x1F3FB, 0x1F400),  # skin tones
    range(0xE0020, 0xE0080),  # tags
)
"""Characters that belong, or may belong, to the one before them."""
_JOINERS: Final = frozenset("\u200c\u200d\ufe0e\ufe0f")


def quote(text: str, at_least: int = 0, usual: int = USUAL) -> str:
    """The last words of ``text``, which must not end in white space; all of it when it is short.

    It never begins with white space: a reply would not repeat that faithfully.

    Args:
        text: what was received.
        at_least: the least number of characters (the longest stop sequence), up to `LONGEST`.
        usual: the number of characters to come close to.
    """
    if not enough(text):
        return text.lstrip()
    at_least = min(at_least, LONGEST)
    shortest = max(SHORTEST, usual - SPREAD, at_least)
    start = len(text) - max(usual, at_least)
    for longest in (max(usual + SPREAD, at_least), shortest + SPREAD + usual):
        starts = range(max(0, len(text) - longest), max(0, len(text) - shortest) + 1)
        for fits in (_starts_word, _starts_character):
            if found := [at for at in starts if fits(text, at)]:
                return text[min(found, key=lambda at: abs(at - start)) :]
    return text[max(0, start) :].lstrip()


def enough(text: str) -> bool:
    """Whether ``text`` has enough non-blank characters for a quote to mark a place in it, or is itself too
    long for a quote."""
    near = text[-4 * SHORTEST :]  # nearly always enough to know
    return len(text) > LONGEST or any(len("".join(part.split())) >= SHORTEST for part in (near, text))


def marked(fragment: str) -> str:
    """``fragment`` between markers that do not occur in it."""
    for opening, closing in _MARKERS:
        if opening not in fragment and closing not in fragment:
            return f"{opening}\n{fragment}\n{closing}"
    taken = set(_PART.findall(fragment))
    number = next(number for number in count(1) if str(number) not in taken)
    return f"<part-{number}>\n{fragment}\n</part-{number}>"


def _starts_word(text: str, start: int) -> bool:
    return (start == 0 or text[start - 1].isspace()) and not text[start].isspace()


def _starts_character(text: str, start: int) -> bool:
    here, before = text[start], text[start - 1] if start else ""
    if here.isspace() or here in _JOINERS or before in _JOINERS:
        return False
    return not (unicodedata.category(here).startswith("M") or any(ord(here) in tail for tail in _TAILS))
