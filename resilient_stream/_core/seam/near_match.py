"""Finds a fragment that was repeated with a slip.

A model that repeats a fragment may replace a word, leave one out or add one. Such a reply has the fragment's
beginning, then the slip, then the fragment's end. If that end occurs only once within reach, the repetition
ends there, and what follows is new. The words of the slip are not in the text, so nothing is proved, and the
join is unverified.

Texts made of rows look the same without any slip: the next row begins like the last one and ends like it. So
no slip is assumed if the fragment begins a line or sentence and the reply begins a new one, or if the text
ends with the same letters that stand before the fragment. Elsewhere, the beginning or the end must occur only
once in the text.
"""

from __future__ import annotations

from typing import Final

from .delivered import Had
from .normalize import shared, weight
from .overlap import SEED

LONGEST: Final = 16
"""Letters of the longest slip. The words that it replaces may be up to half of the fragment."""
LEAST: Final = 3
"""Letters of the fragment's end that must be there to recognise it."""
RARE: Final = 12
"""Letters that mark one place if they occur only once."""

ENOUGH: Final = 16
"""Letters that must agree before and behind a slip together, if the fragment begins a line or sentence that
has not ended."""


def slipped(had: Had, reply: str, *, ends: bool, final: bool) -> int | None:
    """How many characters of a reply repeat the fragment with a slip; 0 if none do, None if more is needed.

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
    if found:  # prefer the shortest slip
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
    """The places where the fragment may end in ``reply`` behind one slip, each with how much of its end
    agrees."""
    found = []
    for end in range(begun + LEAST, min(len(reply), len(quote) + LONGEST) + 1):
        if reply.endswith(quote[-LEAST:], 0, end):
            same = shared(quote[: begun - 1 : -1], reply[begun:end][::-1])
            left_out = len(quote) - begun - same
            if end - begun - same <= LONGEST and 2 * left_out <= len(quote):
                found.append((end, same))
    return found


def _with_more(quote: str, reply: str, tail: str) -> int:
    """Where the fragment's last letters end in ``reply``; 0 if nowhere near the place where they should be.

    They must occur only once in the text.
    """
    for size in (RARE, RARE + 4, 2 * RARE):
        end = reply.find(quote[-size:]) + size
        if end >= size and _is_rare(quote[-size:], tail) and abs(end - len(quote)) <= RARE:
            return end
    return 0


def _is_rare(key: str, tail: str) -> bool:
    return weight(key) >= RARE and tail.find(key) == tail.rfind(key)
