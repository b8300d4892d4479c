"""Joins what follows a repetition in a reply.

Behind the repetition, a model may write the request's closing marker, the rest of the request, or the same
sentence, section or text once more (`repeated_again`). Markers are cut. A passage that is repeated again is
cut like any other repetition. If words of the request follow, the reply is another answer. If what follows is
an unlikely continuation of the text, it is joined as it came and the join is reported as unverified.
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
"""How many markers and repetitions are looked for, one behind the other."""
BROKEN_OFF: Final = 30
"""Length of a line, in characters, from which it is taken for an unfinished sentence if it ends without a
stop. A shorter one may be a heading."""
LONGEST_SIGNS: Final = 12
"""Characters up to which a rest without letters is too short to be an answer."""
_TAG: Final = re.compile(r"</?[a-zA-Z][\w:.-]{0,30}>|<\|[\w-]{1,30}\|>|\[/?[A-Z]{2,10}\]")
"""A tag, or an end-of-turn sign from some model's prompt format."""
_HALF_TAG: Final = re.compile(r"(?:<[/|]?[\w:.|-]{0,32}|\[/?[A-Z]{0,10})\Z")
_FENCE: Final = re.compile(r"`{3,}|~{3,}")

_SIGNS: Final = STOPS | frozenset(
    "!\"#%&'()*,-./:;<>?@[\\]^_`{|}~+=$\u00ab\u00bb\u2018\u2019\u201c\u201d\u201e\u2039\u203a\u2013\u2014"
    "\u3001\u3008\u3009\u300a\u300b\u300c\u300d\u300e\u300f\u3010\u3011\uff08\uff09\uff0c\uff1a\uff1b"
)
_LEADS: Final = " \t\n<>[]{}()*_`\"'\u201c\u201d\u00ab\u00bb"
"""Signs that are skipped before words of the request are looked for."""


_NEW: Final = ("#", "---", "***", "<|")
"""The beginnings of a heading, a horizontal rule, and a turn in some model's prompt format."""
_QUOTES: Final = "\"'\u201c\u201e\u00ab\u300c"
_BROKEN: Final = re.compile(r"[^\W\d_A-Z],?\n(?=[^\W\d_])")
"""A line that ends in the middle of a sentence."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the head a repetition ends, and what is known of it."""

    cut: int
    how: Joined
    left: str = ""
    """The part of the last repeated character that is new, such as an accent."""
    opened: str = ""
    """What was opened before the repetition and is still open: "marker", "fence", the closing tag that is
    expected, or nothing."""
    closed: str = ""
    """Which wrapper was closed before ``cut``: "fence", "pair" or nothing."""
    repeated: int = 0
    """Length of the repetition, in characters of the text's key."""
    doubt: bool = False
    """Whether it is unclear if what follows belongs to the wrapper or to the text."""


@dataclass(frozen=True)
class AfterEcho:
    """Joins what follows a repetition.

    Args:
        asked: what the reply was asked to begin with.
        had: what was delivered.
        most_held: the largest number of characters of a head that are held.
        looks: whether to look for another repetition. False if that was tried, and what looked like a
            repetition was the text's own.
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
            # The fence will be closed further on, where nobody looks for it. Models leave markers open.
            doubt = doubt or (place.opened == "fence" and len(head) >= self.most_held)
        return self._go_on(head, at, place, left, marked=marked, doubt=doubt, final=final)

    def ended(self, head: str, joined: Join) -> Join:
        """The join if the head is the whole reply.

        A reply that has only the repetition, or the repetition and a few signs, is a proper ending only if
        the text can end there. A bracket that closes one in the text belongs to the text.
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
        """Whether ``rest`` has only a closing fence, closing tags or an end-of-turn sign, and the text, which
        is complete, has nothing that they would close."""
        tags = "<" in self.had.text[-NEAR:]
        return not (rest if tags else _TAG.sub("", _FENCE.sub("", rest))).strip()

    # -- the parts of the decision ---------------------------------------------------------------

    @cached_property
    def _repeated_again(self) -> RepeatedAgain:
        return RepeatedAgain(self.asked, self.had, self.most_held)

    def _is_request(self, rest: str, *, final: bool, marked: bool = False) -> bool | None:
        """Whether ``rest`` begins with words of the request; None if more of it is needed to tell."""
        return wording.says(rest.lstrip(_LEADS), self.asked.wordings, apart=marked, final=final)

    def _repeated(self, head: str, at: int, place: Place, *, marked: bool, final: bool) -> Again:
        """Whether text that the consumer has, or words of the request, are repeated at ``at``."""
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
        """Where in ``rest`` the marker, fence or tag is closed that was opened before the repetition."""
        if opened == "fence":
            return markers.closing_fence(rest, inside=bool(self.had.opener), final=final)
        return markers.closing(rest, self.had.text, opened=opened, final=final)

    def _closed(self, head: str, at: int, closing: tuple[int, int], place: Place, *, final: bool) -> Decision:
        """Join a reply whose new text begins before the marker that it opened is closed."""
        begin, end = closing
        kept = head[at : at + begin]
        mended = mend(self.had.text, self.asked.space, kept, fenced=self._is_fenced, proved=True)
        kept = mended.supply + kept[mended.drop :]
        text, at = self.had.text + self.asked.space + kept, at + end
        if head[at - 1] == "\n" and head[at : at + 1].strip():
            at -= 1  # keep the line break, because nothing else separates the two
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
        """Join the rest of the head, with the white space that belongs there."""
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
        """Whether ``rest`` begins with a remark that the model added; None if more of it is needed to tell.

        Words in a quotation, or behind the name of a speaker, are not a remark of the model.
        """
        near = text[-NEAR:]
        over, dotted = self.had.is_over, "..." in near or "\u2026" in near
        remark = remarks.begins(rest, over=over, dotted=dotted, final=final)
        spoken = rest.lstrip()[:1].isalpha() and (text[-1] == ":" or text[-1] in _QUOTES)
        return remark if remark is None else remark and not spoken

    def _breaks_off(self, text: str, rest: str, *, marked: bool) -> bool:
        """Whether ``rest`` begins a new sentence, heading or rule although the last sentence has not ended.

        This counts behind a marker, behind an empty line, and behind any line break if the text has no line
        breaks inside sentences.
        """
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
    """Whether ``rest`` has nothing but a few signs and tags: a full stop, a bracket, the end of a fence.

    Args:
        rest: what follows a repetition.
        final: whether no more will come. If more may come, an incomplete tag is accepted as well.
    """
    bare = _TAG.sub("", rest)
    signs = "".join((bare if final else _HALF_TAG.sub("", bare)).split())
    return len(signs) <= LONGEST_SIGNS and all(sign in _SIGNS for sign in signs)


def _closes(text: str, rest: str) -> bool:
    """Whether ``rest`` closes something in the text: it has a bracket that closes one, the end of an
    incomplete tag, or a closing tag behind an element or a sentence that is complete."""
    if any(unicodedata.category(sign) == "Pe" for sign in rest) and has_open_bracket(text[-NEAR:]):
        return True
    if ">" in rest and text.rfind("<") > text.rfind(">"):
        return True
    return "</" in rest and (text[-1] == ">" or text.rstrip("\"')\u201d")[-1:] in STOPS)


def _breaks(rest: str) -> bool:
    """Whether ``rest`` begins with a line break."""
    return "\n" in rest[: len(rest) - len(rest.lstrip())]
