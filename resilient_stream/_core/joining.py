"""How a continuation joins what the consumer already has.

Asked to repeat a fragment and to go on, models repeat it in other letters or wrapped, more of the text or
less, all of it, none of it; they say a sentence of their own; they lose white space. ``docs/seams.md``
tells how often the join is right.

The decision is a pure function of what was handed over, what was asked and the head of the reply. It rests
on one rule: *text is cut only where it is proved that the consumer has it*. The fragment that was asked for
is proof; so is any other passage that agrees up to the end of the text and is too long for an accident
(`overlap`). Two things are cut without proof, and reported so: a sentence that announces a continuation is
no part of it (`preambles`), and a fragment told with a slip is still the fragment. Where nothing else is
proved, nothing is cut and the join is reported unverified. A reply that begins to tell the text again and
then leaves it is another answer: it is never put behind this one.

`Joiner.join` answers None as long as more of the head could change the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property
from typing import Final, TypeAlias

from .fold import Folded, shared, weight
from .leads import Lead, Start, in_fence, starts, undecided
from .mend import Mend, mend
from .overlap import SEED, Overlaps, overlaps, proved
from .seam import Asked, Decision, Diverged, Follow, Join, Joined

MOST_HELD: Final = 400
"""Characters of a head that are held at most, for a fragment of the usual length."""
WINDOW: Final = 1000
"""Characters at the end and at the beginning of the text that are compared by their keys."""

LONGEST_CLOSER: Final = 12
"""Characters that close a wrapper at most, with the line break before them."""

PROOF: Final = 24
"""Letters that must agree for proof, where the text might as well repeat itself."""
PROOF_TOUCHING: Final = 16
"""Letters that are proof where the two sides of the seam touch, one of them a sign: ``<td></td><td>``."""
PROOF_GLUED: Final = 12
"""Letters that are proof where both sides of the seam are parts of words: ``the tidethe tide`` is no text."""
PROOF_SET_APART: Final = 40
"""Letters that are proof where the reply's own white space would make it a proper repetition."""
PROOF_BEGUN: Final = 8
"""Letters that are proof where a line or a sentence begins again in the middle of itself."""
ONE_WORD: Final = 5
"""Letters of one word that are proof where its repetition would stand inside that word."""
RETOLD: Final = 64
"""Letters that must agree for a passage far from the end to be followed, or refused if it is left."""
RETOLD_FROM_START: Final = 32
"""The same for the beginning of the text or of the fragment, where a repetition is likely."""

_PAUSES: Final = frozenset(",;:\uff0c\u3001")
_STOPS: Final = frozenset(".!?\u2026\"'\u201d\u2019\u3002\uff01\uff1f")
_BORDER: Final = re.compile(r"(?:\n|[.!?:]\s|[\u3002\uff01\uff1f])\s*$")
_OPENS: Final = frozenset("([{<\u00bf\u00a1\u00ab\u201e\u201c\u2018\u300c\u300e")


class More(Enum):
    """A part of the decision that needs more of the head, where None says that it does not apply."""

    MORE = auto()


MORE: Final = More.MORE
Part: TypeAlias = Join | Follow | Diverged | More | None


