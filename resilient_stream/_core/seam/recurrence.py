"""Does the text come again, a few words behind a repetition?

A model that has repeated the quote may write a few words, or announce something, and then begin the text,
its last paragraph, sentence or line once more. Nothing of that is cut here, for a text may repeat itself. But
what follows the repetition is then no clean continuation, so the join is not verified.

A passage counts if it comes again up to the text's end, or if a long one begins again where a model begins:
at the text's beginning, its last heading, paragraph or code fence. How much must agree depends on what
stands before it: directly behind the repetition a few letters are enough, behind other words more.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from .delivered import Had
from .normalize import Folded, shared, weight
from .overlap import SEED, Overlaps
from .prose import is_prose
from .thresholds import ACCIDENT, OUT_OF_PLACE
from .told_again import RETOLD, RETOLD_FROM_START, Sign

AHEAD: Final = 64
"""Characters behind a repetition in which a passage may begin again."""
DIRECTLY: Final = 6
"""Letters of a line or a sentence that comes again directly behind the repetition, or behind signs."""
BEHIND_A_BREAK: Final = 10
"""The same behind new words, where a line or a sentence begins."""
NEW: Final = 4
"""Letters that the text says only once, of less than `OUT_OF_PLACE` that come again directly."""
MOST_LIVE: Final = 8
"""Places in a reply from which the text is followed for longer than `AHEAD`."""

_BEGINS: Final = re.compile(r"(?<![^\W_])\S|[^\w\s]|[\u2e80-\uffff]")
"""Where a word or a sign begins."""
_SIGNS: Final = re.compile(r"[.:!?\u2026\u3002]{0,4}\s*(?:[>*+#\"'\u201c\u201e\u00ab(\[`~_\s-]|\d+[.)]\s)*")
_BREAK: Final = re.compile(r"(?:\n|[.!?\u2026][\"'\u201d\u2019)*_]*\s|[\u3002\uff01\uff1f])[^\w\n]*$")


@dataclass
class _Begun:
    """A place in the reply where the text may begin again."""

    at: int
    """Characters of the reply's key before it."""
    needs: tuple[int, int]
    """Letters that must agree up to the text's end: of a line or a sentence, and of any other passage."""
    found: Overlaps


@dataclass
class _Known:
    """What is known of one reply."""

    looked: int = 0
    """Characters in which places were looked for."""
    live: list[_Begun] = field(default_factory=list[_Begun])
    """The places from which all that came agrees with the text."""


@dataclass(frozen=True)
class Recurrence:
    """Looks for the text in what follows a repetition.

    Args:
        had: what was delivered.
        most_held: characters of a head that are held at most.
    """

    had: Had
    most_held: int
    _known: dict[int, _Known] = field(default_factory=dict[int, _Known], init=False, repr=False)

    def look(self, head: str, at: int, *, final: bool) -> Sign:
        """Whether the text comes again in ``head``, at ``at`` or soon behind it.

        Args:
            head: the beginning of a reply, as far as it has come. What is known of it is kept.
            at: where in it a repetition ends.
            final: whether this much of it is enough.
        """
        rest = head[at : at + self.most_held]
        known = self._known.setdefault(at, _Known())
        key = Folded(rest).key
        known.live += self._begun(rest, known.looked)
        known.looked = len(rest)
        live: list[_Begun] = []
        for begun in known.live:
            again = key[begun.at :]
            if self._comes_again(begun, again):
                return Sign.DOUBT
            if self._may_come(begun, again):
                live.append(begun)
        known.live = live = live if len(rest) < AHEAD else live[:MOST_LIVE]
        if final and len(head) < self.most_held:
            ended = (key[begun.at :] for begun in live if begun.needs[0] < ACCIDENT)
            return Sign.DOUBT if any(weight(again) >= RETOLD_FROM_START for again in ended) else Sign.NOTHING
        if final:
            return Sign.NOTHING
        return Sign.MORE if live or len(rest) < AHEAD else Sign.NOTHING

    def _begun(self, rest: str, looked: int) -> Iterator[_Begun]:
        """The places from ``looked`` on where a word or a sign begins."""
        for found in _BEGINS.finditer(rest, looked, AHEAD):
            lead = rest[: found.start()]
            if _SIGNS.fullmatch(lead):
                needs = DIRECTLY, OUT_OF_PLACE
            else:
                needs = BEHIND_A_BREAK if _BREAK.search(lead) else ACCIDENT, ACCIDENT
            yield _Begun(len(Folded(lead).key), needs, Overlaps(self.had.places))

    def _comes_again(self, begun: _Begun, again: str) -> bool:
        """Whether a passage has come again up to the text's end, or a long one from where a model begins."""
        checked = len(begun.found.complete)
        begun.found.tell(again)
        if any(self._counts(count, begun.needs) for count in begun.found.complete[checked:]):
            return True
        return any(self._begins_anew(again, key, least) for least, key in self._landmarks)

    def _begins_anew(self, again: str, landmark: str, least: int) -> bool:
        """Whether the reply tells the text from a landmark on, and not what the text says elsewhere too."""
        count = shared(landmark, again)
        return weight(again[:count]) >= least and self.had.says_once(again[:count], again[:count])

    def _counts(self, count: int, needs: tuple[int, int]) -> bool:
        """Whether it is no accident, nor a habit of the text, that its last ``count`` letters come again."""
        tail, begins = self.had.tail.key, self.had.begins(count)
        passage, new = tail[len(tail) - count :], count - self._said_before
        whole = self.had.is_border(begins) or count == len(self.had.quote)
        if weight(passage) < needs[not whole] or passage * 2 in tail:
            return False
        if needs[0] == DIRECTLY:
            return new >= NEW or count >= OUT_OF_PLACE
        return new >= BEHIND_A_BREAK and (whole or self._is_prose)

    @cached_property
    def _is_prose(self) -> bool:
        return not self.had.fenced and is_prose(self.had.line)

    @cached_property
    def _said_before(self) -> int:
        """How many of the text's last letters it has said before."""
        tail, low, high = self.had.tail.key, 0, len(self.had.tail.key) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if tail.find(tail[-middle:]) < len(tail) - middle else (low, middle - 1)
        return low

    def _may_come(self, begun: _Begun, again: str) -> bool:
        """Whether all that came agrees with the text, which goes on."""
        if len(again) < SEED:
            return again in self.had.tail.key or any(key.startswith(again) for _, key in self._landmarks)
        return begun.found.alive > 0 or any(key.startswith(again) for _, key in self._landmarks)

    @cached_property
    def _landmarks(self) -> list[tuple[int, str]]:
        """What stands where a model begins again, and how many of its letters are no accident."""
        had, tail = self.had, self.had.tail
        found = [(RETOLD if at else RETOLD_FROM_START, key) for at, key in had.far]
        for at in had.landmarks:
            if at >= had.first and (place := bisect_left(tail.at, at - had.first)) < len(tail.key):
                found.append((RETOLD if at else RETOLD_FROM_START, tail.key[place:]))
        return found
