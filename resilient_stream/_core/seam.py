"""Where a continuation joins what the consumer already has.

A continuation comes in one of two ways. After a *prefill* the model goes on exactly behind the
text it was given, which had its trailing white space removed; the consumer has that white space, so
whatever of it the continuation repeats is cut. In a *user turn* the model was asked to repeat a
quoted fragment, the last characters received, and to go on from there; the fragment, found at the
head, is proof of where the rest belongs, and is cut. Without the fragment the text is joined as it
came and reported unverified.

`join` is a pure function of what was asked and the head so far. It answers None as long as more of
the head could change the answer, so the caller holds back no more than it must.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Joined(StrEnum):
    """How two attempts were joined. The values appear in reports."""

    PREFILL = "prefill"
    """The model continued its own turn."""
    ECHO = "echo"
    """The quoted fragment was found and cut."""
    ECHO_ONLY = "echo_only"
    """The continuation ended right after the fragment: nothing was missing."""
    AS_IS = "as_is"
    """No proof of where the text belongs: joined as it came."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the continuation was asked to begin with."""

    quote: str
    """The fragment to repeat; empty after a prefill."""
    space: str
    """White space that the consumer has behind the fragment or the prefill."""
    whole: bool = False
    """The fragment is all that was received: the whole answer was asked for again."""


@dataclass(frozen=True, slots=True)
class Join:
    """The decision: drop ``cut`` characters of the head; the rest follows what the consumer has."""

    cut: int
    how: Joined
    verified: bool


def join(asked: Asked, head: str, *, final: bool) -> Join | None:
    """Decide the join, or None if more of the head is needed.

    Args:
        asked: what the continuation was asked to begin with.
        head: the beginning of the continuation.
        final: whether ``head`` is all that will come.
    """
    if not asked.quote:
        return _behind(asked, head, 0, Joined.PREFILL, verified=True, final=final)
    lead = len(head) - len(head.lstrip())
    body = head[lead:]
    if body.startswith(asked.quote):
        return _behind(asked, head, lead + len(asked.quote), Joined.ECHO, verified=True, final=final)
    if asked.quote.startswith(body):
        return Join(len(head), Joined.AS_IS, verified=False) if final else None
    return _behind(asked, head, 0, Joined.AS_IS, verified=False, final=final)


def _behind(asked: Asked, head: str, cut: int, how: Joined, *, verified: bool, final: bool) -> Join | None:
    """Cut the white space at ``cut`` that the consumer already has."""
    rest = head[cut:]
    if asked.space.startswith(rest) and not final:
        return None
    repeated = 0
    while repeated < min(len(rest), len(asked.space)) and rest[repeated] == asked.space[repeated]:
        repeated += 1
    if how is Joined.ECHO and final and repeated == len(rest):
        how = Joined.ECHO_ONLY
    return Join(cut + repeated, how, verified=verified)