@dataclass(frozen=True)
class Joiner:
    """Decides the join of one reply; equal questions have equal answers."""

    asked: Asked

    def join(self, head: str, *, final: bool) -> Decision:
        """Decide the join, or None if more of the head is needed.

        Args:
            head: the beginning of the continuation.
            final: whether ``head`` is all that will come.
        """
        quote = self.asked.quote
        if not quote:
            return self._prefilled(head, final=final)
        enough = final or len(head) >= self._most_held
        body = head.lstrip()
        lead = len(head) - len(body)
        decided: Decision
        if body.startswith(quote):
            decided = self._behind(head, lead + len(quote), Joined.ECHO, verified=True, final=enough)
        elif quote.startswith(body) and (final or not enough):
            return Join(len(head), Joined.AS_IS, verified=False) if final else None
        else:
            decided = self._search(head, final=enough)
        return _ended(head, decided) if final and isinstance(decided, Join) else decided

    def behind(self, head: str, how: Joined, *, final: bool, left: str) -> Join | None:
        """Join ``head``, which follows a text that was told again.

        Args:
            head: what has come of it.
            how: how it was told again.
            final: as in `join`.
            left: what is new in the last character that was told again.
        """
        enough = final or len(head) >= self._most_held
        joined = self._behind(head, 0, how, verified=True, final=enough, left=left)
        return _ended(head, joined) if final and joined else joined

    def _behind(
        self, head: str, cut: int, how: Joined, *, verified: bool, final: bool, left: str = ""
    ) -> Join | None:
        """Join what follows ``cut``, with the white space that belongs there."""
        rest = head[cut:]
        word = rest.lstrip()
        if not final and (not word or (not verified and word[-1:].isalpha() and word.isalpha())):
            return None
        space, blanks = self.asked.space, rest[: len(rest) - len(word)]
        if head[:cut].endswith("\n") and "\n" in space and "\n" not in blanks:
            # The line was broken before the cut: what follows is an indent, as is the end of the space.
            mended = Mend(shared(space.rpartition("\n")[2], blanks))
        else:
            mended = mend(self._text, space, rest, fenced=self._is_fenced, proved=verified)
        return Join(cut + mended.drop, how, verified=verified, supplied=left + mended.supply)

    # -- what was handed over --------------------------------------------------------------------

    @property
    def _text(self) -> str:
        return self.asked.text or self.asked.quote

    @property
    def _most_held(self) -> int:
        return max(MOST_HELD, 3 * len(self.asked.quote))

    def _is_fenced(self) -> bool:
        return self._fenced

    @cached_property
    def _fenced(self) -> bool:
        return in_fence(self._text)

    @cached_property
    def _first(self) -> int:
        """Where the part of the text begins that is compared by its key: near the end, or all."""
        return max(0, len(self._text) - max(WINDOW, 3 * len(self.asked.quote)))

    @cached_property
    def _tail(self) -> Folded:
        return Folded(self._text[self._first :])

    @cached_property
    def _opening(self) -> str:
        """The key of the text's beginning, where that is not in the tail."""
        return Folded(self._text[:WINDOW]).key if self._first else ""

    @cached_property
    def _quote(self) -> str:
        return Folded(self.asked.quote).key

    # -- the parts of the decision ---------------------------------------------------------------

    def _prefilled(self, head: str, *, final: bool) -> Join | None:
        """Cut the white space that the consumer already has."""
        space = self.asked.space
        if space.startswith(head) and not final:
            return None
        return Join(shared(space, head), Joined.PREFILL, verified=True)

    def _search(self, head: str, *, final: bool) -> Decision:
        waits = not final and undecided(head)
        opened = None
        for start in starts(head, fenced=self._is_fenced):
            found = self._from(head, start, final=final)
            if found is not None:
                return None if isinstance(found, More) else found
            waits = waits or (not final and len(head) == start.at)
            if start.kind in (Lead.ANNOUNCED, Lead.REOPENED) and (
                start.kind is Lead.REOPENED or not start.wrapped
            ):
                opened = start
        if waits:
            return None
        if opened is not None:
            return self._behind(head, opened.at, Joined.PREAMBLE, verified=False, final=final)
        if self.asked.whole and self._begins_anew(head):
            return Diverged()
        return self._behind(head, 0, Joined.AS_IS, verified=False, final=final)

    def _from(self, head: str, start: Start, *, final: bool) -> Part:
        """What the head is if the text is told again from ``start``; None if it isn't."""
        told = Folded(head[start.at : start.at + self._most_held])
        found = overlaps(self._tail.key, told.key)
        if len(self._quote) in found.complete and self._counts(start):
            return self._cut(head, start, told, len(self._quote), final=final)
        begun = self._quote and told.key.startswith(self._quote)
        if self.asked.whole and start.kind is not Lead.UNKNOWN and begun:
            return self._cut(head, start, told, len(self._quote), final=final)
        fragment = len(self._tail.key) - len(self._quote)
        places = [at for at in map(self._place, found.alive) if at >= self._earliest or at == 0]
        if told.key and self._opening.startswith(told.key):
            places.append(0)
        if start.kind is Lead.UNKNOWN:
            waits = any(at <= self._place(fragment) for at in places) or len(told.key) < SEED
            return MORE if waits and not final else None
        sure = len(places) == 1 and weight(told.key) >= RETOLD
        if sure and len(self._text) - places[0] > self._most_held - RETOLD:
            return Follow(places[0], start.at, Joined.OVERLAP if places[0] else Joined.RESTART)
        if (places or len(told.key) < SEED) and not final:
            return MORE
        if sure and self._is_rare(told.key, head, start):
            return Diverged()  # it ended inside what it told again
        longest = found.complete[0] if found.complete else 0
        best = longest > max(found.broken.values(), default=0) and not self._owns(head, start, longest)
        if best and proved(self._tail.key, found.complete, self._need(head, start, longest)):
            return self._cut(head, start, told, longest, final=final)
        return self._left(head, start, told, found, final=final)

    def _counts(self, start: Start) -> bool:
        """Whether the fragment behind ``start`` is the one that was asked for, and not the text's own."""
        if start.kind is Lead.UNKNOWN:
            return weight(self._quote) >= PROOF and self._tail.key.count(self._quote) == 1
        return start.kind is not Lead.BARE or not start.wrapped or weight(self._quote) >= SEED

    def _cut(self, head: str, start: Start, told: Folded, count: int, *, final: bool) -> Join | More:
        """Cut behind the passage of ``count`` characters of the key, and behind what closes its wrappers."""
        cut = start.at + told.end(count)
        left = told.left(count)
        trailing = self._text[self._first + self._tail.at[-1] + 1 :]
        cut += 0 if left else shared(trailing, head[cut:])
        if start.closers:
            if len(head) - cut < LONGEST_CLOSER and not final:
                return MORE
            cut = _closed(head, cut, start.closers)
        if count == len(self._quote):
            how = Joined.ECHO
        else:
            how = Joined.RESTART if count == len(self._tail.key) and not self._first else Joined.OVERLAP
        return self._behind(head, cut, how, verified=True, final=final, left=left) or MORE

    def _need(self, head: str, start: Start, count: int) -> int:
        """How much a passage must weigh that is not the fragment that was asked for."""
        text, lead, first = self._text, head[: start.at], head[start.at : start.at + 1]
        if start.kind is not Lead.BARE or start.wrapped:
            return PROOF_GLUED
        if "\n" not in lead + self.asked.space and text[-1] not in _STOPS and self._begins(count):
            return PROOF_GLUED if text[-1] in _PAUSES else PROOF_BEGUN
        if self.asked.space:
            return PROOF
        if lead == " " or "\n" in lead:
            return PROOF_SET_APART
        if not lead and not (text[-1].isalnum() and first.isalnum()):
            return PROOF_TOUCHING
        word = re.search(r"[^\W\d_]+$", text)
        return ONE_WORD if word and len(word[0]) >= count and first < "\u2e80" else PROOF_GLUED

    def _owns(self, head: str, start: Start, count: int) -> bool:
        """Whether what looks like a wrapper is a part of the text that is told again."""
        at = self._place(len(self._tail.key) - count) if start.wrapped and count else 0
        return at > 0 and self._text[at - 1] == head[start.at - 1]

    def _begins(self, count: int) -> bool:
        """Whether a passage of more than one word begins a line or a sentence of the text."""
        at = self._place(len(self._tail.key) - count)
        passage = self._text[at:]
        several = " " in passage or passage > "\u2e80"
        return several and (at == 0 or bool(_BORDER.search(self._text, max(0, at - 40), at)))

    def _place(self, at: int) -> int:
        """Where in the text a character of the tail's key is, or its end; 0 for the first not blank."""
        if at == len(self._tail.key):
            return len(self._text)
        place = self._first + self._tail.at[at]
        return place if place > self._leading else 0

    @cached_property
    def _leading(self) -> int:
        """White space that the text begins with."""
        return len(self._text) - len(self._text.lstrip())

    @cached_property
    def _earliest(self) -> int:
        """Where the passages begin that may be repeated: the last paragraph, or twice the fragment.

        What stands before that comes again in refrains and in rows that are alike; models that begin
        again there have not been seen.
        """
        near = len(self._text) - 2 * len(self.asked.quote) - RETOLD
        return max(0, min(near, self._text.rfind("\n\n") + 2))

    def _left(self, head: str, start: Start, told: Folded, found: Overlaps, *, final: bool) -> Part:
        """Whether the head followed the text and left it: with a slip in the fragment, or for good."""
        fragment = len(self._tail.key) - len(self._quote)
        if found.broken.get(fragment, 0) >= SEED and weight(self._quote) >= PROOF:
            for size in (PROOF_GLUED, PROOF_TOUCHING, PROOF):
                end = self._quote[-size:]
                at = told.key.find(end) + size
                if (
                    at >= size
                    and self._tail.key.count(end) == 1
                    and abs(at - len(self._quote)) <= PROOF_GLUED
                ):
                    cut = start.at + told.end(at)
                    return self._behind(head, cut, Joined.ECHO, verified=False, final=final) or MORE
            if 3 * len(told.key) < 4 * len(self._quote) and not final:
                return MORE
        runs = [
            (run, RETOLD_FROM_START if at == fragment or self._place(at) == 0 else RETOLD)
            for at, run in found.broken.items()
            if at == fragment or self._place(at) == 0 or self._place(at) >= self._earliest
        ]
        if self._first:
            runs.append((shared(self._opening, told.key), RETOLD_FROM_START))
        if any(weight(told.key[:run]) >= need for run, need in runs) and self._is_rare(told.key, head, start):
            return Diverged()
        return None

    def _is_rare(self, key: str, head: str, start: Start) -> bool:
        """Whether the text says only once what the head begins with; rows of a table may begin alike."""
        begun, raw = key[:PROOF], head[start.at : start.at + RETOLD_FROM_START]
        return self._tail.key.count(begun) + self._opening.count(begun) < 2 and self._text.count(raw) < 2

    def _begins_anew(self, head: str) -> bool:
        """Whether the whole answer was asked for, and this begins otherwise."""
        last, body = self._text[-1], head.lstrip()
        if self.asked.space or body != head or last in _STOPS or last in _OPENS:
            return False
        return bool(re.match(r"[^\W\d_a-z][a-z']|#+ ", body))


def _ended(head: str, joined: Join) -> Join:
    """The join of a head that is all there is: a repetition alone is an ending."""
    alone = joined.verified and joined.cut == len(head) and not joined.supplied
    return replace(joined, how=Joined.ECHO_ONLY) if alone else joined


def _closed(head: str, cut: int, closers: tuple[str, ...]) -> int:
    """Where the wrappers around the fragment are closed, and the line that they stood on is ended."""
    closed = cut
    for closer in closers:
        if found := re.compile(f"(?:\u2026|\\.\\.\\.)?{closer}").match(head, closed):
            closed = found.end()
    if closed > cut and (found := re.compile(r"[ \t]*\n(?:\n(?=\S))?").match(head, closed)):
        return found.end()
    return closed
