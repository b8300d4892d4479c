"""Decides what follows a failed attempt: another request, the end of the turn as it is, or giving up.

The machine carries out the decision. The rules, in this order:

1. A continuation that was refused with a 400 is sent in another form. It counts as an attempt, and costs
nothing else.
2. A turn that has complete tool calls, or as much text as `max_tokens` allows, is finished as it is.
3. A rejected continuation goes to the next fallback model. The user did not write that request, so if there
is no other model, the error that is raised is the failure before it.
4. A turn that can't be continued ends the stream, and so does a reply that was broken twice in the same way.
5. Otherwise the policy decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from resilient_stream._core.failures import Barren, Failure, Flaw, Kind, Phase
from resilient_stream._core.plan.planner import Blocked, FinishHere, Plan, Planner
from resilient_stream._core.record.ledger import Attempt, Record
from resilient_stream._core.relay.reply_start import REFUSALS, UNFINISHED
from resilient_stream._core.settings import Settings
from resilient_stream._core.turn.salvage import kept_size
from resilient_stream._core.verdict import GiveUp, Judge, Retry

from .tries import REPEATED, Tries


class Again(NamedTuple):
    """Send ``plan`` after a wait, when it is the stream's turn. Without a wait it is sent at once, and the
    policy is not asked."""

    plan: Plan
    retry: Retry | None = None


class Stop(NamedTuple):
    """Send nothing more, for this reason: raise ``error``, which was made from ``failure``."""

    reason: str
    failure: Failure
    error: BaseException


@dataclass(slots=True, repr=False)
class Recovery:
    """Decides what follows the failed attempts of one stream.

    Args:
        planner: makes its requests.
        settings: the policy's limits.
        judge: the policy.
        error_for: the exception that raising a failure would raise, for policies that look at exceptions.
        record: what the consumer has, and the attempts so far.
        started: when the call was made.
    """

    planner: Planner
    settings: Settings
    judge: Judge
    error_for: Callable[[Failure], BaseException]
    record: Record
    started: float = 0.0
    tries: Tries = field(default_factory=Tries)
    barren_endings: set[str] = field(default_factory=set)
    """The stop reasons of replies that brought nothing since the last progress. Such a reply is asked for
    again once. The second one is accepted."""
    _asks: int = 0
    """The number of continuations since the last progress whose text could not be joined."""
    _stands: tuple[Failure, BaseException] | None = None
    """The last failure that may be raised, and its exception."""

    def count(self, attempt: Attempt, failure: Failure, events: int, *, spoke: bool = False) -> None:
        """Count a failed attempt, of which ``events`` events were received. ``spoke`` says whether content
        was among them. What was written is decoded now, because from here on it is looked at and sent."""
        self.record.turn.keep_decoded()
        if self.tries.count(attempt.started, failure, kept_size(self.record.turn), events, spoke=spoke):
            self._asks, self.barren_endings = 0, set()

    def refusal(self, flaw: Flaw) -> Stop | None:
        """Note what is wrong with a reply. Return a `Stop` if it is not asked for again, because its text
        could not be joined."""
        failure = flaw.failure
        if isinstance(flaw, Barren):
            self.barren_endings.add(flaw.stop_reason)
            self.planner.grudging = flaw.stop_reason == "max_tokens"
        if failure.detail not in REFUSALS:
            return None
        self._asks += 1
        if self.settings.unverified != "refuse" and self._asks == 1 and failure.detail != UNFINISHED:
            return None
        return self._stop(REFUSALS[failure.detail], failure, self.error_for(failure))

    def next(self, now: float, failure: Failure, sent: Plan) -> Again | FinishHere | Stop:
        """Return what follows ``failure`` of an attempt that had sent ``sent`` and was counted."""
        return self._other_form(now, failure, sent) or self._decide(now, failure, sent)

    def _other_form(self, now: float, failure: Failure, sent: Plan) -> Again | None:
        if failure.status != 400 or not self._may_send(now):
            return None
        said = self.record.ledger.attempts[-1].said
        if (plan := self.planner.below(sent, said, self.record.turn)) is None:
            return None
        self.tries.barren -= 1
        return Again(plan)

    def _may_send(self, now: float) -> bool:
        """Whether a request that the policy is not asked about may be sent at all."""
        late = now - self.started >= self.settings.deadline
        return not late and self.tries.requests < self.settings.max_attempts

    def _decide(self, now: float, failure: Failure, sent: Plan) -> Again | FinishHere | Stop:
        elsewhere = self.planner.note(failure, in_vain=bool(self._asks or self.barren_endings))
        plan = self._plan(failure)
        if isinstance(plan, FinishHere):
            return plan
        if failure.kind is Kind.REJECTED and sent.body is not None:
            if (again := self._next_model(now, failure)) is not None:
                return again
            if self._stands is not None:
                return self._stop("the continuation was rejected", *self._stands)
        error = self.error_for(failure)
        if isinstance(plan, Blocked):
            return self._stop(plan.reason, failure, error)
        if self.tries.repeated and not self.barren_endings:
            return self._stop(REPEATED, failure, error)
        self._stands = failure, error
        verdict = self._verdict(now, failure, error, elsewhere=elsewhere)
        return self._enough(verdict) if isinstance(verdict, GiveUp) else Again(plan, verdict)

    def turn(self, now: float) -> Retry | Stop | None:
        """Whether the retry that the policy allowed may be sent now: None if it may."""
        verdict = self.judge.turn(now)
        return self._enough(verdict) if isinstance(verdict, GiveUp) else verdict

    def _enough(self, verdict: GiveUp) -> Stop:
        """The stop for a policy that allows no more."""
        if self._stands is None:
            raise RuntimeError("no failure stands")
        self.record.ledger.limit = verdict.limit
        return self._stop(verdict.reason, *self._stands)

    def _verdict(
        self, now: float, failure: Failure, error: BaseException, *, elsewhere: bool
    ) -> Retry | GiveUp:
        """The policy's verdict."""
        written, ledger = self.record.turn.characters, self.record.ledger
        overspent = ledger.overspent(self.settings.max_input_multiple, written, self.planner.request)
        history = self.tries.history(self.started, now)._replace(
            overspent=overspent,
            elsewhere=elsewhere,
            model=ledger.attempts[-1].model,
            next_model=self.planner.model,
        )
        return self.judge.verdict(failure, history, error)

    def _next_model(self, now: float, failure: Failure) -> Again | None:
        """The next model, if a fallback model refused the request and there is another one."""
        if self.planner.hop == 0 or not self._may_send(now):
            return None
        plan = self._plan(failure) if self.planner.fall_back() else None
        return Again(plan) if isinstance(plan, Plan) else None

    def _plan(self, failure: Failure) -> Plan | FinishHere | Blocked:
        turn = self.record.turn
        if failure.phase is not Phase.BODY and turn.message is None and not turn.unseen:
            return self.planner.restart
        return self.planner.plan(turn)

    def _stop(self, reason: str, failure: Failure, error: BaseException) -> Stop:
        self._stands = None  # the exception's traceback keeps its frames alive
        return Stop(reason, failure, error)
