"""Finds a repetition of the text that begins at a given position in a reply.

At a position where the repetition may begin (`lead_ins`), this looks for the quote, or for another passage
that agrees up to the end of the text and is too long for coincidence. What follows the passage is joined by
`after_echo`. A reply that begins to repeat the text and then departs from it is another answer, or has a slip
in the quote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, TypeAlias

from .after_echo import AfterEcho, Place
from .delivered import Had
from .joined import Asked, Diverged, Follow, Join, Joined
from .lead_ins import Lead, Start
from .near_match import slipped
from .normalize import Folded, shared, weight
from .overlap import SEED, Overlaps, proved
from .quotation import is_bracket
from .repeated_again import LONG_FROM_START, LONG_PASSAGE
from .thresholds import ACCIDENT, BEGUN, OUT_OF_PLACE, SET_APART, TOUCHING, is_recased, need, seam_ends
from .unproved import Unproved

LONGEST_CLOSER: Final = 12
"""The largest number of characters that close a wrapper, with the line break before them."""

_FENCE: Final = re.compile(r"\n?[ \t]*(?:`{3}|~{3})")
_SAID: Final = frozenset(":.!?\u2026\uff1a\u3002\uff01\uff1f")


class More(Enum):
    """Says that more of the head is needed. None has another meaning here: that there is no repetition."""

    MORE = auto()


MORE: Final = More.MORE
Part: TypeAlias = Join | Follow | Diverged | More | None


@dataclass(frozen=True)
class Repetitions:
    """Looks for the text in a reply.

    Args:
        asked: what the reply was asked to begin with.
        had: what was delivered.
        after: joins what follows a repetition.
        unproved: joins what follows a quote with a slip in it.
        most_held: characters of a head that are held at most.
    """

    asked: Asked
    had: Had
    after: AfterEcho
    unproved: Unproved
    most_held: int
    _known: dict[int, Overlaps] = field(default_factory=dict[int, Overlaps], init=False, repr=False)

    def look(self, head: str, start: Start, *, final: bool) -> Part:
        """The decision if the reply repeats the text from ``start`` on; None if it does not."""
        reply = Folded(head[start.at : start.at + self.most_held])
        found = self._overlaps(start.at, reply.key)
        if self.had.quote and reply.key.startswith(self.had.quote) and self._counts(head, start):
            return self._cut(head, start, reply, len(self.had.quote), final=final)
        places, first = self._places(found)
        if start.kind is Lead.UNKNOWN:
            return self._behind_any_line(head, start, reply, found, final=final)
        if is_bracket(start.wrapper):
            return self._in_brackets(head, start, reply, found, final=final)
        sure = places == 1 and weight(reply.key) >= LONG_PASSAGE
        if sure and len(self.had.text) - first > self.most_held - LONG_PASSAGE:
            return Follow(first, start.at, Joined.OVERLAP if first else Joined.RESTART)
        if (places or len(reply.key) < SEED) and not final:
            return MORE
        if sure and self._is_rare(reply.key, head, start):
            return Diverged()  # the reply ended inside the repetition
        longest = found.complete[-1] if found.complete else 0
        best = longest > found.longest_left and not self._owns(head, start, longest)
        if best and proved(self.had.tail.key, found.complete, need(self.had, head, start, longest)):
            return self._cut(head, start, reply, longest, final=final)
        fence = start.sign == "fence" and self.had.fenced
        again = self._line_again(head, start, reply, final=final) if fence else None
        return again if fence else self._left(head, start, reply, found, final=final)

    def _in_brackets(self, head: str, start: Start, reply: Folded, found: Overlaps, *, final: bool) -> Part:
        """The decision if the reply repeats the text in brackets; None if it does not.

        The text itself may have brackets and repeat a few words in them, so more must agree.
        """
        places, _ = self._places(found)
        if (places or len(reply.key) < SEED) and not final:
            return MORE
        longest = found.complete[-1] if found.complete else 0
        if longest <= found.longest_left or self._owns(head, start, longest):
            return None
        least = max(SET_APART, need(self.had, head, start, longest))
        if proved(self.had.tail.key, found.complete, least):
            return self._cut(head, start, reply, longest, final=final)
        return None

    def _behind_any_line(
        self, head: str, start: Start, reply: Folded, found: Overlaps, *, final: bool
    ) -> Part:
        """The decision if the reply repeats the text behind a line of any words; None if it does not.

        A song may do the same. So behind the end of a line or sentence, a passage counts as a repetition only
        if it is long and occurs once in the text.
        """
        had, (places, first) = self.had, self._places(found)
        far = len(had.text) - first > self.most_held - LONG_PASSAGE
        if places == 1 and weight(reply.key) >= LONG_PASSAGE and far and (start.apart or not had.is_over):
            return Follow(first, start.at, Joined.OVERLAP if first else Joined.RESTART)
        if (places or len(reply.key) < SEED) and not final:
            return MORE
        longest = found.complete[-1] if found.complete else 0
        if longest <= found.longest_left or self._owns(head, start, longest):
            return None
        least = LONG_PASSAGE if had.is_over else SET_APART
        once = had.tail.key.count(had.tail.key[-longest:]) == 1
        if once and had.is_border(had.begins(longest)) and proved(had.tail.key, found.complete, least):
            return self._cut(head, start, reply, longest, final=final)
        return None

    def _line_again(self, head: str, start: Start, reply: Folded, *, final: bool) -> Part:
        """The decision if the reply opens the fence again and repeats the text's last line; None if it does
        not."""
        had, line = self.had, Folded(self.had.line).key
        if "\n" in had.space or not reply.key.startswith(line):
            return None
        end = start.at + reply.end(len(line))
        if len(reply.key) == len(line) or head[end] == "\n":
            return None if final or len(reply.key) > len(line) else MORE
        if weight(line) >= BEGUN:
            return self._cut(head, start, reply, len(line), final=final)
        return self.unproved.join(head, end, Joined.OVERLAP, final=final) or MORE

    def _overlaps(self, at: int, key: str) -> Overlaps:
        """The places in the text that agree with the reply from ``at`` on.

        They are kept, because the head grows by a little between calls.
        """
        found = self._known.get(at)
        if found is None or not key.startswith(found.reply):
            found = self._known[at] = Overlaps(self.had.places)
        found.compare(key)
        return found

    def _places(self, found: Overlaps) -> tuple[int, int]:
        """How many places of the text agree with all that has arrived, and where the first of them is."""
        alive = found.alive & self.had.near
        far = [at for at, key in self.had.far if found.reply and key.startswith(found.reply)]
        near = [self.had.place((alive & -alive).bit_length() - 1)] if alive else []
        return alive.bit_count() + len(far), min(far + near, default=0)

    def _counts(self, head: str, start: Start) -> bool:
        """Whether the fragment at ``start`` is the repetition that was asked for, and not part of the
        continuation."""
        had, count = self.had, len(self.had.quote)
        if is_recased(had, head, start, count) and weight(had.quote) < need(had, head, start, count):
            return False
        if self.asked.whole and (start.kind is not Lead.UNKNOWN or self._anew_behind(head[: start.at])):
            return True
        if start.kind is Lead.UNKNOWN:
            # A refrain may be repeated behind a separate line; half a line is not.
            once = had.tail.key.count(had.quote) == 1 or not had.is_border(had.begins(count))
            return weight(had.quote) >= ACCIDENT and once
        return count >= SEED and (
            start.kind is not Lead.BARE or not start.wrapped or weight(had.quote) >= SEED
        )

    def _cut(self, head: str, start: Start, reply: Folded, count: int, *, final: bool) -> Part:
        """Join behind the passage of ``count`` characters of the key, and behind what closes its wrappers."""
        had, cut, left = self.had, start.at + reply.end(count), reply.left(count)
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
        return self.after.join(head, place, final=final) or MORE

    def _owns(self, head: str, start: Start, count: int) -> bool:
        """Whether what looks like a wrapper is part of the text that is repeated."""
        at = self.had.begins(count) if start.wrapped and count else 0
        return at > 0 and self.had.text[:at].rstrip().endswith(start.wrapper.rstrip())

    def _left(self, head: str, start: Start, reply: Folded, found: Overlaps, *, final: bool) -> Part:
        """The decision if the head agreed with the text and then departed from it: it may be the fragment
        with a slip, or another answer. None if it is neither."""
        begun = found.left() >> self.had.fragment & 1 and weight(self.had.quote) >= TOUCHING
        if begun and not is_recased(self.had, head, start, len(self.had.quote)):
            ends = seam_ends(self.had, head[: start.at], head[start.at], self.asked.quote)
            end = slipped(self.had, reply.key, ends=ends, final=final)
            if end is None:
                return MORE
            if end:
                cut = start.at + reply.end(end)
                return self.unproved.join(head, cut, Joined.ECHO, final=final) or MORE
        far = found.left(LONG_PASSAGE) & self.had.near
        likely = found.left(LONG_FROM_START) & self.had.beginnings
        anew = any(
            weight(reply.key[: shared(key, reply.key)]) >= (LONG_PASSAGE if at else LONG_FROM_START)
            for at, key in self.had.far
        )
        left = anew or (far | likely) & ~self.had.habitual
        return Diverged() if left and self._is_rare(reply.key, head, start) else None

    def _is_rare(self, key: str, head: str, start: Start) -> bool:
        """Whether the beginning of the head occurs only once in the text."""
        return self.had.says_once(key[:ACCIDENT], head[start.at : start.at + LONG_FROM_START])

    def _anew_behind(self, line: str) -> bool:
        """Whether ``line`` is an opening. Called if the whole answer was asked for, and begins behind it."""
        ends = line.rstrip()[-1] in _SAID
        return (
            weight(self.had.quote) >= OUT_OF_PLACE and ends and not (line[0].isspace() or line[0].islower())
        )


def _closed(head: str, cut: int, closers: tuple[str, ...]) -> int:
    """The place in the head behind everything that closes the wrappers."""
    for closer in closers:
        if found := re.compile(f"(?:\u2026|\\.\\.\\.)?{closer}").match(head, cut):
            cut = found.end()
    return cut
