"""The head of an attempt's reply: what comes before it is known how it joins what the consumer has.

A continuation was asked to begin with something (`Asked`). Its first text is held here until the join
is decided, and is then cut. It may bring something else instead: a tool call, which leaves the text
as it stands, without proof; or nothing at all, which is asked once more before it is believed. A text
block that ends inside the fragment is as good as none. The head of any other attempt is empty from
the start.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from . import events
from .continuation import Plan
from .failures import Barren, Flaw, Kind
from .seam import Join, Joined, join

UNVERIFIED: Final = "an unverified seam"

BARREN_ENDINGS: Final = frozenset({"end_turn", "stop_sequence", "max_tokens"})
"""Stop reasons that say nothing where nothing was written. The others explain it."""


class Head:
    """Holds the head of one reply.

    Args:
        plan: what the attempt was asked.
        accept_unverified: whether text and tool calls may follow a seam without proof.
        asked_again: the stop reasons with which an earlier continuation brought nothing: another one
            that ends so is an ending.
    """

    def __init__(self, plan: Plan, *, accept_unverified: bool, asked_again: Collection[str]) -> None:
        self.joined: Join | None = None
        """How the reply was joined."""
        self._asked = plan.asked
        self._nothing = plan.continues
        self._accept = accept_unverified
        self._asked_again = asked_again
        self._text = ""

    @property
    def wanted(self) -> bool:
        """Whether the next text is to be joined."""
        return self._asked is not None

    @property
    def rest(self) -> str:
        """What follows the cut."""
        return self._text[self.joined.cut :] if self.joined else ""

    def open(self, text: str) -> None:
        """A text block begins, with ``text`` in its start."""
        self._text = text

    def grow(self, text: str) -> None:
        """More of the text."""
        self._text = events.paired(self._text + text)

    def decide(self, *, final: bool) -> bool:
        """Decide the join, if enough is here; ``final`` if no more of this block will come.

        Raises:
            Flaw: the seam has no proof, and the policy wants one.
        """
        if not final and events.ends_in_half({"text": self._text}):
            return False
        decided = self._asked and join(self._asked, self._text, final=final)
        if not decided or self._is_none(decided, final=final):
            return False
        if not (decided.verified or self._accept):
            raise Flaw(Kind.PROTOCOL, UNVERIFIED)
        self._settle(decided)
        return True

    def decide_at_death(self) -> bool:
        """The attempt died: decide on what came beyond the fragment, if anything did and may be kept."""
        decided = self._asked and join(self._asked, self._text, final=True)
        if not decided or decided.cut == len(self._text) or not (decided.verified or self._accept):
            return False
        self._settle(decided)
        return True

    def other(self) -> None:
        """Something other than text comes: the text, if any was to be joined, stays as it stands.

        Raises:
            Flaw: the policy wants proof that nothing is missing.
        """
        if self._asked is not None and not self._accept:
            raise Flaw(Kind.PROTOCOL, UNVERIFIED)
        self._leave()

    def end(self, stop_reason: str) -> None:
        """The reply ends.

        Raises:
            Barren: it brought nothing, and nothing says why.
        """
        if self._nothing and stop_reason in BARREN_ENDINGS and stop_reason not in self._asked_again:
            raise Barren(stop_reason)
        self._leave()

    def _is_none(self, decided: Join, *, final: bool) -> bool:
        """Whether the block is complete without anything but, at most, a part of the fragment."""
        return final and decided.cut == len(self._text) and decided.how is not Joined.ECHO_ONLY

    def _leave(self) -> None:
        self._nothing = False
        if self._asked is not None:
            self._settle(Join(0, Joined.AS_IS, verified=False))

    def _settle(self, decided: Join) -> None:
        self.joined, self._asked, self._nothing = decided, None, False
