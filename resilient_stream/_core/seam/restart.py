"""Follows a reply along the text that it repeats.

A model that begins its whole answer again repeats what the consumer has before it writes anything new. The
repetition is dropped as it streams, so none of it has to be kept. The two texts are compared as they are.
Where they differ, the keys of a short span decide whether it is the same passage in another spelling, or
another answer. Another answer is never joined.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .normalize import Folded, shared

SPAN: Final = 64
"""Characters whose keys are compared where the texts differ. This must be at least the longest run of white
space that one side may have and the other not."""


class Followed(NamedTuple):
    """How far a reply repeats a text."""

    at: int
    """Characters of the text that were repeated."""
    cut: int
    """Characters of the reply that repeat them."""
    left: str = ""
    """The part of the reply's last compared character that the text does not have, such as an accent."""
    diverged: bool = False
    """Whether the reply differs from the text from here on."""


def follow(text: str, at: int, head: str) -> Followed:
    """Compare ``head`` with ``text`` from ``at`` on.

    The end of ``head`` is not counted if more of the reply could change the result.
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
            count -= 1  # so that no character is split
        at += had.end(count) if had.key else SPAN
        cut += came.end(count) if came.key else SPAN


def _same(text: str, at: int, head: str, cut: int) -> int:
    """How many characters of ``head`` from ``cut`` on are the same as those of ``text`` from ``at`` on.

    The pieces that are compared double in length, so the time is proportional to what agrees.
    """
    count, size = 0, SPAN
    while piece := head[cut + count : cut + count + size]:
        if not text.startswith(piece, at + count):
            return count + shared(text[at + count : at + count + size], piece)
        count, size = count + len(piece), 2 * size
    return count
