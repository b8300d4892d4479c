"""Makes texts comparable by removing what a model may change when it repeats a passage.

A passage that is repeated comes back in another normal form, in full-width or half-width letters, with
straight quotes for curved ones, with its lines broken elsewhere. Its *key* is what stays: compatibility
decomposition, case folded, quotes and dashes of one kind, no white space, nothing invisible. Two passages
are the same if their keys are. Each character of a key knows which character of the text it comes from, so
a match of keys says where to cut the text.
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
"""Signs that are written one for the other."""


def blank(character: str) -> bool:
    """Whether a character is white space or can't be seen."""
    return character.isspace() or unicodedata.category(character) == "Cf" or "\ufe0f" >= character >= "\ufe00"


class _Keys(dict[int, str]):
    """The key of each character that was met. There are at most as many as Unicode has."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
        key = "".join(_SAME.get(each, each) for each in decomposed if not blank(each))
        self[code] = key
        return key


_KEYS: Final = _Keys()


class Folded:
    """A text's key, and the way back to the text, which is made when it is asked for."""

    def __init__(self, text: str) -> None:
        self.key = text.translate(_KEYS)
        self._text = text

    @cached_property
    def at(self) -> list[int]:
        """For each character of the key the offset of the character in the text that it comes from."""
        return [offset for offset, character in enumerate(self._text) for _ in _KEYS[ord(character)]]

    def end(self, count: int) -> int:
        """Where in the text the first ``count`` characters of the key end."""
        return self.at[count - 1] + 1 if count else 0

    def left(self, count: int) -> str:
        """What is left of a character that is split there: an accent, say, that the key's next part holds."""
        end = count
        while count > 0 and end < len(self.at) and self.at[end] == self.at[count - 1]:
            end += 1
        return self.key[count:end]


def weight(key: str) -> int:
    """How much it says that two keys share ``key``, in letters.

    An ideograph says as much as two letters. A line of dashes or zeros says little however long it is:
    no passage weighs more than four times the number of its different characters.
    """
    ideographs = 0 if key.isascii() else sum(map("\u2e7f".__lt__, key))
    return min(len(key) + ideographs, 4 * len(set(key)))


def shared(one: str, other: str) -> int:
    """How many characters two strings have in common at their beginning."""
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while low < high:  # a prefix of a common prefix is one
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low
