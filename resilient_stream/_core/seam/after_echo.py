"""What a reply has behind a repetition, before the text goes on.

A model that has repeated what it was asked to may write the request's closing marker, the rest of the
request, or the same sentence, section or text once more (`told_again`). Markers are cut, and what is told
again is cut like any other repetition. Words of the request make the reply another answer. What goes on as
the text hardly would is joined as it came, and reported as not verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from . import markers, wording
from .delivered import Had
from .ending import STOPS, can_end
from .joined import Asked, Decision, Diverged, Follow, Join, Joined
from .told_again import Behind, Retelling, Sign
from .whitespace import Mend, indent, is_settled, mend

MOST_TURNS: Final = 4
"""How often markers and repetitions are looked for, one behind the other."""
BROKEN_OFF: Final = 30
"""Characters of a line without a stop that is no heading."""
LONGEST_SIGNS: Final = 12
"""Characters that are too few to be an answer where none of them is a letter."""

_SIGNS: Final = STOPS | frozenset(
    "!\"#%&'()*,-./:;<>?@[\\]^_`{|}~+=$\u00ab\u00bb\u2018\u2019\u201c\u201d\u201e\u2039\u203a\u2013\u2014"
    "\u3001\u3008\u3009\u300a\u300b\u300c\u300d\u300e\u300f\u3010\u3011\uff08\uff09\uff0c\uff1a\uff1b"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a head a repetition ends."""

    cut: int
    how: Joined
    left: str = ""
    """What is new in the last character that was told again."""
    opened: str = ""
    """What stood before the repetition and is still open: "marker", "fence" or nothing."""
    closed: str = ""
    """What wrapper has been closed before ``cut``: "fence", "pair" or nothing."""


