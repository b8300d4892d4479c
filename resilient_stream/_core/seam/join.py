"""Decides how a continuation joins what the consumer already has.

The request asks the model to repeat a fragment and to continue. Models repeat it in other letters or inside
quotation marks; they repeat more of the text, less of it, all of it, or none; they add a sentence of their
own; they lose white space. ``docs/seams-evidence.md`` has measurements of how often the join is right.

The decision is a pure function of what was delivered, what was asked, and the beginning of the reply (its
*head*). It follows one rule: *text is cut only if it is proved that the consumer has it*. The quoted fragment
is proof. So is any other passage that agrees up to the end of the text and is too long for coincidence
(`overlap`).

Two things are cut without proof, and such a join is reported as unverified: a sentence that announces a
continuation (`preambles`), and a fragment that was repeated with a slip (`near_match`). If none of this
applies, nothing is cut and the join is reported as unverified. A reply that begins to repeat the text and
then departs from it is another answer. It is never joined.

`Joiner.join` returns None as long as more of the head could change the decision.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from . import wording
from .after_echo import AfterEcho, Place
from .delivered import Had
from .ending import can_end
from .joined import Asked, Decision, Diverged, Follow, Join, Joined
from .lead_ins import Lead, Start, starts, undecided
from .normalize import shared
from .recurrence import Recurrence
from .repeated_again import LONG_PASSAGE, Sign
from .repetitions import More, Repetitions
from .unproved import Unproved

MOST_HELD: Final = 400
"""Characters of a head that are held at most, for a fragment of the usual length."""


@dataclass(frozen=True)
class Joiner:
    """Decides the join of one reply. The decision depends on the arguments alone."""

    asked: Asked
    looks: bool = True
    """Whether to look for another repetition behind the first. False if that was tried, and what looked like
    a repetition was the text's own."""

    def join(self, head: str, *, final: bool) -> Decision:
        """Decide the join, or None if more of the head is needed.

        Args:
            head: the beginning of the continuation.
            final: whether ``head`` is all that will come.
        """
        quote = self.asked.quote
        if not quote:
            return self._prefilled(head, final=final)
        enough = final or len(head) >= self._most_held
        body = head.lstrip()
        lead = len(head) - len(body)
        decided: Decision
        if body.startswith(quote):
            decided = self._after.join(
                head, Place(lead + len(quote), Joined.ECHO, repeated=len(self._had.quote)), final=enough
            )
        elif quote.startswith(body) and (final or not enough):
            return Join(len(head), Joined.AS_IS, verified=False) if final else None
        else:
            decided = self._search(head, final=enough)
        return self._after.ended(head, decided) if final and isinstance(decided, Join) else decided

    def behind(self, head: str, followed: Follow, *, final: bool, left: str) -> Decision:
        """Join ``head``, which follows a repetition that has been dropped already.

        Args:
            head: what has arrived behind the repetition.
            followed: how the text was repeated.
            final: as in `join`.
            left: the part of the last repeated character that is new, such as an accent.
        """
        enough = final or len(head) >= self._most_held
        decided = self._after.join(head, Place(0, followed.how, left), final=enough)
        return self._after.ended(head, decided) if final and isinstance(decided, Join) else decided

    def watch(self, head: str, joined: Join, *, final: bool) -> Join | None:
        """The join, changed to unverified if the text begins again soon behind the repetition; None if more
        is needed.

        Args:
            head: the reply as far as it has arrived.
            joined: the decision that was made on its beginning.
            final: as in `join`.
        """
        if joined.behind is None or not joined.verified:
            return joined
        head = head[: self._most_held]
        sign = self._recurrence.look(head, joined.behind, final=final or len(head) == self._most_held)
        return None if sign is Sign.MORE else replace(joined, verified=sign is Sign.NOTHING)

    # -- what was delivered --------------------------------------------------------------------

    @cached_property
    def _had(self) -> Had:
        return Had(self.asked, LONG_PASSAGE)

    @cached_property
    def _after(self) -> AfterEcho:
        return AfterEcho(self.asked, self._had, self._most_held, self.looks)

    @cached_property
    def _recurrence(self) -> Recurrence:
        return Recurrence(self._had, self._most_held)

    @cached_property
    def _unproved(self) -> Unproved:
        return Unproved(self.asked, self._had)

    @cached_property
    def _repetitions(self) -> Repetitions:
        return Repetitions(self.asked, self._had, self._after, self._unproved, self._most_held)

    @property
    def _most_held(self) -> int:
        return max(MOST_HELD, 3 * len(self.asked.quote))

    def _is_fenced(self) -> bool:
        return self._had.fenced

    # -- the parts of the decision ---------------------------------------------------------------

    def _prefilled(self, head: str, *, final: bool) -> Join | None:
        """Join a reply to a prefill: only white space that the consumer already has is cut."""
        space = self.asked.space
        if space.startswith(head) and not final:
            return None
        verified = bool(head) or can_end(self._had.text, space)
        return Join(shared(space, head), Joined.PREFILL, verified=verified)

    def _search(self, head: str, *, final: bool) -> Decision:
        waits, said = not final and undecided(head), False
        opened = None
        for start in starts(head, fenced=self._is_fenced):
            found = self._repetitions.look(head, start, final=final)
            if found is not None:
                return None if isinstance(found, More) else found
            request = self._is_request(head, start, final=final)
            said = said or request is True
            waits = waits or request is None or (not final and len(head) == start.at)
            reopened = opened is not None and opened.kind is Lead.REOPENED
            if not reopened and self._unproved.is_opening(head, start):
                opened = start  # but behind a reopened fence, what looks like a wrapper is code
        if said:
            return Diverged() if final else None  # the fragment may still follow the words of the request
        if waits:
            return None
        if opened is not None:
            return self._unproved.behind(head, opened, final=final)
        if self.asked.whole and self._begins_anew(head):
            return Diverged()
        body, opener = head.lstrip(), self._had.opener
        if opener and body.startswith(opener):
            cut = len(head) - len(body) + len(opener)
            return self._after.join(head, Place(cut, Joined.OVERLAP), final=final)
        return self._unproved.join(head, 0, Joined.AS_IS, final=final)

    def _is_request(self, head: str, start: Start, *, final: bool) -> bool | None:
        """Whether the reply has words of the request at ``start``; None if more of it is needed to tell."""
        if start.kind is Lead.UNKNOWN:
            return False
        return wording.says(head[start.at :], self.asked.wordings, apart=start.wrapped, final=final)

    def _begins_anew(self, head: str) -> bool:
        """Whether ``head`` begins a new answer. Called if the whole answer was asked for and nothing was
        repeated."""
        last, body = self._had.text[-1], head.lstrip()
        if self.asked.space or body != head or not last.isalnum():
            return False
        return (body[:1].isupper() and bool(re.match(r"\w[a-z']", body))) or bool(re.match("#+ ", body))
