"""Finds what a model may write before the repeated fragment: wrappers and openings.

A *wrapper* sets the fragment apart: quotation marks, a code fence, a block quote, emphasis, the markers of
the request, an ellipsis. A wrapper that opens something closes it behind the fragment. An *opening* is a
sentence which says that the reply continues (`preambles`), or any line that is followed by the whole
fragment. A *reopened* fence is a fence with a language in a text that already is inside a fence; only a new
beginning can have one.

Finding a lead-in proves nothing, and nothing is cut because of it. It only shows where to look for the
fragment.
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
"""The largest number of wrappers that are skipped to look behind them."""
MOST_SENTENCES: Final = 3
"""The largest number of courtesies and announcements that are skipped."""
MOST_LINES: Final = 2
"""The largest number of lines of any words that are skipped."""
LONGEST_LINE: Final = 160
"""Characters of the longest sentence that may be an opening."""

_EMPHASIS: Final = "*_`"
"""Signs of emphasis. They are used inside a line, so the end of the line belongs to the text."""
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
"""White space behind an opening: up to one empty line, or one space. Behind one space, a line break belongs
to the text."""
_LINE: Final = re.compile(r"(?!`{3}|~{3})[^\n]{1,160}\n(?P<empty>[ \t]*\n)?")
_SAYS: Final = re.compile(r"[.!\u2026\u3002\uff01][*_ ]*\n")
"""The end of a line that is a sentence, not a row or verse."""
_COLON: Final = re.compile(r"[:\uff1a][ \t]*\n")
_QUOTED: Final = re.compile('["\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d]')
"""A sign of quoted speech: ``Here is the rest," he read, "of it:``."""


class Lead(Enum):
    """What precedes a place where the fragment may begin."""

    BARE = auto()
    """Nothing, or white space."""
    REOPENED = auto()
    """A code fence that was open already."""
    ANNOUNCED = auto()
    """A sentence which says that the reply continues."""
    UNKNOWN = auto()
    """A courtesy, or any line."""


@dataclass(frozen=True, slots=True)
class Start:
    """A place in the head where the fragment may begin."""

    at: int
    kind: Lead
    wrapped: bool = False
    """Whether a wrapper precedes it."""
    closers: tuple[str, ...] = ()
    """Patterns for what closes the wrappers, the innermost first."""
    wrapper: str = ""
    """The innermost wrapper."""
    opened: str = ""
    """What was opened before ``at`` and may be closed later: "marker", "fence", the closing tag that is
    expected, or nothing."""
    sign: str = ""
    """The kind of the innermost wrapper: "fence", "marker", "tag", "dots", "aside" or "pair"."""
    behind: int = 0
    """Where the innermost wrapper ends. White space may follow it before ``at``."""
    apart: bool = True
    """Whether the opening is separated from what follows, by an empty line or by a colon at the end of its
    line."""


def starts(head: str, *, fenced: Callable[[], bool]) -> Iterator[Start]:
    """The places in ``head`` where the fragment may begin, the likeliest first.

    Args:
        head: the beginning of a reply.
        fenced: returns whether the text before it ends inside a code fence. It reads the whole text, so it is
            called only if needed.
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
    """Whether the first line of ``head``, or the first behind a courtesy, may become an opening when more
    arrives."""
    line = head.strip()  # a line break may follow and separate it
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
    """A place, and the places behind each of the wrappers that follow it."""
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
    """A pattern for the line that closes a fence.

    If the text is inside a fence already, a closing fence with an empty line behind it belongs to the text.
    """
    behind = r"(?:\n(?=[^\n])|\n?\Z)" if fenced else r"(?:\n|$)"
    return rf"\n?[ \t]*{ticks}[ \t]*{behind}"


def _pair_closer(opening: str, closing: str, *, block: bool) -> str:
    """A pattern for the sign that closes a pair.

    Args:
        opening: the sign that opens it.
        closing: the signs that close it.
        block: whether the pair may have lines of its own, so that the line break behind it belongs to it.
            Never so for emphasis.
    """
    pattern = rf"\s?{re.escape(closing)}" if opening == closing else rf"\s?[{re.escape(closing)}]"
    return pattern + _LINE_END if block and opening[0] not in _EMPHASIS else pattern
