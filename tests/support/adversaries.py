"""Texts at which naive scans and patterns take more than linear time: families of any size."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Mapping
from typing import Final

from resilient_stream.testing.manners.openings import PREAMBLES

Family = Callable[[int], str]


def repeated(unit: str) -> Family:
    """The unit, again and again."""
    return lambda size: (unit * (size // max(1, len(unit)) + 1))[:size]


def _base64(size: int) -> str:
    return base64.b64encode(random.Random(3).randbytes(size)).decode()[:size]


def _dna(size: int) -> str:
    return "".join(random.Random(1).choices("ACGT", k=size))


FAMILIES: Final[Mapping[str, Family]] = {
    "one letter": repeated("a"),
    "two letters": repeated("ab"),
    "two words": repeated("ha ho "),
    "courtesies": repeated("Sorry, sorry about that, "),
    "thanks": repeated("Thanks! "),
    "openings": repeated("".join(PREAMBLES.values())),
    "separators": repeated("\n\n---\n\n"),
    "dashes": repeated("-"),
    "rows": repeated("| a | b |\n"),
    "fences": repeated("```python\n"),
    "backticks": repeated("`"),
    "tildes": repeated("~"),
    "markers": repeated("<<<\n>>>"),
    "parts": repeated("<part-1>"),
    "quotation marks": repeated("\"'\u201c"),
    "asterisks": repeated("*"),
    "ellipses": repeated("..."),
    "brackets": repeated("[({"),
    "tags": repeated("<a></a"),
    "blanks": repeated(" "),
    "line breaks": repeated("\n"),
    "lines of Windows": repeated("\r\n"),
    "white space": repeated(" \t\n\u00a0\u2003\u3000\u2028\x0b\x0c\x85"),
    "letters and blanks": repeated("a "),
    "zero-width joiners": repeated("\u200d"),
    "zero-width spaces": repeated("a\u200b"),
    "combining marks": repeated("\u0301"),
    "accents": repeated("e\u0301"),
    "digits behind letters": repeated("a" + "1" * 50),
    "digits": repeated("1234567890"),
    "base64": _base64,
    "DNA": _dna,
    "DNA that repeats": repeated("ACGTTGCA"),
    "ideographs": repeated("\u6f6e\u6c50\uff0c"),
    "syllables": repeated("\ud55c"),
    "Thai": repeated("\u0e19\u0e49\u0e33"),
    "emoji": repeated("\U0001f469\u200d\U0001f467"),
    "flags": repeated("\U0001f1e9\U0001f1ea"),
    "halves of pairs": repeated("\ud83d"),
    "ligatures": repeated("\ufdfa"),
    "sentences": repeated("The tide rises and the tide falls. "),
    "alphabets": repeated("abcdefghijklmnopqrstuvwxyz0123456789"),
    "capitals and small letters": repeated("Aa"),
    "JSON": repeated('{"a": ["b", '),
    "escapes": repeated('\\"\\\\'),
}
"""By name: a text of so many characters."""
