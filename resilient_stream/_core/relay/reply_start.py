"""Holds the start of a reply until it is known how the reply joins the text that the consumer has.

A continuation was asked to begin with a certain text (`Asked`). Its first text is held here until the join is
decided, and then cut. If the reply has a tool call instead of text, the consumer's text stays as it is, and
nothing proves that it is complete. If the reply has nothing, the model is asked once more before the text
counts as complete. A text block that ends inside the quoted fragment counts as nothing. So does one that ends
directly behind it, if the text can't end there. A reply that is another answer is refused, whatever the
policy says, because it would make no sense behind the delivered text. If an attempt was not asked to begin
with anything, nothing is held.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from resilient_stream._core.failures import Barren, Flaw, Kind
from resilient_stream._core.plan.planner import Plan
from resilient_stream._core.seam.buffer import Splice
from resilient_stream._core.seam.joined import Diverged, Join, Joined

UNVERIFIED: Final = "an unverified seam"
DIVERGED: Final = "another answer was begun"
UNFINISHED: Final = "the continuation brought nothing, twice"
REFUSALS: Final = {
    UNVERIFIED: "the policy refuses a seam that can't be verified",
    DIVERGED: "the model began another answer, which can't follow this one",
    UNFINISHED: "the policy refuses an ending that can't be verified",
}
"""Why the model is not asked again after a reply that does not join."""

BARREN_ENDINGS: Final = frozenset({"end_turn", "stop_sequence", "max_tokens"})
"""Stop reasons that do not explain why a reply has no content. The others do."""
INFERRED_ENDINGS: Final = BARREN_ENDINGS - {"max_tokens"}
"""Stop reasons which mean that the text is complete."""


class ReplyStart:
    """Holds the start of one reply.

    Args:
        plan: the attempt's request.
        accept_unverified: whether text and tool calls may follow a seam without proof.
        asked_again: the stop reasons with which an earlier continuation brought nothing. If this one brings
            nothing and has one of them, the message ends.
    """

    def __init__(self, plan: Plan, *, accept_unverified: bool, asked_again: Collection[str]) -> None:
        self.joined: Join | None = None
        """How the reply was joined."""
        self._splice = Splice(plan.asked) if plan.asked is not None else None
        self._nothing = plan.continues
        self.inferred = False
        """Whether the reply ended without bringing anything, for no reason that its stop reason gives. Then
        the text is probably complete, but that is not certain."""
        self._alone: Join | None = None
        self._other = False
        self._accept = accept_unverified
        self._asked_again = asked_again
        self._rest = ""

    @property
    def wanted(self) -> bool:
        """Whether the next text has to be joined."""
        return self._splice is not None

    @property
    def rest(self) -> str:
        """The part of the held text that is delivered: supplied white space, and the text behind the cut."""
        return self._rest

    def grow(self, text: str) -> None:
        """Add text of the block, from its start event or from a delta."""
        if self._splice is not None:
            self._splice.grow(text)

    def decide(self, *, final: bool) -> bool:
        """Decide the join if there is enough text; ``final`` if no more of this block will come.

        Raises:
            Flaw: the reply is another answer, or the seam has no proof and the policy requires one.
        """
        decided = self._splice and self._splice.decide(final=final)
        if isinstance(decided, Diverged):
            raise Flaw(Kind.PROTOCOL, DIVERGED)
        if not decided:
            return False
        if final and self._is_none(decided):
            self._alone = decided
            return False
        if not (decided.verified or self._accept):
            raise Flaw(Kind.PROTOCOL, UNVERIFIED)
        self._settle(decided)
        return True

    def decide_at_death(self) -> bool:
        """Decide the join of an attempt that failed. If it is proved, keep the text behind the fragment, and
        return True.

        Without proof nothing is kept. The text was held because it might be half a preamble or half a
        fragment, and the next attempt brings it again.
        """
        decided = self._splice and self._splice.decide(final=True)
        if not isinstance(decided, Join) or not decided.verified or not self._brings(decided):
            return False
        self._settle(decided)
        return True

    def other(self) -> None:
        """Record that a block other than text begins. The text that the consumer has stays as it is.

        Raises:
            Flaw: the policy requires proof that nothing is missing.
        """
        if self._splice is not None and not self._accept:
            raise Flaw(Kind.PROTOCOL, UNVERIFIED)
        self._other = True
        self._leave()

    def end(self, stop_reason: str) -> None:
        """Handle the end of the reply.

        Raises:
            Barren: the reply brought nothing, and its stop reason does not explain it.
            Flaw: a reply brought nothing for the second time, and the policy requires proof.
        """
        if self._nothing and stop_reason in BARREN_ENDINGS:
            if stop_reason not in self._asked_again:
                raise Barren(stop_reason)
            if not (self._accept or (self._alone is not None and self._alone.verified)):
                raise Flaw(Kind.PROTOCOL, UNFINISHED)
        alone = self._nothing or (self.joined is not None and self.joined.how is Joined.ECHO_ONLY)
        self.inferred = alone and not self._other and stop_reason in INFERRED_ENDINGS
        self._leave()

    @property
    def tells_again(self) -> bool:
        """Whether the reply has nothing but a repetition of the consumer's text up to its end."""
        told = self.joined if self.joined is not None and self.joined.how is Joined.ECHO_ONLY else self._alone
        return told is not None and told.verified

    def _is_none(self, decided: Join) -> bool:
        """Whether a complete block counts as nothing: it has only a part of the fragment, or all of it where
        the text can't end. A punctuation mark behind the fragment is accepted once the model was asked
        again."""
        if decided.how is Joined.ECHO_ONLY and not decided.verified:
            return not (self._brings(decided) and self._accept and self._asked_again)
        return not self._brings(decided) and decided.how is not Joined.ECHO_ONLY

    def _brings(self, decided: Join) -> bool:
        return self._splice is not None and self._splice.rest(decided).strip() != ""

    def infer(self) -> None:
        """Record that the text is complete, as far as the reply shows."""
        self.inferred = True

    def _leave(self) -> None:
        self._nothing = False
        if self._splice is not None:
            self._settle(self._alone or Join(0, Joined.AS_IS, verified=False))

    def _settle(self, decided: Join) -> None:
        self._rest = self._splice.rest(decided) if self._splice is not None else ""
        self.joined, self._splice, self._nothing = decided, None, False
