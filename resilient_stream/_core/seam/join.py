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
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from typing import Final, TypeAlias

from . import wording
from .after_echo import AfterEcho, Place
from .delivered import Had
from .ending import can_end
from .joined import Asked, Decision, Diverged, Follow, Join, Joined
from .lead_ins import Lead, Start, starts, undecided
from .near_match import slipped
from .normalize import Folded, shared, weight
from .overlap import SEED, Overlaps, proved
from .quotation import is_bracket
from .thresholds import ACCIDENT, BEGUN, OUT_OF_PLACE, SET_APART, TOUCHING, is_recased, need, seam_ends
from .told_again import RETOLD, RETOLD_FROM_START
from .unproved import Unproved

MOST_HELD: Final = 400
"""Characters of a head that are held at most, for a fragment of the usual length."""

LONGEST_CLOSER: Final = 12
"""Characters that close a wrapper at most, with the line break before them."""

_FENCE: Final = re.compile(r"\n?[ \t]*(?:`{3}|~{3})")
_SAID: Final = frozenset(":.!?\u2026\uff1a\u3002\uff01\uff1f")


class More(Enum):
    """A part of the decision that needs more of the head, where None says that it does not apply."""

    MORE = auto()


MORE: Final = More.MORE
Part: TypeAlias = Join | Follow | Diverged | More | None


