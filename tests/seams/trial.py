"""One trial: a text, a cut, a manner of going on. And the verdict on the join.

The request holds the text up to the cut, without its trailing white space; the consumer has that space. The
reply comes in small pieces. What the consumer then has is compared with the text as it was written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from resilient_stream._core.plan.quote import enough, quote
from resilient_stream._core.seam.buffer import Splice
from resilient_stream._core.seam.joined import Asked, Diverged, Join
from resilient_stream.testing import MANNERS

from .undecidable import is_undecidable

TEXTS: Final = Path(__file__).with_name("texts")

PIECE: Final = 7
"""Characters of the reply that come at a time."""

FAITHFUL: Final = frozenset({"echo", "no_echo"})
"""What is said is what was asked, or exactly the rest: nothing may be cut of the latter."""


class Verdict(StrEnum):
    """What became of a join."""

    RIGHT = "right"
    """The consumer has the text as it was written; or what can't be right was refused."""
    SPACE = "space"
    """Only the white space at the seam differs; left out of the last column."""
    MISSED = "missed"
    """Something is repeated, or an opening is left in the text."""
    WRONG = "wrong"
    """Something of the text is missing or changed."""
    REFUSED = "refused"
    """Nothing was handed over: the model is asked again."""
    UNDECIDABLE = "undecidable"
    """The same reply would have been right of another text: nobody could know, so what came of it is not
    counted."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried, and how it came out."""

    manner: str
    verdict: Verdict
    held: int
    """Characters that had come when the join was decided, those of a repetition that were dropped apart."""
    verified: bool
    text: str


@cache
def corpus() -> Mapping[str, str]:
    """The texts by name."""
    return {path.name: path.read_text("utf-8").rstrip("\n") for path in sorted(TEXTS.iterdir())}


def cuts(text: str, step: int, first: int = 1) -> Iterator[int]:
    """Places to cut at: every ``step``-th character."""
    yield from range(first, len(text), step)


def play(text: str, cut: int, manner: str, piece: int = PIECE) -> Trial | None:
    """Cut ``text``, go on in ``manner``, join; None where nothing was received that could be continued."""
    had = text[:cut]
    received = had.rstrip()
    if not received:
        return None
    fragment = quote(received)
    asked = Asked(fragment, had[len(received) :], not enough(received), received)
    reply = MANNERS[manner](text, received, fragment)
    splice = Splice(asked)
    held, decided, came = 0, None, 0
    while decided is None and came < len(reply):
        splice.grow(reply[came : came + piece])
        came += piece
        held = max(held, len(splice.head))
        decided = splice.decide(final=came >= len(reply))
    got = _joined(had, splice, decided, reply[came:])
    verdict = judge(text, cut, manner, reply, got)
    verified = isinstance(decided, Join) and decided.verified
    return Trial(manner, verdict, held, verified, "" if got is None else got)


def _joined(had: str, splice: Splice, decided: Join | Diverged | None, rest: str) -> str | None:
    """What the consumer has; None if the reply was refused."""
    if isinstance(decided, Diverged):
        return None
    return had if decided is None else had + splice.rest(decided) + rest


def judge(text: str, cut: int, manner: str, reply: str, got: str | None) -> Verdict:
    """What to call it that the consumer has ``got`` of ``text``."""
    if is_undecidable(text, cut, manner, reply):
        return Verdict.UNDECIDABLE
    if manner == "diverging_restart":
        return Verdict.RIGHT if got is None else Verdict.MISSED
    if got is None:
        return Verdict.REFUSED
    if manner == "composed_echo":
        text, got = unicodedata.normalize("NFC", text), unicodedata.normalize("NFC", got)
    if got == text:
        return Verdict.RIGHT
    if "".join(got.split()) == "".join(text.split()):
        return Verdict.SPACE
    had = text[:cut].rstrip()
    kept = got.startswith(had) and got.endswith(text[cut:].lstrip()) and len(got) > len(text)
    return Verdict.MISSED if kept else Verdict.WRONG
