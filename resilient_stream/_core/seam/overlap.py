"""Finds where a reply repeats the text, and decides whether that is proof.

All repetitions have one form: the reply's beginning agrees with the text from some place on, up to the text's
end. For an echo that place is the beginning of the fragment; it may also be before or behind that. For a
restart it is the beginning of the text. Texts are compared by their keys (`normalize`).

A short agreement may be coincidence, and texts repeat themselves: a refrain, equal table rows, ``ha ha ha``.
So an agreement proves a repetition only if the passage weighs enough (`thresholds`), if the text does not say
it twice in a row anywhere, and if only one place for the cut is likely.

A set of places is an integer, with one bit for each place. So one step per character of the reply advances
all places at once. In a text that repeats one letter there are a thousand of them.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from .normalize import weight

SEED: Final = 5
"""Characters of a key that must agree before a place is considered."""


class Places:
    """Where each character of a text stands."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def of(self) -> dict[str, int]:
        """The places of each character. They are found when one is asked for."""
        found: dict[str, int] = {}
        for at, character in enumerate(self.text):
            found[character] = found.get(character, 0) | 1 << at
        return found


class Overlaps:
    """The places in a text where the beginning of a reply occurs. All numbers count characters of keys.

    Args:
        places: the places of the text's characters.
    """

    def __init__(self, places: Places) -> None:
        self.complete: list[int] = []
        """Lengths of the passages that the reply repeats up to the text's end; the longest last."""
        self.reply = ""
        """The key of the reply as far as it has arrived."""
        self._places = places
        self._following = (1 << len(places.text)) - 1
        self._left: list[tuple[int, int, int]] = []  # how much agreed, what that weighs, the places

    @property
    def alive(self) -> int:
        """The places from which the text agrees with the whole reply so far."""
        return self._following if len(self.reply) >= SEED else 0

    @property
    def longest_left(self) -> int:
        """The longest agreement that ended before the text's end."""
        return self._left[-1][0] if self._left else 0

    def left(self, least: int = 0) -> int:
        """The places from which the reply agreed with the text and then departed from it before the text's
        end.

        Args:
            least: how much the agreement must weigh.
        """
        found = 0
        for _, weighs, places in reversed(self._left):
            if weighs < least:
                break
            found |= places
        return found

    def compare(self, reply: str) -> None:
        """Compare more of the reply.

        Args:
            reply: the key of the reply so far, which begins with what was passed before.
        """
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
        """Compare the next character, behind ``run`` characters that agreed."""
        following, end = self._following, 1 << len(self._places.text) >> run + 1
        agree = following & (self._places.of.get(self.reply[run], 0) >> run)
        if run >= SEED and agree != following:
            self._left.append((run, weight(self.reply[:run]), following & ~agree))
        if agree & end and run + 1 >= SEED:
            self.complete.append(run + 1)
        self._following = agree & ~end


def proved(text: str, complete: list[int], need: int) -> bool:
    """Whether the longest of the passages that agree proves a repetition.

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
