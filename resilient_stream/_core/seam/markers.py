"""Finds the markers around a quote: those of the request, and those that models invent.

Models repeat the request's markers, opening or closing, on one side of the quote or on both, or add tags of
their own. If the text itself has signs of that kind, they belong to the text and are not removed.
"""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = (
    r"part-\d{1,9}|fragment|quote|quotation|text|excerpt|snippet|passage|partial|previous|reply|response|answer|"
    r"message|output|content|continue|continuation|last[-_]words|begin|start|end|resume"
)
_ANGLES: Final = r"[\u00ab\u00bb](?=[ \t]*(?:\n|\Z))"
_RUNS: Final = r"(?<!<)<{3,}+|(?<!>)>{3,}+|\[{3}|\]{3}|\{{3}|\}{3}"
MARKER: Final = rf"(?:{_RUNS}|{_ANGLES}|</?(?:{_NAMES})>)"
"""A pattern for one marker. A single angle quote is a marker if it ends its line."""

_ONE: Final = re.compile(rf"(?P<lead>\s*)(?P<marker>{MARKER})[ \t]*(?P<end>\n?)", re.IGNORECASE)
_PART: Final = re.compile(
    r"\s*+(?:<+|>+|\[{1,2}|\]{1,2}|\{{1,2}|\}{1,2}|[\u00ab\u00bb]\s*|</?[a-z][\w-]{0,13})?", re.IGNORECASE
)


def _later(marker: str) -> str:
    """A pattern for a marker at the end of a line, with that line's end and the line break before the
    marker."""
    return rf"(?<![ \t])[ \t]*+\n?[ \t]*+({marker})[ \t]*+(?:\n|\Z)"


_LATER: Final = re.compile(_later(MARKER), re.IGNORECASE)
_FENCE_LATER: Final = re.compile(r"\n[ \t]*`{3,}+(?P<info>[^\n`]*+)(?=\n|\Z)")
_HALF: Final = re.compile(r"\s*[<>]{1,2}\s*")

MARKUP: Final = 2000
"""Characters at the end of the text that are searched for a tag. If there is one, the text is markup."""


def is_own(marker: str, text: str) -> bool:
    """Whether ``text`` has signs like ``marker``."""
    if marker[-1] == ">" and marker[1] not in "<>":
        return "</" in text[-MARKUP:] or marker.strip("</>") + ">" in text
    return marker[:3] in text


def passed(rest: str, text: str, *, opened: bool, final: bool) -> int | None:
    """How many characters at the beginning of ``rest`` are markers, with the ends of their lines.

    A marker is alone on its line, or at least begins one. The result is None if more of ``rest`` is needed.

    Args:
        rest: what follows a repetition.
        text: the text before it.
        opened: whether a marker stands before the repetition. If so, half a marker closes it as well.
        final: whether no more will come.
    """
    at = 0
    while True:
        found = _ONE.match(rest, at)
        if found is None or is_own(found["marker"], text):
            waits = found is None and not final and _PART.fullmatch(rest, at)
            if opened and at == 0 and final and _HALF.fullmatch(rest, at):
                return len(rest)
            return None if waits else at
        ends = found.end() == len(rest)
        if ends and not found["end"] and not final:
            return None
        begins = "\n" in found["lead"] or at > 0
        if found["end"] or ends:
            if not (begins or not found["lead"]):
                return at
            at = found.end()
        elif begins and found["marker"][:1] in "<>" and found["marker"][1:2] in "<>":
            return found.end("marker")
        else:
            return at


def closing(rest: str, text: str, *, opened: str, final: bool) -> tuple[int, int] | None:
    """The beginning and end in ``rest`` of the marker or tag that closes what was opened before the
    repetition, with its line; None if there is none.

    Args:
        rest: what follows the repetition.
        text: the text before it.
        opened: what was opened: "marker", or the tag that closes it.
        final: whether no more will come.
    """
    marker = opened == "marker"
    pattern = _LATER if marker else re.compile(_later(re.escape(opened)))
    for found in pattern.finditer(rest):
        if (final or found[0].endswith("\n")) and (not marker or not is_own(found[1], text)):
            return found.span()
    return None


def closing_fence(rest: str, *, inside: bool, final: bool) -> tuple[int, int] | None:
    """The beginning and end in ``rest`` of the line that closes the fence that was opened around the
    repetition; None if there is none. A fence that is opened in between is closed first.

    Args:
        rest: what follows the repetition.
        inside: whether the text's last line opens a fence of its own.
        final: whether no more will come.
    """
    for found in _FENCE_LATER.finditer(rest):
        if found["info"].strip():
            inside = True
        elif inside:
            inside = False
        elif final or found.end() < len(rest):
            return found.start(), min(found.end() + 1, len(rest))
    return None
