"""Joins what follows a repetition in a reply.

A model that has repeated what it was asked to may write the request's closing marker, the rest of the
request, or the same sentence, section or text once more (`repeated_again`). Markers are cut, and what is
repeated again is cut like any other repetition. Words of the request make the reply another answer. What goes
on as the text hardly would is joined as it came, and reported as not verified.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from . import lines, markers, remarks, wording
from .delivered import Had
from .ending import NEAR, STOPS, can_end, has_open_bracket
from .joined import Asked, Decision, Diverged, Follow, Join, Joined
from .lines import Line
from .prose import is_prose
from .repeated_again import Again, RepeatedAgain, Sign
from .whitespace import Mend, indent, is_settled, mend

MOST_TURNS: Final = 4
"""How often markers and repetitions are looked for, one behind the other."""
BROKEN_OFF: Final = 30
"""Characters of a line without a stop that is no heading."""
LONGEST_SIGNS: Final = 12
"""Characters that are too few to be an answer where none of them is a letter."""
_TAG: Final = re.compile(r"</?[a-zA-Z][\w:.-]{0,30}>|<\|[\w-]{1,30}\|>|\[/?[A-Z]{2,10}\]")
"""A tag, or what ends a turn in some model's format."""
_HALF_TAG: Final = re.compile(r"(?:<[/|]?[\w:.|-]{0,32}|\[/?[A-Z]{0,10})\Z")
_FENCE: Final = re.compile(r"`{3,}|~{3,}")

_SIGNS: Final = STOPS | frozenset(
    "!\"#%&'()*,-./:;<>?@[\\]^_`{|}~+=$\u00ab\u00bb\u2018\u2019\u201c\u201d\u201e\u2039\u203a\u2013\u2014"
    "\u3001\u3008\u3009\u300a\u300b\u300c\u300d\u300e\u300f\u3010\u3011\uff08\uff09\uff0c\uff1a\uff1b"
)
_LEADS: Final = " \t\n<>[]{}()*_`\"'\u201c\u201d\u00ab\u00bb"
"""Behind which the words of a request are still its words."""


_NEW: Final = ("#", "---", "***", "<|")
"""What begins a heading, a rule, a turn."""
_QUOTES: Final = "\"'\u201c\u201e\u00ab\u300c"
_BROKEN: Final = re.compile(r"[^\W\d_A-Z],?\n(?=[^\W\d_])")
"""A line that ends in the middle of a sentence."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a head a repetition ends."""

    cut: int
    how: Joined
    left: str = ""
    """What is new in the last character that was repeated."""
    opened: str = ""
    """What stood before the repetition and is still open: "marker", "fence", a closing tag or nothing."""
    closed: str = ""
    """What wrapper has been closed before ``cut``: "fence", "pair" or nothing."""
    repeated: int = 0
    """Characters of the text's key that the repetition has."""
    doubt: bool = False
    """Whether what follows may be the wrapper's or the text's."""


