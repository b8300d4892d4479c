"""Does a reply begin by telling again what was told? And is that proof?

Every way of repeating is one thing: the reply's beginning agrees with the text from some place on, up to
the text's end. That place is the beginning of the fragment for an echo, before it for a long one, after it
for a short one, and the beginning of the text for a restart. All comparing is done on keys.

A long agreement is no accident, a short one may be. And text repeats itself: a refrain, equal rows of a
table, ``ha ha ha``. So what agrees proves a repetition only if it weighs enough, if the text is not in the
habit of saying it twice in a row, and if it can't be cut at two places.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from .normalize import shared, weight

SEED: Final = 5
"""Characters of a key that must agree before anything is looked at."""


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Where in a text the beginning of a reply is told. All numbers are characters of keys."""

    complete: list[int] = field(default_factory=list)
    """Lengths of the passages that the reply tells up to the text's end; the longest first."""
    alive: list[int] = field(default_factory=list)
    """Places in the text that agree with all there is of the reply."""
    broken: dict[int, int] = field(default_factory=dict)
    """Places in the text that the reply followed and left before the end, and how far it followed."""


def overlaps(text: str, head: str) -> Overlaps:
    """All places in the key ``text`` where the key ``head`` begins."""
    found = Overlaps()
    at = text.find(head[:SEED]) if len(head) >= SEED else -1
    while at >= 0:
        missing = len(text) - at
        if missing <= len(head) and text.endswith(head[:missing]):
            found.complete.append(missing)
        elif text.startswith(head, at):
            found.alive.append(at)
        else:
            found.broken[at] = shared(text[at : at + len(head)], head)
        at = text.find(head[:SEED], at + 1)
    return found


def proved(text: str, complete: list[int], need: int) -> bool:
    """Whether the longest of the passages that agree is proof that it was repeated.

    Args:
        text: the key of the text, or of its end.
        complete: as in `Overlaps`; not empty.
        need: how much the passage must weigh.
    """
    longest = complete[0]
    passage = text[len(text) - longest :]
    if weight(passage) < need or passage * 2 in text:
        return False
    return not any(2 * other >= longest for other in complete[1:])
