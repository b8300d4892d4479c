"""Finds where a reply repeats the text, and decides whether that is proof.

Every way of repeating is one thing: the reply's beginning agrees with the text from some place on, up to
the text's end. That place is the beginning of the fragment for an echo, before it for a long one, after it
for a short one, and the beginning of the text for a restart. All comparing is done on keys.

A long agreement is no accident, a short one may be. And text repeats itself: a refrain, equal rows of a
table, ``ha ha ha``. So what agrees proves a repetition only if it weighs enough, if the text is not in the
habit of saying it twice in a row, and if it can't be cut at two places.

A set of places is a number whose bits they are. So a character of the reply takes one step for all places
together: in a text of one letter there are a thousand of them.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from .normalize import weight

SEED: Final = 5
"""Characters of a key that must agree before anything is looked at."""


class Places:
    """Where each character of a text stands."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def of(self) -> dict[str, int]:
        """The places of a character; those of all are found when one is asked for."""
        found: dict[str, int] = {}
        for at, character in enumerate(self.text):
            found[character] = found.get(character, 0) | 1 << at
        return found


class Overlaps:
    """Where in a text the beginning of a reply is. All numbers are characters of keys.

    Args:
        places: those of the text.
    """

    def __init__(self, places: Places) -> None:
        self.complete: list[int] = []
        """Lengths of the passages that the reply repeats up to the text's end; the longest last."""
        self.reply = ""
        """What there is of the reply."""
        self._places = places
        self._following = (1 << len(places.text)) - 1
        self._left: list[tuple[int, int, int]] = []  # how far it was followed, what that weighs, the places

    @property
    def alive(self) -> int:
        """The places in the text that agree with all there is of the reply."""
        return self._following if len(self.reply) >= SEED else 0

    @property
    def longest_left(self) -> int:
        """How far the reply followed the text at most where it left it."""
        return self._left[-1][0] if self._left else 0

    def left(self, least: int = 0) -> int:
        """The places that the reply left before the text's end, behind an agreement that weighs so much."""
        found = 0
        for _, weighs, places in reversed(self._left):
            if weighs < least:
                break
            found |= places
        return found

    def compare(self, reply: str) -> None:
        """More of the reply: all of it, which begins with what there was of it."""
        begun, self.reply = len(self.reply), reply
        if len(reply) < SEED:
            return
        if begun < SEED:
            begun = 0
            if reply[:SEED] not in self._places.text:
                self._following = 0
        for run in range(begun, len(reply)):
            if not self._following:
                break
            self._step(run)

    def _step(self, run: int) -> None:
        """Compare the next character, behind ``run`` that agreed."""
        following, end = self._following, 1 << len(self._places.text) >> run + 1
        agree = following & (self._places.of.get(self.reply[run], 0) >> run)
        if run >= SEED and agree != following:
            self._left.append((run, weight(self.reply[:run]), following & ~agree))
        if agree & end and run + 1 >= SEED:
            self.complete.append(run + 1)
        self._following = agree & ~end


def proved(text: str, complete: list[int], need: int) -> bool:
    """Whether the longest of the passages that agree is proof that it was repeated.

    Args:
        text: the key of the text, or of its end.
        complete: as in `Overlaps`; not empty.
        need: how much the passage must weigh.
    """
    longest = complete[-1]
    passage = text[len(text) - longest :]
    if weight(passage) < need or passage * 2 in text:
        return False
    return not any(2 * other >= longest for other in complete[-2:-1])