@dataclass(frozen=True)
class Joiner:
    """Decides the join of one reply; equal questions have equal answers."""

    asked: Asked
    looks: bool = True
    """Whether the text may be told once more behind a repetition; not if that was tried."""

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
            decided = self._after.join(
                head, Place(lead + len(quote), Joined.ECHO, told=len(self._had.quote)), final=enough
            )
        elif quote.startswith(body) and (final or not enough):
            return Join(len(head), Joined.AS_IS, verified=False) if final else None
        else:
            decided = self._search(head, final=enough)
        return self._after.ended(head, decided) if final and isinstance(decided, Join) else decided

    def behind(self, head: str, followed: Follow, *, final: bool, left: str) -> Decision:
        """Join ``head``, which follows a text that was told again.

        Args:
            head: what has come of it.
            followed: how it was told again.
            final: as in `join`.
            left: what is new in the last character that was told again.
        """
        enough = final or len(head) >= self._most_held
        decided = self._after.join(head, Place(0, followed.how, left), final=enough)
        return self._after.ended(head, decided) if final and isinstance(decided, Join) else decided

    # -- what was handed over --------------------------------------------------------------------

    @cached_property
    def _had(self) -> Had:
        return Had(self.asked, RETOLD)

    @cached_property
    def _known(self) -> dict[int, Overlaps]:
        return {}

    @cached_property
    def _after(self) -> AfterEcho:
        return AfterEcho(self.asked, self._had, self._most_held, self.looks)

    @cached_property
    def _unproved(self) -> Unproved:
        return Unproved(self.asked, self._had)

    @property
    def _most_held(self) -> int:
        return max(MOST_HELD, 3 * len(self.asked.quote))

    def _is_fenced(self) -> bool:
        return self._had.fenced

    # -- the parts of the decision ---------------------------------------------------------------

    def _prefilled(self, head: str, *, final: bool) -> Join | None:
        """Cut the white space that the consumer already has."""
        space = self.asked.space
        if space.startswith(head) and not final:
            return None
        verified = bool(head) or can_end(self._had.text, space)
        return Join(shared(space, head), Joined.PREFILL, verified=verified)

    def _search(self, head: str, *, final: bool) -> Decision:
        waits, said = not final and undecided(head), False
        opened = None
        for start in starts(head, fenced=self._is_fenced):
            found = self._from(head, start, final=final)
            if found is not None:
                return None if isinstance(found, More) else found
            request = self._is_request(head, start, final=final)
            said = said or request is True
            waits = waits or request is None or (not final and len(head) == start.at)
            reopened = opened is not None and opened.kind is Lead.REOPENED
            if not reopened and self._unproved.is_opening(head, start):
                opened = start  # behind a reopened fence what looks like a wrapper is code
        if said:
            return Diverged() if final else None  # the fragment may follow the words of the request
        if waits:
            return None
        if opened is not None:
            return self._unproved.behind(head, opened, final=final)
        if self.asked.whole and self._begins_anew(head):
            return Diverged()
        body, opener = head.lstrip(), self._had.opener
        if opener and body.startswith(opener):
            cut = len(head) - len(body) + len(opener)
            return self._after.join(head, Place(cut, Joined.OVERLAP), final=final)
        return self._unproved.join(head, 0, Joined.AS_IS, final=final)

    def _is_request(self, head: str, start: Start, *, final: bool) -> bool | None:
        """Whether words of the request stand at ``start``; None if more may tell."""
        if start.kind is Lead.UNKNOWN:
            return False
        return wording.says(head[start.at :], self.asked.wordings, apart=start.wrapped, final=final)

    def _from(self, head: str, start: Start, *, final: bool) -> Part:
        """What the head is if the text is told again from ``start``; None if it isn't."""
        told = Folded(head[start.at : start.at + self._most_held])
        found = self._overlaps(start.at, told.key)
        if self._had.quote and told.key.startswith(self._had.quote) and self._counts(head, start):
            return self._cut(head, start, told, len(self._had.quote), final=final)
        places, first = self._places(found)
        if start.kind is Lead.UNKNOWN:
            return self._behind_any_line(head, start, told, found, final=final)
        if is_bracket(start.wrapper):
            return self._in_brackets(head, start, told, found, final=final)
        sure = places == 1 and weight(told.key) >= RETOLD
        if sure and len(self._had.text) - first > self._most_held - RETOLD:
            return Follow(first, start.at, Joined.OVERLAP if first else Joined.RESTART)
        if (places or len(told.key) < SEED) and not final:
            return MORE
        if sure and self._is_rare(told.key, head, start):
            return Diverged()  # it ended inside what it told again
        longest = found.complete[-1] if found.complete else 0
        best = longest > found.longest_left and not self._owns(head, start, longest)
        if best and proved(self._had.tail.key, found.complete, need(self._had, head, start, longest)):
            return self._cut(head, start, told, longest, final=final)
        fence = start.sign == "fence" and self._had.fenced
        again = self._line_again(head, start, told, final=final) if fence else None
        return again if fence else self._left(head, start, told, found, final=final)

    def _in_brackets(self, head: str, start: Start, told: Folded, found: Overlaps, *, final: bool) -> Part:
        """What the head is if the text is told again in brackets. A text has brackets as well, and may say
        a few words again in them."""
        places, _ = self._places(found)
        if (places or len(told.key) < SEED) and not final:
            return MORE
        longest = found.complete[-1] if found.complete else 0
        if longest <= found.longest_left or self._owns(head, start, longest):
            return None
        least = max(SET_APART, need(self._had, head, start, longest))
        if proved(self._had.tail.key, found.complete, least):
            return self._cut(head, start, told, longest, final=final)
        return None

    def _behind_any_line(
        self, head: str, start: Start, told: Folded, found: Overlaps, *, final: bool
    ) -> Part:
        """What the head is if the text is told again behind a line of any words. A song may do that by
        itself: where a line or a sentence is over, only what is long and was said once is a repetition."""
        had, (places, first) = self._had, self._places(found)
        far = len(had.text) - first > self._most_held - RETOLD
        if places == 1 and weight(told.key) >= RETOLD and far and (start.apart or not had.is_over):
            return Follow(first, start.at, Joined.OVERLAP if first else Joined.RESTART)
        if (places or len(told.key) < SEED) and not final:
            return MORE
        longest = found.complete[-1] if found.complete else 0
        if longest <= found.longest_left or self._owns(head, start, longest):
            return None
        least = RETOLD if had.is_over else SET_APART
        once = had.tail.key.count(had.tail.key[-longest:]) == 1
        if once and had.is_border(had.begins(longest)) and proved(had.tail.key, found.complete, least):
            return self._cut(head, start, told, longest, final=final)
        return None

    def _line_again(self, head: str, start: Start, told: Folded, *, final: bool) -> Part:
        """Whether the text's last line is told again behind a fence that is opened again, and goes on."""
        had, line = self._had, Folded(self._had.line).key
        if "\n" in had.space or not told.key.startswith(line):
            return None
        end = start.at + told.end(len(line))
        if len(told.key) == len(line) or head[end] == "\n":
            return None if final or len(told.key) > len(line) else MORE
        if weight(line) >= BEGUN:
            return self._cut(head, start, told, len(line), final=final)
        return self._unproved.join(head, end, Joined.OVERLAP, final=final) or MORE

    def _overlaps(self, at: int, key: str) -> Overlaps:
        """Where the text is told from ``at`` on. What is known of it is kept: a head grows by little."""
        found = self._known.get(at)
        if found is None or not key.startswith(found.told):
            found = self._known[at] = Overlaps(self._had.places)
        found.tell(key)
        return found

    def _places(self, found: Overlaps) -> tuple[int, int]:
        """How many places of the text agree with all that came, and where the first of them is."""
        alive = found.alive & self._had.near
        far = [at for at, key in self._had.far if found.told and key.startswith(found.told)]
        near = [self._had.place((alive & -alive).bit_length() - 1)] if alive else []
        return alive.bit_count() + len(far), min(far + near, default=0)

    def _counts(self, head: str, start: Start) -> bool:
        """Whether the fragment behind ``start`` is the one that was asked for, and not the text's own."""
        had, count = self._had, len(self._had.quote)
        if is_recased(had, head, start, count) and weight(had.quote) < need(had, head, start, count):
            return False
        if self.asked.whole and (start.kind is not Lead.UNKNOWN or self._anew_behind(head[: start.at])):
            return True
        if start.kind is Lead.UNKNOWN:
            # A refrain comes again behind a line that is set apart; half a line doesn't.
            once = had.tail.key.count(had.quote) == 1 or not had.is_border(had.begins(count))
            return weight(had.quote) >= ACCIDENT and once
        return count >= SEED and (
            start.kind is not Lead.BARE or not start.wrapped or weight(had.quote) >= SEED
        )

    def _cut(self, head: str, start: Start, told: Folded, count: int, *, final: bool) -> Part:
        """Cut behind the passage of ``count`` characters of the key, and behind what closes its wrappers."""
        had, cut, left = self._had, start.at + told.end(count), told.left(count)
        cut += 0 if left else shared(had.trailing, head[cut:])
        closed = cut
        if start.closers:
            if len(head) - cut < LONGEST_CLOSER and not final:
                return MORE
            closed = _closed(head, cut, start.closers)
        if count == len(had.quote):
            how = Joined.ECHO
        else:
            how = Joined.RESTART if count == len(had.tail.key) and not had.first else Joined.OVERLAP
        wrapper = "" if closed == cut else "fence" if start.sign in ("fence", "tag") else "pair"
        stays = closed == cut and (
            start.sign == "pair"
            or (start.sign == "fence" and had.fenced and _FENCE.match(head, cut) is not None)
        )
        place = Place(closed, how, left, start.opened, wrapper, count, doubt=stays)
        return self._after.join(head, place, final=final) or MORE

    def _owns(self, head: str, start: Start, count: int) -> bool:
        """Whether what looks like a wrapper is a part of the text that is told again."""
        at = self._had.begins(count) if start.wrapped and count else 0
        return at > 0 and self._had.text[:at].rstrip().endswith(start.wrapper.rstrip())

    def _left(self, head: str, start: Start, told: Folded, found: Overlaps, *, final: bool) -> Part:
        """Whether the head followed the text and left it: with a slip in the fragment, or for good."""
        begun = found.left() >> self._had.fragment & 1 and weight(self._had.quote) >= TOUCHING
        if begun and not is_recased(self._had, head, start, len(self._had.quote)):
            ends = seam_ends(self._had, head[: start.at], head[start.at], self.asked.quote)
            end = slipped(self._had, told.key, ends=ends, final=final)
            if end is None:
                return MORE
            if end:
                cut = start.at + told.end(end)
                return self._unproved.join(head, cut, Joined.ECHO, final=final) or MORE
        far = found.left(RETOLD) & self._had.near
        likely = found.left(RETOLD_FROM_START) & self._had.beginnings
        anew = any(
            weight(told.key[: shared(key, told.key)]) >= (RETOLD if at else RETOLD_FROM_START)
            for at, key in self._had.far
        )
        left = anew or (far | likely) & ~self._had.habitual
        return Diverged() if left and self._is_rare(told.key, head, start) else None

    def _is_rare(self, key: str, head: str, start: Start) -> bool:
        """Whether the text says only once what the head begins with."""
        return self._had.says_once(key[:ACCIDENT], head[start.at : start.at + RETOLD_FROM_START])

    def _anew_behind(self, line: str) -> bool:
        """Whether ``line`` is an opening, where the whole answer was asked for and begins behind it."""
        ends = line.rstrip()[-1] in _SAID
        return (
            weight(self._had.quote) >= OUT_OF_PLACE and ends and not (line[0].isspace() or line[0].islower())
        )

    def _begins_anew(self, head: str) -> bool:
        """Whether the whole answer was asked for, and this begins otherwise."""
        last, body = self._had.text[-1], head.lstrip()
        if self.asked.space or body != head or not last.isalnum():
            return False
        return (body[:1].isupper() and bool(re.match(r"\w[a-z']", body))) or bool(re.match("#+ ", body))


def _closed(head: str, cut: int, closers: tuple[str, ...]) -> int:
    """Where the wrappers around the fragment are closed."""
    for closer in closers:
        if found := re.compile(f"(?:\u2026|\\.\\.\\.)?{closer}").match(head, cut):
            cut = found.end()
    return cut
