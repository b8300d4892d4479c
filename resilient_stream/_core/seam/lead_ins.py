"""What may stand before the repeated fragment: wrappers and openings of the model's own.

A *wrapper* sets the fragment apart: quotation marks, a code fence, a block quote, emphasis, the markers of
the request, an ellipsis. What it opens it closes behind the fragment. An *opening* is a sentence that says
that the reply goes on (`preambles`), or any one line that the whole fragment follows. A *reopened* fence is
one with a language where the text already is inside a fence: nothing but a new beginning can stand there.

A lead by itself proves nothing and cuts nothing. It only says from where the fragment is to be looked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from .fences import FENCE_LINE
from .markers import MARKER
from .preambles import announces, greets
from .quotation import closers_of, is_bracket
from .remarks import note_ends

MOST_WRAPPERS: Final = 5
"""Signs that are looked behind, one after the other."""
MOST_SENTENCES: Final = 3
"""Courtesies and announcements that are looked behind."""
MOST_LINES: Final = 2
"""Lines of any words that are looked behind."""
LONGEST_LINE: Final = 160
"""Characters of the longest sentence that is looked at as an opening."""

_EMPHASIS: Final = "*_`"
"""What emphasises stands in a line; the line's end is the text's."""
_LINE_END: Final = r"(?:[ \t]*\n)?"
_DOTS: Final = r"(?:\u2026++|\.{3,}+|\. \. \.)"
_OPENER: Final = re.compile(
    rf"(?P<fence>{FENCE_LINE})|(?P<marker>{MARKER})|<(?P<tag>[a-z][\w:-]{{0,30}})>|(?P<dots>{_DOTS}|\({_DOTS}\)|\[{_DOTS}\])|"
    r"(?P<aside>> )|(?P<pair>\*\*|[^\w\s])",
    re.IGNORECASE,
)
_SIGNS: Final = ("fence", "marker", "tag", "dots", "aside", "pair")
_END: Final = re.compile(r"[^\n]{1,160}?(?::(?=\s)|[.!\u2026](?=\s)|[\uff1a\u3002\uff01]|(?=\n))")
_BREAK: Final = re.compile(r"(?:[ \t]{2,})?\n(?:[ \t]*\n)?|[ \t]?")
"""White space that sets an opening apart: up to one empty line, or one space. Not both: the space does, and
the line break behind it is the text's."""
_LINE: Final = re.compile(r"(?!`{3}|~{3})[^\n]{1,160}\n(?P<empty>[ \t]*\n)?")
_SAYS: Final = re.compile(r"[.!\u2026\u3002\uff01][*_ ]*\n")
"""A line that says something, and is no row or verse, ends so."""
_COLON: Final = re.compile(r"[:\uff1a][ \t]*\n")
_QUOTED: Final = re.compile('["\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d]')
"""Somebody says it: ``Here is the rest," he read, "of it:``."""


class Lead(Enum):
    """What stands before a place where the fragment may begin."""

    BARE = auto()
    """Nothing, or white space."""
    REOPENED = auto()
    """A code fence that was open already."""
    ANNOUNCED = auto()
    """A sentence that says that the reply goes on."""
    UNKNOWN = auto()
    """A courtesy, or any line."""


@dataclass(frozen=True, slots=True)
class Start:
    """A place in the head where the fragment may begin."""

    at: int
    kind: Lead
    wrapped: bool = False
    """Whether a wrapper stands before it."""
    closers: tuple[str, ...] = ()
    """Patterns of what closes the wrappers, the innermost first."""
    wrapper: str = ""
    """The innermost wrapper."""
    opened: str = ""
    """What stands before it that may be closed later: "marker", "fence", a closing tag or nothing."""
    sign: str = ""
    """What the innermost wrapper is: "fence", "marker", "tag", "dots", "aside" or "pair"."""
    behind: int = 0
    """Where it ends; white space may follow it before ``at``."""
    apart: bool = True
    """Whether an opening is set apart as such: by an empty line, or a colon at the end of its line."""


