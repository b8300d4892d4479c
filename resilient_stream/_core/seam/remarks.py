"""Recognises remarks that a model adds before or behind the repetition.

Behind the quote, a model may apologise, announce what follows, or write ``(continued)`` or three dots before
it continues. Any of these could belong to the text, so none is cut; the join is unverified instead. A note in
brackets may also precede the quote. There it is skipped like a courtesy (`lead_ins`).
"""

from __future__ import annotations

import re
from typing import Final

from .preambles import announces, apologises, greets, is_note

LONGEST: Final = 60
"""Characters of a sentence or a note that are waited for. They are enough to recognise an announcement."""

_DOTS: Final = r"(?:\u2026|\.{3}|\. \. \.)"
_ELLIPSIS: Final = re.compile(rf"[*_]*[(\[{{<\uff08\u3010]?\s?{_DOTS}")
_HALF_ELLIPSIS: Final = re.compile(r"[*_]*[(\[{<\uff08\u3010]?\s?(?:\. ?){0,2}")
_OPENS: Final = (
    r"(?:[*_]{0,3}[(\[{<\uff08\u3010]+[*_]{0,3}|[*_]{1,3}|#{1,6}(?=[ \t])|[-\u2013\u2014]{1,3}(?=\s))"
)
_CLOSES: Final = r"[)\]}>\uff09\u3011*_]"
_NOTE: Final = re.compile(
    rf"{_OPENS}[ \t]?(?P<words>[^\n()\[\]{{}}<>\uff08\uff09\u3010\u3011*_]{{1,{LONGEST}}}?)"
    rf"(?:[ \t]?(?:{_CLOSES}+|-{{2,3}}|[\u2013\u2014]|-(?=\s|\Z))|(?=\n|\Z))"
)
_BEGINS_NOTE: Final = re.compile(_OPENS)
_WORD_BEHIND_DASH: Final = re.compile(r"[-\u2013\u2014]{1,3}\s(?P<words>[^\W\d_]+)(?=\W)")
_SENTENCE: Final = re.compile(rf"[^\n]{{1,{LONGEST}}}?(?:[:.!?\u2026\uff1a\u3002\uff01\uff1f]|(?=\n))")


def note_ends(head: str, at: int) -> int:
    """Where the note in brackets, emphasis or dashes ends that begins at ``at``; ``at`` if there is none."""
    note = _NOTE.match(head, at)
    return note.end() if note and note.end() < len(head) and is_note(note["words"]) else at


def begins(rest: str, *, over: bool, dotted: bool, final: bool) -> bool | None:
    """Whether ``rest`` begins with a remark; None if more of it is needed to tell.

    Args:
        rest: what follows a repetition.
        over: whether a line or a sentence ends before it. The text itself may then continue with thanks or an
            apology.
        dotted: whether the text has an ellipsis of its own.
        final: whether no more will come.
    """
    body = rest.lstrip()
    if not dotted and _ELLIPSIS.match(body):
        return True
    if not final and len(body) < LONGEST and not dotted and _HALF_ELLIPSIS.fullmatch(body):
        return None
    if _BEGINS_NOTE.match(body):
        return _begins_with_note(body, final=final)
    if not body or body[0].islower() or not body[0].isalpha():
        return False
    sentence = _SENTENCE.match(body)
    if sentence is None and not final and len(body) < LONGEST:
        return None
    said = sentence[0] if sentence else body[:LONGEST]
    return announces(said) or greets(said) or (not over and apologises(said))


def _begins_with_note(body: str, *, final: bool) -> bool | None:
    word = _WORD_BEHIND_DASH.match(body)
    if word is not None and is_note(word["words"], title=True):
        return True
    note = _NOTE.match(body)
    if (note is None or note.end() == len(body)) and not final and len(body) < LONGEST:
        return None
    return note is not None and is_note(note["words"], title=body[0] == "#")
