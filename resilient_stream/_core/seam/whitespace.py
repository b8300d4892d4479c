"""Mends the white space at a seam.

The request shows the model the text without its trailing white space, which the consumer has already
received. What the reply repeats of that white space is cut. Otherwise the white space of a reply that began
with a proved echo is trusted, because the model continued from its own words. White space is changed only in
these cases:

* A line break is missing before a list item, a table row, a heading or a code fence, which begin a line of
  their own.
* A line break stands in the middle of a sentence of prose. Poems, code, lists and hard-wrapped text have such
  line breaks, so the line must be long and the text must have no line break inside a sentence elsewhere. An
  empty line is removed behind any long line of prose (`prose`).
* A space is missing behind a comma or a full stop, in a text that always has one there.
* There are two spaces, in a text that always has one. Only if there was no echo.
* A space is missing between two words: both occur in the text, and the two together do not occur as one word.
  Only if there was no echo, because a model that begins a new message drops the space.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from .normalize import shared
from .prose import LONG_LINE, joins_without_space, runs_on

NEAR: Final = 3000
"""Characters before the seam that are examined for the text's habits."""

LONGEST_WORD: Final = 100
"""Letters of the longest word that is looked up in the text."""

LONGEST_TOKEN: Final = 24
"""Characters of a word that are waited for at most."""

_WORD: Final = r"[^\W\d_]"
_LETTERS: Final = re.compile(rf"{_WORD}+")
_NO_BEGINNING: Final = re.compile(r"([bcdfgkmnprstz])\1[a-z]")
_NO_WORD: Final = re.compile(r"[bcdfghjklmnpqrstvwxz]{2,4}")
"""Letters with which no word begins (``tter``), and letters that are no word (``str``), in Latin script."""
_MARKUP: Final = re.compile(r"\s*([#|>*+\-`~<{\[(\\]|\d+[.)]\s)")
_RUNS_ON: Final = re.compile(r"[^\W\d_A-Z],?\n+[ \t]*(?=[^\W\d_])(?![A-Z])")
_DOUBLE: Final = re.compile(r"\S {2,}\S")
_MAY_FOLLOW: Final = re.compile(r"[\"'(*`\u2018\u201c]*[^\W\d_]")
_ITEM: Final = re.compile(r"[ \t]*(?:[-*+]|(\d{1,9})[.)])[ \t]")
_HEADING: Final = re.compile(r"#{2,6} \S")
_FENCE: Final = re.compile(r"(`{3,}|~{3,})(\s|$)")
_ROW: Final = re.compile(r"[ \t]*\|.*\|[ \t]*")
_UNSETTLED: Final = re.compile(r"[`~]+|[-*+|]|\d+[.)]?|#+[ \t]?|[A-Z]")
"""The possible beginning of a fence, a list item, a row, a heading or a sentence."""
_STOPS: Final = re.compile(r"(?:[,;!?]|[a-z]{3}\.|(?<=[^\W\d_]):)[\"'\u201d\u2019)]?$")


class Mend(NamedTuple):
    """The change at a seam: ``drop`` characters of the reply are removed, and ``supply`` is put in their
    place."""

    drop: int
    supply: str = ""


def indent(space: str, blanks: str) -> int:
    """How many of ``blanks`` the consumer has received already, if a line break precedes them.

    They are an indent then, and so is the end of ``space``.
    """
    return shared(space.rpartition("\n")[2], blanks)


def is_settled(space: str, rest: str, *, proved: bool) -> bool:
    """Whether the white space before ``rest`` can be decided without more of it.

    Args:
        space: as in `mend`.
        rest: what follows the cut, as far as it has arrived.
        proved: as in `mend`.
    """
    word = rest.lstrip()
    blanks = rest[: len(rest) - len(word)]
    if not word or len(word) >= LONGEST_TOKEN:
        return word != ""
    if "\n" in blanks:  # the whole word is needed: it may be half of a word that occurs in the text
        return word[0].isupper() or any(map(str.isspace, word))
    if not proved and (word.isalpha() or not word.strip("\"'(*`\u2018\u201c")):
        return False
    return bool(space or blanks) or _UNSETTLED.fullmatch(word) is None


def mend(
    text: str, space: str, rest: str, *, fenced: Callable[[], bool], proved: bool, broken: bool = False
) -> Mend:
    """The change that makes ``rest`` follow ``text`` and ``space``.

    Args:
        text: what the consumer has, without trailing white space.
        space: the trailing white space.
        rest: what follows the cut. It has a character that is not blank, or is the whole rest of the reply.
        fenced: returns whether the text ends inside a code fence. It reads the whole text, so it is called
            only if needed.
        proved: whether the reply repeated what it was asked to repeat.
        broken: whether a marker precedes ``rest``, so that a line break may belong to the marker.
    """
    blanks = rest[: len(rest) - len(rest.lstrip())]
    drop = shared(space, blanks)
    if len(blanks) == len(rest):
        return Mend(drop)
    near, word = text[-NEAR:], rest[len(blanks) :]
    line = near[near.rfind("\n") + 1 :]
    if "\n" in blanks and _has_begun(line, space, blanks, word):
        return Mend(len(blanks))
    if (
        "\n" not in space
        and "\n" in blanks
        and (
            _mid_sentence(near, line, word, proved=proved)
            or ((broken or blanks.count("\n") > 1) and runs_on(near, word))
        )
        and not fenced()
    ):
        apart = not space and not joins_without_space(near, word) and not _joins(near, word)
        return Mend(len(blanks), " " if apart else "")
    if not proved and _doubled(near, line, space + blanks[drop:], word) and not fenced():
        return Mend(len(blanks), "" if space else " ")
    if space or blanks:
        return Mend(drop)
    return Mend(0, _lost(near, line, word, fenced=fenced, proved=proved))


