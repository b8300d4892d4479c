"""A fragment that was repeated with a slip in it.

A model that repeats a fragment may write another word, leave one out or add one. Such a reply begins as the
fragment does and comes to the fragment's end: *beginning, slip, end*. Where the end comes only once within
reach, it is the end of the repetition, and what follows is new. What stands between was not said before, so
nothing is proved.

Text that is made of rows does the same by itself: the next row begins like the last one and ends like it.
So nothing is concluded where a fragment that begins a line or a sentence is followed by a new one, or where
what stands before the fragment is what the text ends with; and elsewhere the beginning or the end must be
something that the text says only once.
"""

from __future__ import annotations

from typing import Final

from .delivered import Had
from .normalize import shared, weight
from .overlap import SEED

LONGEST: Final = 16
"""Letters of the longest slip. What it stands for may be half of the fragment."""
LEAST: Final = 3
"""Letters of the fragment's end that may be that end."""
RARE: Final = 12
"""Letters that, said only once, mark one place."""

ENOUGH: Final = 16
"""Letters before and behind a slip in a line or a sentence that begins again in its middle."""


def slipped(had: Had, reply: str, *, ends: bool, final: bool) -> int | None:
    """How many characters of a reply repeat the fragment with a slip: 0 if none do, None if more may decide.

    Args:
        had: what the consumer has.
        reply: the key of the beginning of the reply.
        ends: whether a line or a sentence ends where the reply begins.
        final: whether no more of the reply will come.
    """
    quote, tail = had.quote, had.tail.key
    begins = had.is_border(had.begins(len(quote)))
    begun = shared(quote, reply)
    if begun < SEED or (begins and ends) or had.goes_on_as_at(had.fragment):
        return 0
    found = _ends(quote, reply, begun)
    if found:  # what takes the shortest slip
        end, same = min(found, key=lambda each: max(len(quote), each[0]) - each[1])
        if _is_rare(quote[len(quote) - same :], tail):
            return end
    if not found and _is_rare(quote[:begun], tail) and (end := _with_more(quote, reply, tail)):
        return end
    if len(reply) < len(quote) + LONGEST and not final:
        return None
    if len(found) != 1 or found[0][1] < SEED:
        return 0
    rare = begins and begun + found[0][1] >= ENOUGH
    return found[0][0] if rare or _is_rare(quote[:begun], tail) else 0


def _ends(quote: str, reply: str, begun: int) -> list[tuple[int, int]]:
    """Where the fragment may end in ``reply`` behind one slip, and how much of its end is there."""
    found = []
    for end in range(begun + LEAST, min(len(reply), len(quote) + LONGEST) + 1):
        if reply.endswith(quote[-LEAST:], 0, end):
            same = shared(quote[: begun - 1 : -1], reply[begun:end][::-1])
            left_out = len(quote) - begun - same
            if end - begun - same <= LONGEST and 2 * left_out <= len(quote):
                found.append((end, same))
    return found


def _with_more(quote: str, reply: str, tail: str) -> int:
    """Where the fragment's last letters, which mark one place, end in ``reply``, near where they should."""
    for size in (RARE, RARE + 4, 2 * RARE):
        end = reply.find(quote[-size:]) + size
        if end >= size and _is_rare(quote[-size:], tail) and abs(end - len(quote)) <= RARE:
            return end
    return 0


def _is_rare(key: str, tail: str) -> bool:
    return weight(key) >= RARE and tail.find(key) == tail.rfind(key)
