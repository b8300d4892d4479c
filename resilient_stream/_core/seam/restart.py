"""Following a reply along the text that it repeats.

A model that begins its whole answer anew tells what the consumer has before it comes to what is new. What
it repeats is dropped as it streams, so nothing of it need be kept. Exact passages are compared as they
are; where the two differ, the keys of a short span decide whether it is the same passage spelled otherwise,
or another answer. An answer that has left the text is never put behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .normalize import Folded, shared

SPAN: Final = 64
"""Characters whose keys are compared where the texts differ. They must hold the longest run of white
space that one side may have and the other not."""


@dataclass(frozen=True, slots=True)
class Followed:
    """How far a reply tells a text again."""

    at: int
    """Characters of the text that were repeated."""
    cut: int
    """Characters of the reply that repeat them."""
    left: str = ""
    """What the reply has of the text's last character beyond it (an accent)."""
    diverged: bool = False
    """The reply goes another way from here."""


def follow(text: str, at: int, head: str) -> Followed:
    """Follow ``head`` along ``text`` from ``at``.

    The end of ``head`` is left where more of it could change the answer.
    """
    cut = 0
    while True:
        same = _same(text, at, head, cut)
        at, cut = at + same, cut + same
        if at == len(text) or cut == len(head):
            return Followed(at, cut)
        last = at + SPAN >= len(text)
        told, telling = Folded(text[at : at + SPAN]), Folded(head[cut : cut + SPAN])
        count = shared(told.key, telling.key)
        if last and count == len(told.key):
            left = telling.left(count)
            return Followed(len(text), cut + telling.end(count + len(left)), left)
        if count < min(len(told.key), len(telling.key)):
            return Followed(at, cut, diverged=True)
        if count == len(telling.key) and cut + SPAN >= len(head):
            return Followed(at, cut)
        while count and (told.left(count) or telling.left(count)):
            count -= 1  # no character is split
        at += told.end(count) if told.key else SPAN
        cut += telling.end(count) if telling.key else SPAN


def _same(text: str, at: int, head: str, cut: int) -> int:
    """How many characters of ``head`` from ``cut`` on are those of ``text`` from ``at`` on.

    Ever longer pieces are compared, so that it takes no longer than what agrees is long.
    """
    count, size = 0, SPAN
    while piece := head[cut + count : cut + count + size]:
        if not text.startswith(piece, at + count):
            return count + shared(text[at + count : at + count + size], piece)
        count, size = count + len(piece), 2 * size
    return count
