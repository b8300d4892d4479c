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
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from .markers import MARKER
from .preambles import announces, greets

LONGEST_LINE: Final = 160
"""Characters of the longest sentence that is looked at as an opening."""

_PAIRS: Final = {
    "\u201c": "\u201d", "\u201e": "\u201c\u201d", "\u00ab": "\u00bb", "\u2018": "\u2019", "\u2039": "\u203a",
    "\u300c": "\u300d", "\u300e": "\u300f", '"': '"', "'": "'", "**": "**", "*": "*", "_": "_", "`": "`",
}  # fmt: skip
_EMPHASIS: Final = "*_`"
"""What emphasises stands in a line; the line's end is the text's."""
_LINE_END: Final = r"(?:[ \t]*\n)?"
_OPENER: Final = re.compile(
    r"(?P<fence>(?P<ticks>`{3,}+|~{3,}+)(?P<language>[^\s`]*)[ \t]*\n)|"
    rf"(?P<marker>{MARKER})|(?P<pair>\*\*|[\u201c\u201e\u00ab\u2018\u2039\u300c\u300e\"'*_`])|"
    r"(?P<dots>\u2026|\.\.\.|\[\u2026\]|\[\.\.\.\])|(?P<aside>> )",
    re.IGNORECASE,
)
_END: Final = re.compile(r"[^\n]{1,160}?(?::(?=\s)|[.!\u2026](?=\s)|[\uff1a\u3002\uff01]|(?=\n))")
_BREAK: Final = re.compile(r"(?:[ \t]{2,})?\n(?:[ \t]*\n)?|[ \t]?")
"""White space that sets an opening apart: up to one empty line, or one space. Not both: the space does, and
the line break behind it is the text's."""
_APART: Final = re.compile(r"[^\n]{1,160}(?:[:\uff1a][ \t]*\n(?:[ \t]*\n)?|\n[ \t]*\n)")
"""A line that is set apart from what follows it."""
_QUOTED: Final = re.compile('["\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d]')
"""Somebody says it: ``Here is the rest," he read, "of it:``."""
_FENCE: Final = re.compile(r"\n {0,3}(`{3,}|~{3,})")


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
    """What stands before it that may be closed later: "marker", "fence" or nothing."""


def in_fence(text: str, fences: re.Pattern[str] = _FENCE) -> bool:
    """Whether ``text`` ends inside a code fence.

    Args:
        text: any text.
        fences: finds the lines that open or close one; the group is their ticks.
    """
    opened = ""
    for fence in fences.findall(f"\n{text}"):
        if not opened:
            opened = fence
        elif fence.startswith(opened):
            opened = ""
    return bool(opened)


def starts(head: str, *, fenced: Callable[[], bool]) -> Iterator[Start]:
    """The places in ``head`` where the fragment may begin, the likeliest first.

    Args:
        head: the beginning of a reply.
        fenced: tells whether the text before it ends inside a code fence; it reads all of it.
    """
    at = len(head) - len(head.lstrip())
    yield from _wrapped(head, Start(at, Lead.BARE), fenced=fenced)
    kind = Lead.BARE
    for _ in range(3):
        sentence = _END.match(head, at)
        if sentence is None:
            return
        said, behind = sentence[0], sentence.end()
        found = _BREAK.match(head, behind)
        broken = found[0] if found else ""
        if announces(said) and not _QUOTED.search(said) and (said[-1] in ":\uff1a" or broken.count("\n")):
            kind = Lead.ANNOUNCED
        elif greets(said) and kind is not Lead.ANNOUNCED:
            kind = Lead.UNKNOWN
        else:
            break
        at = behind + len(broken)
        yield from _wrapped(head, Start(at, kind), fenced=fenced)
    line = _APART.match(head, at)
    if line is not None and kind is not Lead.ANNOUNCED:
        yield from _wrapped(head, Start(line.end(), Lead.UNKNOWN), fenced=fenced)


def undecided(head: str) -> bool:
    """Whether more of ``head`` could make an opening of its first line."""
    line = head.strip()  # a line break may yet set it apart
    if "\n" in line or len(line) > LONGEST_LINE:
        return False
    first = line[:1]
    return not line or not (first.islower() or first.isdigit() or first in "#|-+=/\\;,)]}")


def _wrapped(head: str, start: Start, *, fenced: Callable[[], bool]) -> Iterator[Start]:
    """A place, and the place behind the wrappers that stand there."""
    yield start
    at, kind, opened = start.at, start.kind, ""
    closers: list[str] = []
    for _ in range(4):
        opener = _OPENER.match(head, at)
        if opener is None:
            break
        at = opener.end()
        if opener["fence"]:
            if opener["language"] and fenced():
                kind = Lead.REOPENED
            else:  # where one is open, an empty line behind the fence says that it is the text's own end
                behind = r"(?:\n(?=[^\n])|\Z)" if fenced() else r"(?:\n|$)"
                closers.insert(0, rf"\n?{opener['ticks']}[ \t]*{behind}")
                opened = opened or ("" if fenced() else "fence")
        elif opener["marker"]:
            opened = "marker"
        elif opener["pair"]:
            closing = _PAIRS[opener["pair"]]
            closer = f"\\s?[{closing}]" if len(opener["pair"]) == 1 else "\\s?" + re.escape(closing)
            closers.insert(0, closer if opener["pair"][0] in _EMPHASIS else closer + _LINE_END)
        if kind is not Lead.REOPENED:
            at += len(head[at:]) - len(head[at:].lstrip())
        yield Start(at, kind, wrapped=True, closers=tuple(closers), wrapper=opener[0], opened=opened)
