"""Recognises words of the request in a reply.

Small models often continue the conversation instead of the text: behind the quote they write the rest of the
request, word for word. That is not part of the answer.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from .normalize import Folded, shared, weight

SAID: Final = 24
"""Letters that must agree with a sentence of the request."""
SAID_AT_END: Final = 4
"""The same behind a marker, if the reply ends there."""
LOOKED_AT: Final = 120
"""Characters of a reply that are compared."""

_SENTENCE: Final = re.compile(r"(?:^|[.!?:\n\u3002\uff01\uff1f\uff1a])\s*")


@lru_cache(maxsize=64)
def sentences(wording: str) -> tuple[str, ...]:
    """The keys of a wording from the beginning of each of its sentences on."""
    parts = wording.split("{quote}")
    ends = [
        part[found.end() : found.end() + LOOKED_AT] for part in parts for found in _SENTENCE.finditer(part)
    ]
    return tuple(dict.fromkeys(key for end in ends if weight(key := Folded(end).key) >= SAID))


def says(rest: str, wordings: tuple[str, ...], *, apart: bool, final: bool) -> bool | None:
    """Whether ``rest`` begins with a sentence of the request; None if more of it is needed to tell.

    Args:
        rest: a part of a reply.
        wordings: the wordings that the request may have used, with ``{quote}`` in place of the quote.
        apart: whether a marker precedes ``rest``.
        final: whether no more will come.
    """
    key = Folded(rest[:LOOKED_AT]).key
    for sentence in (each for wording in wordings for each in sentences(wording)) if key else ():
        if sentence[0] != key[0]:  # as nearly always
            continue
        count = shared(sentence, key)
        if weight(key[:count]) >= SAID or (final and apart and count == len(key) >= SAID_AT_END):
            return True
        if count == len(key) and not final:
            return None
    return False
