"""Follows a reply along the text that it repeats.

A model that begins its whole answer anew repeats what the consumer has before it comes to what is new. What
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
    """How far a reply repeats a text."""

    at: int
    """Characters of the text that were repeated."""
    cut: int
    """Characters of the reply that repeat them."""
    left: str = ""
    """What the reply has of the text's last character beyond it (an accent)."""
    diverged: bool = False
    """Whether the reply differs from the text from here on."""


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
        had, came = Folded(text[at : at + SPAN]), Folded(head[cut : cut + SPAN])
        count = shared(had.key, came.key)
        if last and count == len(had.key):
            left = came.left(count)
            return Followed(len(text), cut + came.end(count + len(left)), left)
        if count < min(len(had.key), len(came.key)):
            return Followed(at, cut, diverged=True)
        if count == len(came.key) and cut + SPAN >= len(head):
            return Followed(at, cut)
        while count and (had.left(count) or came.left(count)):
            count -= 1  # no character is split
        at += had.end(count) if had.key else SPAN
        cut += came.end(count) if came.key else SPAN


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