def _has_begun(line: str, space: str, blanks: str, word: str) -> bool:
    """Whether ``word`` is on a line that has begun already: its indent, or the space before it, was received.

    If a space was received behind a word or a comma, that line has not ended.
    """
    if "\n" in space:
        return space[-1] != "\n" and not blanks.strip("\n")
    begins = _MARKUP.match(word) and not line.endswith(",")
    return space == " " and blanks[0] == "\n" and (line[-1].isalnum() or line[-1] in ",;(") and not begins


def _mid_sentence(near: str, line: str, word: str, *, proved: bool) -> bool:
    """Whether a sentence of prose must continue here.

    If the reply is proved, its line break is removed only if the text has several paragraphs, which show how
    it uses line breaks.
    """
    if proved and near.count("\n\n") < 2:
        return False
    if len(line) < LONG_LINE or line[0].isspace() or _MARKUP.match(line):
        return False
    if line.count(" ") < 5 or line.count("`") % 2:
        return False
    if not re.search(r"[^\W\d_],?$", line) or not word[0].islower() or not line.rstrip(",")[-1].islower():
        return False
    return not _RUNS_ON.search(near)


def _doubled(near: str, line: str, blanks: str, word: str) -> bool:
    """Whether there are two spaces here, in a text that has single spaces everywhere else."""
    if blanks != "  " or line[-1:] in "0123456789|" or not _MAY_FOLLOW.match(word):
        return False
    return len(re.findall(r"\S \S", near)) >= 4 and not _DOUBLE.search(near)


def _joins(near: str, word: str) -> bool:
    """Whether the text's last word and ``word`` are one word: it occurs in the text, or one of its two parts
    can't be a word."""
    last, first = _last(near), _first(word)
    if not last or _known(near, last + first):
        return last != ""
    return bool(_NO_BEGINNING.match(first) or _NO_WORD.fullmatch(last)) and not _known(near, first)


def _lost(near: str, line: str, word: str, *, fenced: Callable[[], bool], proved: bool) -> str:
    """The white space that is missing between two characters that are not blank."""
    if _FENCE.match(word) and not line.endswith(("`", "~")):
        return "\n" if fenced() else ""
    supply = _lost_outside_code(near, line, word, proved=proved)
    return supply if supply and not fenced() else ""


def _lost_outside_code(near: str, line: str, word: str, *, proved: bool) -> str:
    if _begins_line(line, word):
        return "\n"
    if _HEADING.match(word) and line[-1] not in "#\\":
        return "\n\n"
    if line.count("`") % 2 or not word[0].isalpha():
        return ""
    if _ends_clause(near, line, word, proved=proved):
        return " "
    return "" if proved else _between_words(near, word)


def _begins_line(line: str, word: str) -> bool:
    """Whether ``word`` begins the next list item or table row behind ``line``."""
    item, following = _ITEM.match(line), _ITEM.match(word)
    if item and following and following.start() == 0:
        if item[1] and following[1]:
            return int(following[1]) == int(item[1]) + 1 and not line[-1].isdigit()
        return not item[1] and item[0].strip() == following[0].strip() and line[-1] in ".,;:!?)*`"
    return bool(_ROW.fullmatch(line)) and line.count("|") > 2 and re.match(r"\|[ :-]", word) is not None


def _ends_clause(near: str, line: str, word: str, *, proved: bool) -> bool:
    """Whether a clause ends and a word follows without a space, in a text that always has a space there."""
    found = _STOPS.search(line)
    if not found or (":" in found[0] and (proved or not line.rpartition(" ")[2][:-1].isalpha())):
        return False  # host:path
    if (found[0][0].isalpha() or found[0][0] in "!?") and not re.match(r"[A-Z][a-z' ]", word):
        return False
    if "://" in line.rpartition(" ")[2] or re.search(r"[A-Z][a-z]*\.$", line):
        return False
    sign = re.escape(found[0].lstrip("abcdefghijklmnopqrstuvwxyz"))
    spaced = len(re.findall(_WORD + sign + r"\s", near))
    return spaced >= 3 and not re.search(_WORD + sign + _WORD, near)


def _between_words(near: str, word: str) -> str:
    """A space if both words occur in the text and the two together do not; otherwise nothing."""
    last, first = _last(near), _first(word)
    if min(len(last), len(first)) < 2 or last > "\u2e7f" or _known(near, last + first):
        return ""
    return " " if _known(near[: len(near) - len(last)], last, 2) and _known(near, first, 2) else ""


def _last(near: str) -> str:
    """The word at the end of ``near``.

    The text is reversed, because a forward search would try to match from each of its letters.
    """
    found = _LETTERS.match(near[::-1])
    return found[0][::-1] if found else ""


def _first(word: str) -> str:
    found = _LETTERS.match(word)
    return found[0] if found else ""


def _known(near: str, word: str, times: int = 1) -> bool:
    """Whether ``word`` occurs in the text as a word, at least ``times`` times. False if it is too long for a
    word."""
    if len(word) > LONGEST_WORD:
        return False
    found = re.findall(rf"(?<!{_WORD}){re.escape(word)}(?!{_WORD})", near, re.IGNORECASE)
    return bool(word) and len(found) >= times
