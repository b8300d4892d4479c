"""Detects that a reply repeats the text again directly after a repetition.

A model that has repeated the quote may then begin the sentence, the section or the whole text again. A text
may also repeat itself, and here the model has already shown that it knows where to continue. So more proof is
required than for the first repetition. Behind a marker, which texts do not have, the usual thresholds apply.
Without a marker, a passage is cut only if it is long, and if its repetition stands in the middle of a
sentence of prose or of an open bracket or quotation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

from .delivered import Had
from .ending import NEAR, STOPS, is_open, last_part
from .joined import Asked, Diverged, Follow, Joined
from .lead_ins import Lead, Start
from .normalize import Folded, shared, weight
from .overlap import SEED
from .prose import is_prose
from .thresholds import ACCIDENT, OUT_OF_PLACE, SET_APART, is_begun_again, need

LONG_PASSAGE: Final = 64
"""Letters that must agree before a passage far from the end is followed along the text, or refused if the
reply departs from it."""
LONG_FROM_START: Final = 32
"""The same where a repetition is likely: from the beginning of the text or of the fragment on, or behind a
marker."""
LONG_PARAGRAPH: Final = 100
"""Length of a line, in characters, from which it is not verse."""
CHANGED: Final = 24
"""Letters of other words that may precede the fragment if all of it is repeated."""

_STOP: Final = re.compile(r"[.!?\u2026\u3002\uff01\uff1f]{1,4}")
_BEGUN: Final = re.compile(r"\S")
_ITEM: Final = re.compile(r"\s*\d{1,4}[.)][ \t]+")


class Sign(Enum):
    """What was found where nothing is cut."""

    NOTHING = auto()
    """Nothing is repeated."""
    MORE = auto()
    """More of the head is needed."""
    DOUBT = auto()
    """Something is repeated, but the text itself may repeat it."""


class Behind(NamedTuple):
    """Where in the head a repeated passage ends."""

    at: int
    left: str
    """The part of its last character that is new, such as an accent."""


Again: TypeAlias = Sign | Behind | Follow | Diverged


@dataclass(frozen=True)
class RepeatedAgain:
    """Looks for the text in what follows a repetition.

    Args:
        asked: what the reply was asked to begin with.
        had: what was delivered.
        most_held: characters of a head that are held at most.
    """

    asked: Asked
    had: Had
    most_held: int

    def look(self, head: str, at: int, how: Joined, *, marked: bool, final: bool, repeated: int = 0) -> Again:
        """What ``head`` repeats of the text from ``at`` on, or behind a full stop at ``at``.

        Args:
            head: the beginning of the reply.
            at: where in it the first repetition ends.
            how: how the text was repeated.
            marked: whether a marker or a wrapper was closed before ``at``.
            final: whether to decide on this much of the head.
            repeated: length of the first repetition, in characters of the text's key. The same passage may be
                repeated.
        """
        found = self._look(head, at, how, marked=marked, stopped=False, final=final, repeated=repeated)
        if found is not Sign.NOTHING or self.had.is_over:
            return found
        stop = _STOP.match(head, at)
        if stop is None:
            return self._next_item(head[at : at + self.most_held], final=final)
        if not final and not _BEGUN.search(head, stop.end()):
            return Sign.MORE
        behind = self._look(
            head, stop.end(), how, marked=marked, stopped=True, final=final, repeated=repeated
        )
        return Sign.DOUBT if isinstance(behind, Diverged) else behind

    def _look(
        self, head: str, at: int, how: Joined, *, marked: bool, stopped: bool, final: bool, repeated: int
    ) -> Again:
        """What is repeated directly at ``at``.

        Args:
            head: as in `look`.
            at: as in `look`.
            how: as in `look`.
            marked: as in `look`.
            final: as in `look`.
            stopped: whether a full stop stands before ``at`` that the model added to the text's sentence.
            repeated: as in `look`.
        """
        rest = head[at : at + self.most_held]
        blanks = len(rest) - len(rest.lstrip())
        again, apart = Folded(rest[blanks:]), marked or stopped or "\n" in rest[:blanks]
        key, tail, begin = again.key, self.had.tail.key, at + blanks
        if not key:
            return Sign.NOTHING
        if marked and (count := self._with_other_words(key, final=final)):
            return Behind(begin + again.end(count), again.left(count)) if count > 0 else Sign.MORE
        places = self._apart if apart else self._close
        if 0 < repeated <= len(tail):
            places = sorted({*places, len(tail) - repeated})
        alive = [place for place in places if tail.startswith(key, place)]
        far = [place for place, begun in self.had.far if begun.startswith(key)]
        complete = max((len(tail) - place for place in places if self._is_repeated(key, place)), default=0)
        alive = [place for place in alive if len(tail) - place > len(key)]
        if alive or far:
            if final and not self._is_rare(key, rest[blanks:]):
                return Sign.NOTHING
            return self._alive(key, alive, far, begin, how, marked=marked, final=final)
        enough = complete and self._is_enough(head, begin, complete, marked=marked, apart=apart)
        if enough and (not stopped or self._is_all(complete)):
            return Behind(begin + again.end(complete), again.left(complete))
        if complete:
            doubt = apart and weight(key[:complete]) >= OUT_OF_PLACE and tail[-complete:] * 2 not in tail
            return Sign.DOUBT if doubt else Sign.NOTHING
        return self._left(key, places, rest[blanks:]) if marked else Sign.NOTHING

    def _next_item(self, rest: str, *, final: bool) -> Sign:
        """Whether ``rest`` repeats the text's last list item, which is unfinished, under another number."""
        line, item = _ITEM.match(self.had.line), _ITEM.match(rest)
        if line is None or item is None:
            return Sign.NOTHING
        words, again = Folded(self.had.line[line.end() :]).key, Folded(rest[item.end() :]).key
        if weight(words) < ACCIDENT or not (words.startswith(again) or again.startswith(words)):
            return Sign.NOTHING
        if len(again) < len(words):
            return Sign.NOTHING if final else Sign.MORE
        return Sign.DOUBT

    # -- where it may be repeated from -----------------------------------------------------------------

    @cached_property
    def _apart(self) -> list[int]:
        """Places in the tail's key where a line, a sentence or the fragment begins, as far back as a
        repetition may begin."""
        had = self.had
        near = {at for at in had.borders if had.near >> at & 1}
        return sorted(at for at in {had.fragment, *near} if at >= 0)

    @cached_property
    def _close(self) -> list[int]:
        """The places of `_apart` where the text, the last paragraph, the fragment, the last line or the last
        sentence begins."""
        paragraph = self.had.text.rfind("\n\n") + 2
        begun = [at for at in self._apart if self.had.place(at) in (0, paragraph)]
        return sorted({self.had.fragment, *self._apart[-2:], *begun} - {-1})

    def _is_all(self, count: int) -> bool:
        """Whether the last ``count`` characters of the tail's key are the whole text."""
        return not self.had.first and self.had.begins(count) == 0

    def _is_repeated(self, key: str, place: int) -> bool:
        tail = self.had.tail.key
        return len(tail) - place <= len(key) and key.startswith(tail[place:])

    # -- what it amounts to -------------------------------------------------------------------------

    def _with_other_words(self, key: str, *, final: bool) -> int:
        """How much of ``key`` is a few other words followed by the whole fragment; 0 if it is not that, -1 if
        more of it is needed to tell."""
        quote = self.had.quote
        if weight(quote) < SET_APART or key[:1] == quote[:1]:
            return 0
        at = key.find(quote[:SEED], 1, CHANGED + SEED)
        if at > 0 and key.startswith(quote, at):
            return at + len(quote)
        waits = quote.startswith(key[at:]) if at > 0 else len(key) < CHANGED + SEED
        return -1 if waits and not final else 0

    def _alive(
        self,
        key: str,
        alive: list[int],
        far: list[int],
        begin: int,
        how: Joined,
        *,
        marked: bool,
        final: bool,
    ) -> Again:
        """The decision if all that has arrived agrees with the text, and the text goes on."""
        places = [*far, *map(self.had.place, alive)]
        far_back = len(self.had.text) - places[0] > self.most_held - LONG_PASSAGE
        if len(places) == 1 and weight(key) >= LONG_PASSAGE and far_back:
            return Follow(places[0], begin, how, again=not marked)
        if not final:
            return Sign.MORE
        if marked and weight(key) >= LONG_FROM_START:
            return Diverged()  # the reply ended inside the repetition
        return Sign.DOUBT if marked or weight(key) >= LONG_FROM_START else Sign.NOTHING

    def _is_enough(self, head: str, begin: int, count: int, *, marked: bool, apart: bool) -> bool:
        """Whether the repetition of the text's last ``count`` characters is proved."""
        had, tail = self.had, self.had.tail.key
        passage = tail[len(tail) - count :]
        if passage * 2 in tail:
            return False
        if marked:
            if count == len(had.quote) >= SEED and self.asked.whole:
                return True
            least = need(had, head, Start(begin, Lead.BARE, wrapped=True), count)
            return weight(passage) >= least
        line = had.text[had.text.rfind("\n") + 1 :]
        if self._is_unfinished and apart:
            return weight(passage) >= OUT_OF_PLACE and not is_begun_again(had, had.begins(count))
        if weight(passage) < SET_APART:
            return False
        if self._is_all(count) and weight(passage) >= LONG_PASSAGE and not had.is_over:
            return True
        goes_on = had.text[-1] not in STOPS and is_prose(line)
        return goes_on or (apart and len(line) >= LONG_PARAGRAPH and is_prose(line))

    @cached_property
    def _is_unfinished(self) -> bool:
        """Whether the text ends inside a bracket, a quotation, emphasis or inline code, so that no new line
        can follow."""
        text = self.had.text
        line = text[text.rfind("\n") + 1 :][-NEAR:]
        return not self.had.fenced and is_open(last_part(text[-NEAR:]), line)

    def _left(self, key: str, places: list[int], raw: str) -> Again:
        """The decision, behind a marker, if the reply agreed with the text from some place on and then
        departed."""
        had = self.had
        likely = [self._run(key, place) for place in places if place == had.fragment or had.place(place) == 0]
        likely += [shared(begun, key) for _, begun in had.far]
        runs = [self._run(key, place) for place in places if not had.goes_on_as_at(place)]
        anew = weight(key[: max(likely, default=0)]) >= LONG_FROM_START
        again = weight(key[: max(runs, default=0)]) >= ACCIDENT
        if not (anew or again) or not self._is_rare(key, raw):
            return Sign.NOTHING
        return Diverged() if anew else Sign.DOUBT

    def _run(self, key: str, place: int) -> int:
        return shared(self.had.tail.key[place : place + len(key)], key)

    def _is_rare(self, key: str, raw: str) -> bool:
        """Whether what is repeated occurs only once in the text, so that the text is unlikely to repeat
        it."""
        return self.had.says_once(key[:ACCIDENT], raw[:LONG_FROM_START])
