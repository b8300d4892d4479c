"""The types of a join: what the model was asked for, and the possible decisions about its reply.

A continuation has one of two forms. After a *prefill* the model continues exactly where the text ends that it
was given, which is the delivered text without its trailing white space. In a *user turn* the model was asked
to repeat a fragment (the last characters received) and to continue from there. `join` decides how its reply
joins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Joined(StrEnum):
    """How two attempts were joined. The values appear in reports."""

    PREFILL = "prefill"
    """The model continued its own turn."""
    ECHO = "echo"
    """The quoted fragment was found and cut. Unverified if it was repeated with a slip."""
    ECHO_ONLY = "echo_only"
    """The continuation ended directly behind the repetition. If the text can end there, nothing was
    missing."""
    OVERLAP = "overlap"
    """A passage longer or shorter than the fragment was repeated up to the end of the text, and cut."""
    RESTART = "restart"
    """The whole text was repeated, and cut."""
    PREAMBLE = "preamble"
    """An opening that the model added was cut. Nothing proves that the text belongs here."""
    AS_IS = "as_is"
    """Nothing proves that the text belongs here. It was joined as it came."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the continuation was asked to begin with, and the text that it continues."""

    quote: str = field(repr=False)
    """The fragment to repeat; empty after a prefill."""
    space: str
    """White space that the consumer has received behind the fragment or the prefill."""
    whole: bool = False
    """Whether the fragment is all that was received, so that the model was asked for the whole answer
    again."""
    text: str = field(default="", repr=False)
    """All of the text that is continued, without that white space. If empty, the quote is all of it."""
    wordings: tuple[str, ...] = field(default=(), repr=False)
    """The wordings that the request may have used, with ``{quote}`` in place of the quote."""


@dataclass(frozen=True, slots=True)
class Join:
    """The decision to join: ``cut`` characters of the head are dropped and ``supplied`` is put in their
    place. The rest of the reply follows what the consumer has."""

    cut: int
    how: Joined
    verified: bool
    supplied: str = field(default="", repr=False)
    kept: int = 0
    """Characters of ``supplied`` that come from the reply: those before a marker that is cut."""
    behind: int | None = field(default=None, repr=False, compare=False)
    """Where in the head the repetition ends. `recurrence` looks behind it for the text once more."""


class Follow(NamedTuple):
    """The head repeats the text from a place far before its end. ``cut`` characters of the head are dropped,
    and the reply is compared with the text from ``at`` on as it arrives (`restart`)."""

    at: int
    cut: int
    how: Joined
    again: bool = False
    """Whether another repetition stands before this one. If the reply then departs from the text, this was no
    repetition."""


@dataclass(frozen=True, slots=True)
class Diverged:
    """The head is another answer: it began to repeat the text and then departed from it. It can't be
    joined."""


Decision: TypeAlias = Join | Follow | Diverged | None
"""A decision; None if more of the head is needed."""