@dataclass(frozen=True)
class AfterEcho:
    """Joins what follows a repetition.

    Args:
        asked: what the reply was asked to begin with.
        had: what was handed over.
        most_held: characters of a head that are held at most.
        looks: whether the text may be told again; not if that was tried, and it was the text's own.
    """

    asked: Asked
    had: Had
    most_held: int
    looks: bool = True

    def join(self, head: str, place: Place, *, final: bool) -> Decision:
        """Join ``head`` behind the repetition, or None if more of it is needed.

        Args:
            head: the beginning of the reply.
            place: where the repetition ends.
            final: whether this much of the head is enough.
        """
        at, left, marked, doubt = place.cut, place.left, place.closed == "fence", not self.looks
        for _ in range(MOST_TURNS):
            passed = markers.passed(head[at:], self.had.text, opened=place.opened == "marker", final=final)
            if passed is None:
                return None
            at, marked = at + passed, marked or passed > 0
            doubt = doubt or (passed > 0 and at < len(head) and head[at - 1] != "\n")
            said = self._is_request(head[at:], marked=marked, final=final)
            if said is not False:
                return Diverged() if said else None
            told = self._told_again(head, at, place.how, marked=marked, final=final)
            if isinstance(told, (Follow, Diverged)):
                return told
            if told is Sign.MORE:
                return None
            if isinstance(told, Sign):
                doubt = doubt or told is Sign.DOUBT
                break
            at, left = told
        if place.opened and not marked:
            closing = markers.closing(
                head[at : at + self.most_held], self.had.text, fence=place.opened == "fence", final=final
            )
            if closing is None and not final:
                return None
            if closing is not None:
                return self._closed(head, at, closing, place, final=final)
        return self._go_on(head, at, place, left, marked=marked, doubt=doubt, final=final)

    def ended(self, head: str, joined: Join) -> Join:
        """The join of a head that is all there is.

        A repetition alone proves the place, and so does one with no more than a sign behind it: it is an
        ending only where the text can end. A bracket that closes what the text has open is the text's.
        """
        rest = joined.supplied + head[joined.cut :]
        if not joined.verified or not is_signs(rest):
            return joined
        text, space = self.had.text, self.asked.space
        if (
            rest.strip()
            and not can_end(text, space)
            and can_end(text + space + rest.rstrip())
            and _closes(rest)
        ):
            return joined
        return Join(joined.cut, Joined.ECHO_ONLY, can_end(text, space), joined.supplied, joined.kept)

    # -- the parts of the decision ---------------------------------------------------------------

    @cached_property
    def _retelling(self) -> Retelling:
        return Retelling(self.asked, self.had, self.most_held)

    def _is_request(self, rest: str, *, marked: bool, final: bool) -> bool | None:
        blanks = rest[: len(rest) - len(rest.lstrip())]
        if not (marked or "\n" in blanks):
            return False
        return wording.says(rest, self.asked.wordings, apart=marked, final=final)

    def _told_again(
        self, head: str, at: int, how: Joined, *, marked: bool, final: bool
    ) -> Sign | Behind | Follow | Diverged:
        if not self.looks:
            return Sign.NOTHING
        return self._retelling.look(head, at, how, marked=marked, final=final)

    def _closed(self, head: str, at: int, closing: tuple[int, int], place: Place, *, final: bool) -> Decision:
        """Join a reply that goes on before the marker that it opened is closed."""
        begin, end = closing
        kept = head[at : at + begin]
        mended = mend(self.had.text, self.asked.space, kept, fenced=self._is_fenced, proved=True)
        kept = mended.supply + kept[mended.drop :]
        text, at = self.had.text + self.asked.space + kept, at + end
        if head[at - 1] == "\n" and head[at : at + 1].strip():
            at -= 1  # nothing else parts the two
        said = self._is_request(head[at:], marked=True, final=final)
        if said is not False:
            return Diverged() if said else None
        told = self._told_again(head, at, place.how, marked=True, final=final)
        if told is Sign.MORE:
            return None
        if not final and not is_settled("", head[at:], proved=True):
            return None
        behind = mend(text, "", head[at:], fenced=self._is_fenced, proved=True, broken=True)
        verified = told is Sign.NOTHING and not self._breaks_off(text, head[at:], marked=True)
        supplied = kept + behind.supply
        return Join(at + behind.drop, place.how, verified=verified, supplied=supplied, kept=len(kept))

    def _go_on(
        self, head: str, at: int, place: Place, left: str, *, marked: bool, doubt: bool, final: bool
    ) -> Join | None:
        """Join what is left, with the white space that belongs there."""
        rest, space = head[at:], self.asked.space
        if not final and (not is_settled(space, rest, proved=True) or is_signs(rest)):
            return None
        blanks = rest[: len(rest) - len(rest.lstrip())]
        if head[:at].endswith("\n") and "\n" in space and "\n" not in blanks:
            mended = Mend(indent(space, blanks))
        else:
            broken = marked or place.closed != ""
            mended = mend(self.had.text, space, rest, fenced=self._is_fenced, proved=True, broken=broken)
        doubt = doubt or self._breaks_off(self.had.text, rest, marked=marked)
        return Join(at + mended.drop, place.how, verified=not doubt, supplied=left + mended.supply)

    def _is_fenced(self) -> bool:
        return self.had.fenced

    def _breaks_off(self, text: str, rest: str, *, marked: bool) -> bool:
        """Whether a new sentence begins where the last one has not ended: behind an empty line, or a
        marker."""
        word = rest.lstrip()
        blanks = rest[: len(rest) - len(word)]
        if not word[:1].isupper() or not (blanks.count("\n") > 1 or (marked and blanks.strip(" ") == blanks)):
            return False
        if self.had.fenced:
            return marked and "\n" in blanks
        line = text[text.rfind("\n") + 1 :].strip()
        title = line.startswith(("#", "|")) or (line.startswith("**") and line.endswith("**"))
        return len(line) >= BROKEN_OFF and not title and (line[-1:].islower() or line[-1] in ",;")


def is_signs(rest: str) -> bool:
    """Whether ``rest`` has no more than a few signs: a stop, a bracket, the end of a fence."""
    signs = "".join(rest.split())
    return len(signs) <= LONGEST_SIGNS and all(sign in _SIGNS for sign in signs)


def _closes(rest: str) -> bool:
    """Whether ``rest`` has a bracket that closes one before it."""
    return any(sign in ")]}\uff09\u300d\u300f\u3011\u300b\u3009" for sign in rest)