def starts(head: str, *, fenced: Callable[[], bool]) -> Iterator[Start]:
    """The places in ``head`` where the fragment may begin, the likeliest first.

    Args:
        head: the beginning of a reply.
        fenced: tells whether the text before it ends inside a code fence; it reads all of it.
    """
    at = len(head) - len(head.lstrip())
    yield from _wrapped(head, Start(at, Lead.BARE), fenced=fenced)
    kind = Lead.BARE
    for _ in range(MOST_SENTENCES):
        note, sentence = note_ends(head, at), _END.match(head, at)
        if note == at and sentence is None:
            return
        behind = note if note > at or sentence is None else sentence.end()
        said = head[at:behind]
        found = _BREAK.match(head, behind)
        broken = found[0] if found else ""
        if announces(said) and not _QUOTED.search(said) and (said[-1] in ":\uff1a" or broken.count("\n")):
            kind = Lead.ANNOUNCED
        elif (note > at or greets(said)) and kind is not Lead.ANNOUNCED:
            kind = Lead.UNKNOWN
        else:
            break
        at = behind + len(broken)
        yield from _wrapped(head, Start(at, kind), fenced=fenced)
    for _ in range(0 if kind is Lead.ANNOUNCED else MOST_LINES):
        line = _LINE.match(head, at)
        if line is None:
            return
        apart, at = bool(line["empty"] or _COLON.search(line[0])), line.end()
        if apart or _SAYS.search(line[0]):
            yield from _wrapped(head, Start(at, Lead.UNKNOWN, apart=apart), fenced=fenced)


def undecided(head: str) -> bool:
    """Whether more of ``head`` could make an opening of its first line, or of the first behind a courtesy."""
    line = head.strip()  # a line break may yet set it apart
    for _ in range(MOST_SENTENCES):
        sentence = _END.match(line)
        if sentence is None or not greets(sentence[0]):
            break
        line = line[sentence.end() :].lstrip()
    if "\n" in line or len(line) > LONGEST_LINE:
        return False
    first = line[:1]
    return not line or not (first.islower() or first.isdigit() or first in "|-+=/\\;,)]}")


def _wrapped(head: str, start: Start, *, fenced: Callable[[], bool]) -> Iterator[Start]:
    """A place, and the place behind the wrappers that stand there."""
    yield start
    at, kind, opened = start.at, start.kind, ""
    closers: list[str] = []
    for _ in range(MOST_WRAPPERS):
        opener = _OPENER.match(head, at)
        if opener is None:
            break
        if opener["fence"]:
            if opener["info"].strip() and fenced():
                kind = Lead.REOPENED
            closers.insert(0, _fence_closer(opener["ticks"], fenced=fenced()))
            opened = opened or ("" if fenced() else "fence")
        elif opener["marker"]:
            opened = opened or "marker"
        elif opener["tag"]:
            closers.insert(0, rf"\s*</{opener['tag']}>{_LINE_END}")
            opened = opened or f"</{opener['tag']}>"
        elif opener["pair"]:
            closing = closers_of(opener["pair"])
            if not closing:
                break
            block = head.startswith("\n", opener.end()) or not is_bracket(opener["pair"])
            closers.insert(0, _pair_closer(opener["pair"], closing, block=block))
        at = opener.end()
        if kind is not Lead.REOPENED:
            at += len(head[at:]) - len(head[at:].lstrip())
        yield replace(
            start,
            at=at,
            kind=kind,
            wrapped=True,
            closers=tuple(closers),
            wrapper=opener[0],
            opened=opened,
            sign=next(sign for sign in _SIGNS if opener[sign]),
            behind=opener.end(),
        )


def _fence_closer(ticks: str, *, fenced: bool) -> str:
    """Where a fence is open already, an empty line behind it says that it is the text's own end."""
    behind = r"(?:\n(?=[^\n])|\n?\Z)" if fenced else r"(?:\n|$)"
    return rf"\n?[ \t]*{ticks}[ \t]*{behind}"


def _pair_closer(opening: str, closing: str, *, block: bool) -> str:
    """What emphasises stands in a line, whose end is the text's, and so do brackets that stand on no line
    of their own."""
    pattern = rf"\s?{re.escape(closing)}" if opening == closing else rf"\s?[{re.escape(closing)}]"
    return pattern + _LINE_END if block and opening[0] not in _EMPHASIS else pattern