@dataclass(frozen=True)
class AfterEcho:
    """Joins what follows a repetition.

    Args:
        asked: what the reply was asked to begin with.
        had: what was delivered.
        most_held: characters of a head that are held at most.
        looks: whether the text may be repeated once more; not if that was tried, and it was the text's own.
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
        at, left, marked = place.cut, place.left, place.closed == "fence"
        doubt = place.doubt or not self.looks
        for _ in range(MOST_TURNS):
            half = place.opened == "marker" and not marked
            passed = markers.passed(head[at:], self.had.text, opened=half, final=final)
            if passed is None:
                return None
            at, marked = at + passed, marked or passed > 0
            doubt = doubt or (passed > 0 and at < len(head) and head[at - 1] != "\n")
            repeated = self._repeated(head, at, place, marked=marked, final=final)
            if isinstance(repeated, (Follow, Diverged)) or repeated is Sign.MORE:
                return None if repeated is Sign.MORE else repeated
            if isinstance(repeated, Sign):
                doubt = doubt or repeated is Sign.DOUBT
                break
            at, left = repeated
        if place.opened and not marked:
            closing = self._closing(head[at : at + self.most_held], place.opened, final=final)
            if closing is None and not final:
                return None
            if closing is not None:
                return self._closed(head, at, closing, place, final=final)
            # a fence will be closed where nobody looks; models leave markers open
            doubt = doubt or (place.opened == "fence" and len(head) >= self.most_held)
        return self._go_on(head, at, place, left, marked=marked, doubt=doubt, final=final)

    def ended(self, head: str, joined: Join) -> Join:
        """The join of a head that is all there is.

        A repetition alone proves the place, and so does one with no more than a sign behind it: it is an
        ending only where the text can end. A bracket that closes what the text has open is the text's.
        """
        rest, text, space = joined.supplied + head[joined.cut :], self.had.text, self.asked.space
        if not joined.verified or not is_signs(rest, final=True):
            return joined
        ends = can_end(text, space)
        if ends and rest.strip() and self._is_foreign(rest):
            return Join(len(head), Joined.ECHO_ONLY, verified=True)
        if not ends and can_end(text + space + rest.rstrip()) and _closes(text, rest):
            return joined
        return Join(joined.cut, Joined.ECHO_ONLY, ends, joined.supplied, joined.kept)

    def _is_foreign(self, rest: str) -> bool:
        """Whether a finished text has nothing that ``rest`` would close: fences, tags, the end of a turn."""
        tags = "<" in self.had.text[-NEAR:]
        return not (rest if tags else _TAG.sub("", _FENCE.sub("", rest))).strip()

    # -- the parts of the decision ---------------------------------------------------------------

    @cached_property
    def _repeated_again(self) -> RepeatedAgain:
        return RepeatedAgain(self.asked, self.had, self.most_held)

    def _is_request(self, rest: str, *, final: bool, marked: bool = False) -> bool | None:
        """Whether ``rest`` begins with words of the request; None if more of it may show it."""
        return wording.says(rest.lstrip(_LEADS), self.asked.wordings, apart=marked, final=final)

    def _repeated(self, head: str, at: int, place: Place, *, marked: bool, final: bool) -> Again:
        """What is repeated at ``at`` that the consumer has, or that the model was asked."""
        said = self._is_request(head[at:], marked=marked, final=final)
        if said is None:
            return Sign.MORE
        if said:
            return Diverged() if marked or _breaks(head[at:]) else Sign.DOUBT
        if not self.looks:
            return Sign.NOTHING
        return self._repeated_again.look(
            head, at, place.how, repeated=place.repeated, marked=marked, final=final
        )

    def _closing(self, rest: str, opened: str, *, final: bool) -> tuple[int, int] | None:
        """Where in ``rest`` that is closed which stood before the repetition."""
        if opened == "fence":
            return markers.closing_fence(rest, inside=bool(self.had.opener), final=final)
        return markers.closing(rest, self.had.text, opened=opened, final=final)

    def _closed(self, head: str, at: int, closing: tuple[int, int], place: Place, *, final: bool) -> Decision:
        """Join a reply that goes on before the marker that it opened is closed."""
        begin, end = closing
        kept = head[at : at + begin]
        mended = mend(self.had.text, self.asked.space, kept, fenced=self._is_fenced, proved=True)
        kept = mended.supply + kept[mended.drop :]
        text, at = self.had.text + self.asked.space + kept, at + end
        if head[at - 1] == "\n" and head[at : at + 1].strip():
            at -= 1  # nothing else parts the two
        repeated = self._repeated(head, at, place, marked=True, final=final)
        if isinstance(repeated, Diverged) or repeated is Sign.MORE:
            return None if repeated is Sign.MORE else repeated
        if not final and not is_settled("", head[at:], proved=True):
            return None
        behind = mend(text, "", head[at:], fenced=self._is_fenced, proved=True, broken=True)
        remark = kept.rstrip()[-1:] in STOPS and head[at:].lstrip()[:1].isupper()
        remark = remark or self._is_remark(self.had.text, kept, final=True) is True
        verified = (
            repeated is Sign.NOTHING and not remark and not self._breaks_off(text, head[at:], marked=True)
        )
        supplied = kept + behind.supply
        return Join(
            at + behind.drop, place.how, verified=verified, supplied=supplied, kept=len(kept), behind=at
        )

    def _go_on(
        self, head: str, at: int, place: Place, left: str, *, marked: bool, doubt: bool, final: bool
    ) -> Join | None:
        """Join what is left, with the white space that belongs there."""
        rest, space = head[at:], self.asked.space
        if not final and (not is_settled(space, rest, proved=True) or is_signs(rest, final=False)):
            return None
        blanks = rest[: len(rest) - len(rest.lstrip())]
        if head[:at].endswith("\n") and "\n" in space and "\n" not in blanks:
            mended = Mend(indent(space, blanks))
        elif (marked or place.closed) and head[at - 1] == "\n" and not space and "\n" not in blanks and rest:
            line = lines.begins(self.had.text, rest, fenced=self.had.fenced, final=final)
            if line is None:
                return None
            doubt = doubt or (line is Line.UNKNOWN and self.had.fenced)
            mended = Mend(0, "\n") if line is Line.NEXT else self._mend(rest, broken=True)
        else:
            mended = self._mend(rest, broken=marked or place.closed != "")
        remark = self._is_remark(self.had.text, rest, final=final)
        if remark is None:
            return None
        doubt = doubt or remark or self._breaks_off(self.had.text, rest, marked=marked)
        return Join(at + mended.drop, place.how, verified=not doubt, supplied=left + mended.supply, behind=at)

    def _mend(self, rest: str, *, broken: bool) -> Mend:
        fenced = self._is_fenced
        return mend(self.had.text, self.asked.space, rest, fenced=fenced, proved=True, broken=broken)

    def _is_fenced(self) -> bool:
        return self.had.fenced

    def _is_remark(self, text: str, rest: str, *, final: bool) -> bool | None:
        """Whether ``rest`` begins with a remark of the model's; None if more of it may show it.

        In a quotation, and behind the name of who speaks, the words are somebody else's.
        """
        near = text[-NEAR:]
        over, dotted = self.had.is_over, "..." in near or "\u2026" in near
        remark = remarks.begins(rest, over=over, dotted=dotted, final=final)
        spoken = rest.lstrip()[:1].isalpha() and (text[-1] == ":" or text[-1] in _QUOTES)
        return remark if remark is None else remark and not spoken

    def _breaks_off(self, text: str, rest: str, *, marked: bool) -> bool:
        """Whether a new sentence, or a line of another kind, begins where the last sentence has not ended:
        behind a marker, an empty line, or any line break in a text that breaks no sentence."""
        word = rest.lstrip()
        blanks = rest[: len(rest) - len(word)]
        if not (word[:1].isupper() or word.startswith(_NEW)) or blanks.strip(" ") != blanks:
            return False
        breaks = blanks.count("\n")
        if self.had.fenced or not (breaks or marked):
            return marked and breaks > 0
        line = text[text.rfind("\n") + 1 :].strip()
        title = line.startswith(("#", "|")) or (line.startswith("**") and line.endswith("**"))
        if len(line) < BROKEN_OFF or title or not (line[-1:].islower() or line[-1] in ",;"):
            return False
        return breaks > 1 or marked or (is_prose(line) and not _BROKEN.search(text[-NEAR:]))


def is_signs(rest: str, *, final: bool) -> bool:
    """Whether ``rest`` has no more than a few signs and tags: a stop, a bracket, the end of a fence.

    Args:
        rest: what stands behind a repetition.
        final: whether no more will come; half a tag counts otherwise.
    """
    bare = _TAG.sub("", rest)
    signs = "".join((bare if final else _HALF_TAG.sub("", bare)).split())
    return len(signs) <= LONGEST_SIGNS and all(sign in _SIGNS for sign in signs)


def _closes(text: str, rest: str) -> bool:
    """Whether ``rest`` has a bracket that closes one before it, or a tag behind a finished element."""
    if any(unicodedata.category(sign) == "Pe" for sign in rest) and has_open_bracket(text[-NEAR:]):
        return True
    if ">" in rest and text.rfind("<") > text.rfind(">"):
        return True
    return "</" in rest and (text[-1] == ">" or text.rstrip("\"')\u201d")[-1:] in STOPS)


def _breaks(rest: str) -> bool:
    """Whether ``rest`` begins with a line break."""
    return "\n" in rest[: len(rest) - len(rest.lstrip())]
