"""How long a passage must be to prove that a reply repeats it.

If the end of the text and the beginning of the reply agree over a long passage, the reply repeats the text.
If they agree over a short one, it may be coincidence: ``very, very``, a refrain, table rows that are alike.

A text that repeats itself usually repeats whole lines or whole sentences. The repetition begins where a new
line or sentence can begin, behind the same white space. So two cases are told apart. If the passage begins at
the beginning of a line or sentence, and the seam is at the end of one, the text may repeat itself, and a long
agreement is needed as proof. If the passage begins in the middle of a line or sentence, or would have to
begin again in the middle of one, the model has repeated it, and a few letters are proof.

A model that repeats a passage keeps its capitals. If the case of the first letter differs, the text may be
saying the same words again inside a sentence: ``He knew that he knew that she knew``.
"""

from __future__ import annotations

import re
from typing import Final

from .delivered import ALIKE, Had
from .lead_ins import Lead, Start
from .normalize import Folded, shared

ACCIDENT: Final = 24
"""Letters that must agree if the text might repeat itself here."""
TOUCHING: Final = 16
"""Letters that must agree if no white space is at the seam, and one of its two sides is a sign:
``<td></td><td>``."""
OUT_OF_PLACE: Final = 12
"""Letters that must agree at a place where texts do not repeat themselves: inside a word (``the tidethe
tide``), if the passage begins in the middle of a line or sentence and the seam is at the end of one, or if
both are in the middle and the passage has several words."""
SET_APART: Final = 40
"""Letters that must agree if the text may well repeat itself: rows, refrains, lines that are alike."""
BEGUN: Final = 8
"""Letters that must agree if the beginning of a line or sentence is repeated before that line or sentence has
ended."""
ONE_WORD: Final = 5
"""Letters that must agree if the passage is one word, and its repetition would stand inside that word."""

PAUSES: Final = frozenset(",;\uff0c\u3001\uff1b")
STOPS: Final = frozenset(".!?\u2026\"'\u201d\u2019\u3002\uff01\uff1f\u300d\u300f")

_FIRST: Final = re.compile(r"[\W_]*([^\W\d_])")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_LETTERS: Final = re.compile(r"[^\W\d_]+")


def need(had: Had, head: str, start: Start, count: int) -> int:
    """How much a passage must weigh (`weight`) to prove that the reply repeats it.

    This is for any passage but the quoted fragment itself.

    Args:
        had: what the consumer has.
        head: the beginning of the reply.
        start: where in the head the passage begins.
        count: length of the passage, in characters of its key. The passage is the end of the text.
    """
    least = _need(had, head, start, had.begins(count))
    return max(least, ACCIDENT) if is_recased(had, head, start, count) else least


def is_recased(had: Had, head: str, start: Start, count: int) -> bool:
    """Whether the reply begins the passage in the other letter case, in a way in which the text may continue.

    ``He knew that he knew``, ``Haha`` and ``eventEvent`` are such texts; ``Tempetemperature`` is not one.

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
    """Whether the first letter of a passage is a capital; None if it has no letter case."""
    first = _FIRST.match(passage)
    return None if first is None or first[1].isupper() == first[1].islower() else first[1].isupper()


def _need(had: Had, head: str, start: Start, at: int) -> int:
    """`need` without the rule about capitals, for the passage that begins at ``at``."""
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
    """Whether a line or a sentence ends at the seam, so that the passage could begin there as a new one.

    A passage of several lines can only begin behind the end of a line.

    Args:
        had: what the consumer has.
        lead: white space at the beginning of the reply.
        first: the reply's first character behind that.
        passage: the passage that may be repeated.
    """
    gap = had.space + lead
    stops = had.text[-1] in STOPS and bool(gap or first > "\u2e7f")
    return "\n" in gap or (stops and "\n" not in passage)


def _is_out_of_place(had: Had, at: int, first: str, *, ends: bool) -> bool:
    """Whether the passage begins in the middle of a line or sentence, at a place where texts do not repeat
    themselves: its repetition would begin a line or sentence, or it is several words long and its repetition
    would stand in the middle of a line or sentence too."""
    text, passage = had.text, had.text[at:]
    if ends:
        return "\n" in passage or (first == text[at] and first.islower() and text[-1] in ".!?\u2026")
    begins = not (text[at - 1].isalnum() and passage[0].isalnum() and passage[0] < "\u2e80")
    several = len({word.casefold() for word in _WORD.findall(passage)}) >= 3
    return begins and several and text[-1] not in PAUSES and not is_begun_again(had, at)


def _touching(had: Had, at: int, first: str) -> int:
    """How much a passage must weigh if its repetition would stand inside a word."""
    if _LETTERS.fullmatch(had.text, at) and first < "\u2e80":
        return ONE_WORD
    inside = had.text[at - 1].isalnum() and had.text[at] < "\u2e80"
    again = not had.text[at - 1].isspace() and is_begun_again(had, at)
    return ACCIDENT if inside or again else OUT_OF_PLACE


def is_begun_again(had: Had, at: int) -> bool:
    """Whether the text already repeats itself around the passage that begins at ``at``: what stands before
    the passage ends with the same letters as the passage, or the text ends with a short sequence of letters
    twice."""
    key = had.tail.key
    if any(key[-size:] == key[-2 * size : -size] for size in range(ALIKE, OUT_OF_PLACE)):
        return True
    before, passage = Folded(had.text[max(0, 2 * at - len(had.text)) : at]).key, Folded(had.text[at:]).key
    return shared(before[::-1], passage[::-1]) >= max(ALIKE, len(passage) // 4)


def _begun(passage: str, first: str) -> int:
    """How much a passage must weigh if it begins a line or sentence that has not ended yet."""
    if passage[-1] in PAUSES:  # "We shall overcome, we shall overcome" is usual, ", We" is not
        return OUT_OF_PLACE if first.isupper() and passage[0] == first else ACCIDENT
    several = " " in passage and _WORD.search(passage) is not None
    return BEGUN if several or passage > "\u2e80" else OUT_OF_PLACE
