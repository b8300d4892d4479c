"""Detects that a reply repeats the text again soon after a repetition.

A model that has repeated the quote may write a few words, or an announcement, and then begin the text, its
last paragraph, sentence or line once more. Nothing of that is cut here, because a text may repeat itself. But
the place is not proved then, so the join is unverified.

A passage counts if it is repeated up to the text's end, or if a long one begins at a place where models begin
again: at the text's beginning, its last heading, paragraph or code fence. Directly behind the repetition, a
few letters must agree; behind other words, more.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from .delivered import Had
from .ending import NEAR, last_part
from .normalize import Folded, blank, shared, weight
from .overlap import SEED, Overlaps
from .prose import is_prose
from .repeated_again import LONG_FROM_START, LONG_PASSAGE, Sign
from .thresholds import ACCIDENT, OUT_OF_PLACE

AHEAD: Final = 64
"""Characters behind a repetition within which a passage may begin again."""
DIRECTLY: Final = 6
"""Letters of a line or sentence that must agree directly behind the repetition, or behind signs."""
BEHIND_A_BREAK: Final = 10
"""The same behind new words, at the beginning of a line or sentence."""
NEW: Final = 4
"""Letters of a passage shorter than `OUT_OF_PLACE`, directly behind the repetition, that must occur only once
in the text."""
MOST_LIVE: Final = 8
"""The largest number of places in a reply that are compared with the text at the same time. Only monotonous
texts have more."""

_BEGINS: Final = re.compile(r"(?<![^\W_])\S|[^\w\s]|[\u2e80-\uffff]")
"""The beginning of a word or a sign."""
_SIGNS: Final = re.compile(r"[.:!?\u2026\u3002]{0,4}(?:[>*+#\"'\u201c\u201e\u00ab(\[`~_\s-]|\d+[.)]\s)*")
_BREAK: Final = re.compile(r"(?:\n|[.!?\u2026][\"'\u201d\u2019)*_]*\s|[\u3002\uff01\uff1f])[^\w\n]*$")


@dataclass
class _Begun:
    """A place in the reply where the text may begin again."""

    at: int
    """Characters of the reply's key before it."""
    needs: tuple[int, int]
    """Letters that must agree up to the text's end: for a whole line or sentence, and for any other
    passage."""
    found: Overlaps
    landmarks: list[tuple[int, str]]
    """The landmarks of the text that agree with all that has arrived."""


