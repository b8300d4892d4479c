"""Makes texts comparable by removing what a model may change when it repeats a passage.

A model may repeat a passage in another Unicode normal form, in full-width or half-width letters, with
straight quotes for curved ones, or with other line breaks. The *key* of a passage is what remains the same:
its compatibility decomposition, case folded, with one kind of quotes and dashes, without white space and
invisible characters. Two passages are the same if their keys are equal. For each character of a key it is
known which character of the text it comes from, so a match of keys shows where to cut the text.
"""

from __future__ import annotations

import unicodedata
from functools import cached_property
from typing import Final

_SAME: Final = {
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u300c\u300d\u300e\u300f", '"'),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2039\u203a", "'"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
}
"""Signs that are used in place of one another."""


def blank(character: str) -> bool:
    """Whether a character is white space or invisible."""
    return character.isspace() or unicodedata.category(character) == "Cf" or "\ufe0f" >= character >= "\ufe00"


class _Keys(dict[int, str | None]):
    """The keys of the characters that have occurred; None for an empty one, with which `str.translate` is ten
    times as fast. There are at most as many as Unicode has characters."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
        key = "".join(_SAME.get(each, each) for each in decomposed if not blank(each)) or None
        self[code] = key
        return key


_KEYS: Final = _Keys()


class Folded:
    """A text's key, and the offsets in the text that its characters come from. They are computed when
    needed."""

    def __init__(self, text: str) -> None:
        self.key = text.translate(_KEYS)
        self._text = text

    @cached_property
    def at(self) -> list[int]:
        """For each character of the key, the offset in the text of the character that it comes from."""
        return [offset for offset, character in enumerate(self._text) for _ in _KEYS[ord(character)] or ""]

    def end(self, count: int) -> int:
        """Where in the text the first ``count`` characters of the key end."""
        return self.at[count - 1] + 1 if count else 0

    def left(self, count: int) -> str:
        """The rest of the key of a character that ``count`` splits, such as an accent; empty if it splits
        none."""
        end = count
        while count > 0 and end < len(self.at) and self.at[end] == self.at[count - 1]:
            end += 1
        return self.key[count:end]


def weight(key: str) -> int:
    """How much evidence it is that two keys share ``key``, in letters.

    An ideograph counts as two letters. A line of dashes or zeros is little evidence however long it is, so no
    passage weighs more than four times the number of its different characters.
    """
    ideographs = 0 if key.isascii() else sum(map("\u2e7f".__lt__, key))
    return min(len(key) + ideographs, 4 * len(set(key)))


def shared(one: str, other: str) -> int:
    """How many characters two strings have in common at their beginning."""
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while low < high:  # bisection: each prefix of a common prefix is common
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low
