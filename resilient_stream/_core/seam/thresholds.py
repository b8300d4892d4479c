"""How long a passage must be to prove that a reply repeats it.

A long agreement is no accident, a short one may be: ``very, very``, a refrain, rows that are alike. But a
text that says a thing twice does so *from border to border*: what begins a line or a sentence comes again
where a line or a sentence ends, and has the same white space before it. A passage that begins elsewhere than
the seam would have it begin is a repetition of the model's, and a few letters of it are proof.

Who repeats a passage keeps its capitals. A capital answered by a small letter is what a text does that says
a thing again in the middle of a sentence: ``He knew that he knew that she knew``.
"""

from __future__ import annotations

import re
from typing import Final

from .delivered import ALIKE, Had
from .lead_ins import Lead, Start
from .normalize import Folded, shared

ACCIDENT: Final = 24
"""Letters that must agree for proof, where the text might as well repeat itself."""
TOUCHING: Final = 16
"""Letters that are proof where the two sides of the seam touch, one of them a sign: ``<td></td><td>``."""
OUT_OF_PLACE: Final = 12
"""Letters that are proof where no text repeats itself: ``the tidethe tide``, from the middle of a line or a
sentence to its end, several words on from the middle of one to its middle."""
SET_APART: Final = 40
"""Letters that are proof where it would be a proper repetition: rows, refrains, one line like another."""
BEGUN: Final = 8
"""Letters that are proof where a line or a sentence begins again in the middle of itself."""
ONE_WORD: Final = 5
"""Letters of one word that are proof where its repetition would stand inside that word."""

PAUSES: Final = frozenset(",;\uff0c\u3001\uff1b")
STOPS: Final = frozenset(".!?\u2026\"'\u201d\u2019\u3002\uff01\uff1f\u300d\u300f")

_FIRST: Final = re.compile(r"[\W_]*([^\W\d_])")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_LETTERS: Final = re.compile(r"[^\W\d_]+")


def need(had: Had, head: str, start: Start, count: int) -> int:
    """How much a passage must weigh that is not the fragment that was asked for.

    Args:
        had: what the consumer has.
        head: the beginning of the reply.
        start: where in it the passage begins.
        count: characters of the key of the passage, which is the text's end.
    """
    least = _need(had, head, start, had.begins(count))
    return max(least, ACCIDENT) if is_recased(had, head, start, count) else least


def is_recased(had: Had, head: str, start: Start, count: int) -> bool:
    """Whether a small letter answers a capital where the passage begins, or a capital a small letter, and the
    text may go on so: ``He knew that he knew``, ``Haha``, ``eventEvent``; but not ``Tempetemperature``.

    Args:
        had: as in `need`.
        head: as in `need`.
        start: as in `need`.
        count: as in `need`.
    """
    passage, reply = had.text[had.begins(count) :], head[start.at :]
    if {_is_capital(passage), _is_capital(reply)} != {True, False}:
        return False
    touches = not had.space + head[: start.at] and passage[-1].isalnum() and count >= ONE_WORD
    return not (touches and (reply[0].islower() or " " in passage))


def _is_capital(passage: str) -> bool | None:
    """Whether it begins with one; None if with a number, or if its writing has no capitals."""
    first = _FIRST.match(passage)
    return None if first is None or first[1].isupper() == first[1].islower() else first[1].isupper()


def _need(had: Had, head: str, start: Start, at: int) -> int:
    """The same, whatever the letter case, of the passage that begins at ``at``."""
    text = had.text
    if start.kind is not Lead.BARE or start.wrapped:
        return ACCIDENT if is_begun_again(had, at) else OUT_OF_PLACE
    lead, first = head[: start.at], head[start.at : start.at + 1]
    ends = seam_ends(had, lead, first, text[at:])
    if had.is_border(at):
        return SET_APART if ends else _begun(text[at:], first)
    parts = text[-1].isalnum() and first.isalnum()
    if _is_out_of_place(had, at, first, ends=ends) or (
        not had.space + lead and not parts and text[at - 1].isspace()
    ):
        return OUT_OF_PLACE
    if had.space:
        return ACCIDENT
    if lead:
        return SET_APART
    if parts:
        return _touching(had, at, first)
    return ACCIDENT if is_begun_again(had, at) else TOUCHING


def seam_ends(had: Had, lead: str, first: str, passage: str) -> bool:
    """Whether a line or a sentence ends where the reply begins, so that another may begin; of a passage of
    several lines, whether a line ends.

    Args:
        had: what the consumer has.
        lead: the reply's own white space.
        first: the character that follows it.
        passage: what may be said again.
    """
    gap = had.space + lead
    stops = had.text[-1] in STOPS and bool(gap or first > "\u2e7f")
    return "\n" in gap or (stops and "\n" not in passage)


def _is_out_of_place(had: Had, at: int, first: str, *, ends: bool) -> bool:
    """Whether a passage begins where nothing begins and its repetition would begin a line or a sentence, or
    several words come again within one."""
    text, passage = had.text, had.text[at:]
    if ends:
        return "\n" in passage or (first == text[at] and first.islower() and text[-1] in ".!?\u2026")
    begins = not (text[at - 1].isalnum() and passage[0].isalnum() and passage[0] < "\u2e80")
    several = len({word.casefold() for word in _WORD.findall(passage)}) >= 3
    return begins and several and text[-1] not in PAUSES and not is_begun_again(had, at)


def _touching(had: Had, at: int, first: str) -> int:
    """For a passage whose repetition would stand inside a word."""
    if _LETTERS.fullmatch(had.text, at) and first < "\u2e80":
        return ONE_WORD
    inside = had.text[at - 1].isalnum() and had.text[at] < "\u2e80"
    again = not had.text[at - 1].isspace() and is_begun_again(had, at)
    return ACCIDENT if inside or again else OUT_OF_PLACE


def is_begun_again(had: Had, at: int) -> bool:
    """Whether the passage that begins at ``at`` has begun before: what stands before it ends as it ends, or
    it ends with a word that is said twice."""
    key = had.tail.key
    if any(key[-size:] == key[-2 * size : -size] for size in range(ALIKE, OUT_OF_PLACE)):
        return True
    before, passage = Folded(had.text[max(0, 2 * at - len(had.text)) : at]).key, Folded(had.text[at:]).key
    return shared(before[::-1], passage[::-1]) >= max(ALIKE, len(passage) // 4)


def _begun(passage: str, first: str) -> int:
    """For a line or a sentence that begins again in the middle of itself."""
    if passage[-1] in PAUSES:  # We shall overcome, we shall overcome; but no comma is followed by We
        return OUT_OF_PLACE if first.isupper() and passage[0] == first else ACCIDENT
    several = " " in passage and _WORD.search(passage) is not None
    return BEGUN if several or passage > "\u2e80" else OUT_OF_PLACE