@dataclass
class _Known:
    """What has been found in one reply so far."""

    looked: int = 0
    """Characters that have been searched."""
    live: list[_Begun] = field(default_factory=list[_Begun])
    """The places from which all that has arrived agrees with the text."""


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
        """Whether the text begins again in ``head``, at ``at`` or soon behind it.

        Args:
            head: the beginning of a reply, as far as it has arrived. What is found is kept for the next call.
            at: where in it a repetition ends.
            final: whether to decide on this much of it.
        """
        if self._loops:
            return Sign.NOTHING
        rest, known = head[at : at + self.most_held], self._known.setdefault(at, _Known())
        before, known.looked = known.looked, len(rest)
        known.live += self._begun(rest, before)
        crowded = len(rest) - before > 1 and self._is_crowded(Folded(rest).key, known.live)
        for end in range(before + 1, len(rest)) if crowded else ():
            sign = self._advance(rest[:end], known)
            if sign is not Sign.MORE:
                return sign
        sign = self._advance(rest, known)
        if sign is not Sign.MORE or not final:
            return sign
        key = Folded(rest).key
        ended = [begun for begun in known.live if len(head) < self.most_held and begun.needs[0] < ACCIDENT]
        begun_again = any(weight(key[begun.at :]) >= LONG_FROM_START for begun in ended)
        return Sign.DOUBT if begun_again else Sign.NOTHING

    def _is_crowded(self, key: str, live: list[_Begun]) -> bool:
        """Whether more than `MOST_LIVE` places may agree with the text at the same time.

        Then some are dropped, and which ones depends on the order in which letters arrive, so each letter is
        looked at by itself. Otherwise all that has arrived is looked at in one step, with the same result.
        """
        seeds = ((begun, key[begun.at : begun.at + SEED]) for begun in live)
        agree = [begun for begun, seed in seeds if len(seed) == SEED and self._agrees(begun, seed)]
        if len(agree) <= MOST_LIVE:
            return False
        long = [(begun.at, begun.at + self._agreeing(begun, key[begun.at :])) for begun in agree]
        return any(sum(other <= first <= last for other, last in long) > MOST_LIVE for first, _ in long)

    def _agreeing(self, begun: _Begun, again: str) -> int:
        """How many letters of ``again`` agree with a place in the text, at most. The first `SEED` do."""
        low, high = SEED, len(again)
        while low < high:  # bisection: each beginning of what agrees, agrees
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._agrees(begun, again[:middle]) else (low, middle - 1)
        return low

    def _agrees(self, begun: _Begun, again: str) -> bool:
        return again in self.had.tail.key or any(each.startswith(again) for _, each in begun.landmarks)

    def _advance(self, rest: str, known: _Known) -> Sign:
        """Look at what follows the repetition, as far as it has arrived."""
        key = Folded(rest).key
        live: list[_Begun] = []
        for begun in known.live:
            again = key[begun.at :]
            if len(live) >= MOST_LIVE and len(again) >= SEED:
                continue
            if again and self._comes_again(begun, again):
                return Sign.DOUBT
            if not again or self._may_come(begun, again):
                live.append(begun)
        known.live = live
        return Sign.MORE if live or len(rest) < AHEAD else Sign.NOTHING

    def _begun(self, rest: str, looked: int) -> Iterator[_Begun]:
        """The places, from ``looked`` on, where a word or a sign begins."""
        for found in _BEGINS.finditer(rest, looked, AHEAD):
            lead = rest[: found.start()]
            if blank(found[0]):
                continue
            if _SIGNS.fullmatch(lead):
                needs = DIRECTLY, OUT_OF_PLACE
            else:
                needs = BEHIND_A_BREAK if _BREAK.search(lead) else ACCIDENT, ACCIDENT
            yield _Begun(len(Folded(lead).key), needs, Overlaps(self.had.places), self._landmarks)

    def _comes_again(self, begun: _Begun, again: str) -> bool:
        """Whether a passage is repeated up to the text's end, or a long one from a landmark on."""
        checked = len(begun.found.complete)
        begun.found.compare(again)
        if any(self._counts(count, begun.needs) for count in begun.found.complete[checked:]):
            return True
        agreed, begun.landmarks = (
            begun.landmarks,
            [each for each in begun.landmarks if each[1].startswith(again)],
        )
        return any(
            self._is_anew(again[: shared(key, again)], least)
            for least, key in agreed
            if key.startswith(again[: (least + 1) // 2])  # no letter weighs more than 2
        )

    def _is_anew(self, run: str, least: int) -> bool:
        """Whether the reply begins the text again at a landmark, and the same words occur nowhere else in
        it."""
        return weight(run) >= least and self.had.tail.key.count(run) + self.had.opening.count(run) < 2

    def _counts(self, count: int, needs: tuple[int, int]) -> bool:
        """Whether a repetition of the text's last ``count`` letters is no coincidence and no habit of the
        text."""
        if self._is_said_twice(count):
            return False
        whole = self.had.is_border(self.had.begins(count)) or count == len(self.had.quote)
        if weight(self.had.tail.key[-count:]) < needs[not whole]:
            return False
        new = count - self._said_before
        if needs[0] == DIRECTLY:
            return new >= NEW or count >= OUT_OF_PLACE
        return new >= BEHIND_A_BREAK and (whole or self._is_prose)

    def _is_said_twice(self, count: int) -> bool:
        """Whether the text has its last ``count`` letters twice in a row anywhere."""
        return self.had.tail.key[-count:] * 2 in self.had.tail.key

    @cached_property
    def _loops(self) -> bool:
        """Whether the text ends with a passage twice in a row. Then a true continuation repeats it as
        well."""
        key = self.had.tail.key
        last = key[-ACCIDENT:]
        start = len(key) - len(last)
        while (start := key.rfind(last, 0, start + len(last) - 1)) >= 0:
            period = len(key) - len(last) - start
            if 2 * period <= len(key) and key[-2 * period : -period] == key[-period:]:
                return True
        return False

    @cached_property
    def _is_prose(self) -> bool:
        """Whether the text's last line is prose. Prose seldom repeats half a sentence."""
        return not self.had.fenced and is_prose(self.had.line)

    @cached_property
    def _said_before(self) -> int:
        """The length of the longest end of the text that occurs in it before."""
        tail, low, high = self.had.tail.key, 0, len(self.had.tail.key) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (
                (middle, high) if tail.find(tail[-middle:]) < len(tail) - middle else (low, middle - 1)
            )
        return low

    def _may_come(self, begun: _Begun, again: str) -> bool:
        """Whether all that has arrived agrees with the text, so that more of it may show a repetition."""
        agrees = again in self.had.tail.key if len(again) < SEED else begun.found.alive > 0
        return agrees or bool(begun.landmarks)

    @cached_property
    def _landmarks(self) -> list[tuple[int, str]]:
        """The keys of the text from each landmark on, each with how many letters of it must agree."""
        had, tail = self.had, self.had.tail
        found = [(LONG_PASSAGE if at else LONG_FROM_START, key) for at, key in had.far]
        item = len(had.text) - len(last_part(had.text[-NEAR:]))
        for at in sorted({*had.landmarks, item}):
            if at >= had.first:
                place = bisect_left(tail.at, at - had.first)
                found.append((LONG_PASSAGE if at else LONG_FROM_START, tail.key[place:]))
        return found
