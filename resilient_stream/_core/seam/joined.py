"""Where a continuation joins what the consumer already has: what is asked, and what may be answered.

A continuation comes in one of two ways. After a *prefill* the model goes on exactly behind the text it was
given, without its trailing white space. In a *user turn* it was asked to repeat a fragment, the last
characters received, and to go on from there. `joining` decides how its reply joins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias


class Joined(StrEnum):
    """How two attempts were joined. The values appear in reports."""

    PREFILL = "prefill"
    """The model continued its own turn."""
    ECHO = "echo"
    """The quoted fragment was found and cut; no proof where it was repeated with a slip."""
    ECHO_ONLY = "echo_only"
    """The continuation ended right after what it repeated: nothing was missing, if the text can end there."""
    OVERLAP = "overlap"
    """More or less than the fragment was repeated, up to the end of the text, and cut."""
    RESTART = "restart"
    """The whole text was repeated, and skipped."""
    PREAMBLE = "preamble"
    """An opening of the model's own was cut; no proof of where the text belongs."""
    AS_IS = "as_is"
    """No proof of where the text belongs: joined as it came."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the continuation was asked to begin with."""

    quote: str = field(repr=False)
    """The fragment to repeat; empty after a prefill."""
    space: str
    """White space that the consumer has behind the fragment or the prefill."""
    whole: bool = False
    """The fragment is all that was received: the whole answer was asked for again."""
    text: str = field(default="", repr=False)
    """All of the text that is continued, without that white space; no more than the quote if empty."""
    wordings: tuple[str, ...] = field(default=(), repr=False)
    """What the request may have said around the quote, with ``{quote}`` in its place."""


@dataclass(frozen=True, slots=True)
class Join:
    """The decision: drop ``cut`` characters of the head, put ``supplied`` in their place; the rest follows
    what the consumer has."""

    cut: int
    how: Joined
    verified: bool
    supplied: str = field(default="", repr=False)
    kept: int = 0
    """Characters of ``supplied`` that are the reply's: they stand before a marker that is cut."""
    behind: int | None = field(default=None, repr=False, compare=False)
    """Where in the head a repetition ends, behind which the text may come again (`recurrence`)."""


@dataclass(frozen=True, slots=True)
class Follow:
    """The head repeats the text from far before its end: ``cut`` characters of it repeat ``at`` characters
    of the text. What comes is to be followed along the text (`restart`)."""

    at: int
    cut: int
    how: Joined
    again: bool = False
    """It is repeated behind a repetition already. If the reply leaves the text, it is the text's own."""


@dataclass(frozen=True, slots=True)
class Diverged:
    """The head is another answer: it began to repeat the text and left it. It joins nowhere."""


Decision: TypeAlias = Join | Follow | Diverged | None
"""None: more of the head is needed."""
