"""The machine: from what happened to what to do next.

A stream is a sequence of attempts that the consumer sees as one. The machine is told what happened (`start`,
`head`, `data`, `end`, `fault`, `waited`, `close`) and answers with one action. It performs no I/O and has no
clock and no randomness: times are numbers that come in, verdicts come from a `Judge`. What is to be handed
over is fetched with `take` before acting.

`TABLE` says which `State` follows which `Signal`; the state changes nowhere else. The methods decide which
signal an input amounts to, and `_action` what each state asks of the driver. After a fault the relay first
settles what had come; a turn that is complete is finished, so is one with complete tool calls, and only then
the policy is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from resilient_stream._core.failures import Barren, Failure, Flaw, Kind, Phase
from resilient_stream._core.plan.planner import Blocked, Plan, Planner, Settle
from resilient_stream._core.plan.rejection import said
from resilient_stream._core.record.ledger import Attempt, Ledger, Record, final_usage
from resilient_stream._core.record.lifecycle import Journal
from resilient_stream._core.relay.output import Handover
from resilient_stream._core.relay.relay import Relay
from resilient_stream._core.relay.reply_start import REFUSALS, UNFINISHED
from resilient_stream._core.settings import Settings
from resilient_stream._core.tokens import of_characters
from resilient_stream._core.turn.salvage import kept_size
from resilient_stream._core.turn.transcript import Turn
from resilient_stream._core.verdict import AT_ONCE, GiveUp, Judge, Retry
from resilient_stream._core.wire.event_order import NO_REASON_AT_STOP
from resilient_stream._core.wire.events import Event

from .draining import Draining
from .states import TABLE, Action, Drain, Finish, Raise, Read, Send, Signal, State, Wait
from .timeouts import Clocks
from .tries import REPEATED, Tries


@dataclass(slots=True, repr=False)
class Machine:
    """One stream. ``error_for`` makes the exception that raising a failure would raise, for policies
    that look at exceptions."""

    planner: Planner
    settings: Settings
    judge: Judge
    error_for: Callable[[Failure], BaseException]
    record: Record = field(default_factory=Record)
    state: State = State.IDLE
    failure: Failure | None = None
    """The failure that the user will be told of."""
    error: BaseException | None = None
    """The exception that stands for it."""
    journal: Journal = field(default_factory=Journal)
    """What there is to tell of it."""

    turn: Turn = field(init=False)
    ledger: Ledger = field(init=False)
    _plan: Plan = field(init=False)
    _out: Handover = field(init=False)
    _relay: Relay | None = None
    _clocks: Clocks = field(init=False)
    _started: float = 0.0
    _wait: float = 0.0
    _gap: float = 0.0
    """Seconds of the attempt's longest read."""
    _quick: Callable[[bytes], bytes | None] | None = None
    _tries: Tries = field(default_factory=Tries)
    _drained: Draining = field(default_factory=Draining)
    _size: int = 0
    _characters: int = 0
    _barren_endings: set[str] = field(default_factory=set)
    _asks: int = 0
    _identity: bool = False
    _answer: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.turn, self.ledger = self.record.turn, self.record.ledger
        self._out, self._plan = Handover(self.turn), self.planner.first
        self._clocks = Clocks(
            self.settings.first_event_timeout, self.settings.silence_timeout, self.settings.stall_timeout
        )

    # -- what happened ---------------------------------------------------------------------------

    def start(self, now: float) -> Action:
        """The call was made."""
        self._started = now
        return self._begin(now, Signal.START)

    def head(self, now: float, status: int, request_id: str | None, took: float | None = None) -> Action:
        """The head of an event stream arrived, ``took`` seconds after it was asked for; None for all of the
        attempt's time."""
        self._clocks.headed(now - self.attempt.started if took is None else took)
        self.attempt.status, self.attempt.request_id = status, request_id
        return self._go(Signal.HEAD)

    def fast(self, chunk: bytes, waited: float) -> bytes | None:
        """The short way of `data`, where `Read.fast` allows it: what to hand over, and nothing else has
        changed; nothing, if the bytes were kept and `data` need only be told of the time; None if `data` must
        see them."""
        if waited > self._gap:  # noqa: PLR1730 -- for each event; `max` takes three times as long
            self._gap = waited
        return None if self._quick is None else self._quick(chunk)

    def data(self, now: float, chunk: bytes, waited: float) -> Action:
        """Bytes arrived after ``waited`` seconds of reading."""
        self._gap = max(self._gap, waited)
        if self.state is State.DRAINING:
            self.relay.receive(chunk)
            self._drained.read(len(chunk), waited)
            return self._go(Signal.END if self._drained.over else Signal.MORE)
        relay, clocks = self.relay, self._clocks
        clocks.count(relay.events)
        try:
            if chunk:
                relay.receive(chunk)
        except Flaw as flaw:
            return self._flaw(now, flaw)
        if relay.complete:
            self._settle_attempt(now, None)
            return self._go(Signal.COMPLETE)
        if not self.journal.flowing and self.turn.size > self._size:
            self._flows(now)
        clocks.read(waited, relay.events)
        if relay.ended:
            clocks.end()
        if clocks.waited >= clocks.limit:
            return self.fault(now, Failure(Kind.STALLED, Phase.BODY))
        return self._go(Signal.MORE)

    def end(self, now: float, waited: float = 0.0) -> Action:
        """The body ended cleanly, after ``waited`` seconds of reading."""
        failure = Failure(Kind.TRUNCATED, Phase.BODY, detail="the body ended before a stop reason")
        return self.fault(now, failure, waited)

    def fault(self, now: float, failure: Failure, waited: float = 0.0) -> Action:
        """The attempt failed, after ``waited`` seconds of reading where a body was read."""
        self._gap = max(self._gap, waited)
        if self.state is State.DRAINING:
            return self._go(Signal.END)
        self._clocks.count(self.relay.events)
        if failure.kind in (Kind.SILENT, Kind.STALLED):
            failure = self._clocks.fired(failure)
        try:
            self.relay.end(clean=failure.kind is Kind.TRUNCATED)
        except Barren as barren:
            return self._flaw(now, barren)
        except Flaw as flaw:
            failure = flaw.failure  # told in the last, unfinished event: the better reason
        if self.turn.stop_reason is not None:
            self._out.stop()  # supplies what is missing of the ending
            self._settle_attempt(now, None)
            return self._go(Signal.END)
        self._identity = self._identity or failure.undecodable
        if failure.status is not None:
            self.attempt.status, self.attempt.request_id = failure.status, failure.request_id
        self._settle_attempt(now, failure)
        return self._step_down(now, failure) or self._decide(now, failure)

    def waited(self, now: float) -> Action:
        """The wait is over."""
        return self._begin(now, Signal.WAITED)

    def close(self, now: float, error: str = "") -> Action:
        """The consumer wants no more, or an exception of class ``error``, no failure, passed through."""
        if self.ledger.outcome is None:
            if self.state in (State.OPENING, State.READING) and self.attempt.ended is None:
                phase = Phase.BODY if self.state is State.READING else Phase.HEADERS
                self._clocks.count(self.relay.events)
                self._settle_attempt(now, Failure(Kind.CANCELLED, phase))
            self._end(now, "failed" if error else "cancelled", error)
        return self._go(Signal.CLOSE)

    def take(self) -> bytes:
        """What is to be handed over now."""
        return self._out.take()

    @property
    def relay(self) -> Relay:
        """The relay of the attempt that runs."""
        if self._relay is None:
            raise RuntimeError("no attempt runs")
        return self._relay

    @property
    def attempt(self) -> Attempt:
        """The attempt that runs or ran last."""
        return self.ledger.attempts[-1]

    # -- one attempt -----------------------------------------------------------------------------

    def _begin(self, now: float, signal: Signal) -> Action:
        self._begin_relay()
        self._size, self._characters = self.turn.size, self.turn.characters
        self.ledger.begin(self._plan.form, self.planner.model, self._wait, now, self._characters)
        self.journal.begins(self.attempt, self._characters)
        return self._go(signal)

    def _begin_relay(self) -> None:
        self._relay = Relay(
            self._out,
            self._plan,
            self.settings,
            final_usage=self._final_usage,
            asked_again=frozenset(self._barren_endings),
        )
        self._quick, self._answer = self._relay.quick, []
        self._clocks.restart()

    def _final_usage(self, closing: dict[str, Any]) -> dict[str, Any]:
        return final_usage(self.settings.usage, self.ledger, self.relay.opening, closing)

    def _settle_attempt(self, now: float, failure: Failure | None) -> None:
        """Close the books of the attempt that ran."""
        attempt, relay = self.attempt, self.relay
        attempt.end(now, failure, relay.events, inferred=relay.inferred)
        attempt.characters = self.turn.characters - self._characters
        attempt.gap, self._gap = max(self._gap, self._clocks.waited), 0.0
        request = self._plan.body or self.planner.request
        attempt.count(relay.opening, relay.closing_usage, ended=relay.ended, request=request)
        if served := self.turn.size > self._size:
            self.judge.served()
        if served or failure is None:
            self._flows(now)
        if failure is None:
            self._end(now, "completed")
        elif failure.kind is not Kind.CANCELLED:
            if self._tries.count(attempt.started, failure, kept_size(self.turn), relay.events):
                self._asks, self._barren_endings = 0, set()
            attempt.said = said(failure, request)
            self.journal.fails(now, attempt)

    def _flows(self, now: float) -> None:
        """The attempt has brought something, so it is known how it was joined, and that its form will do."""
        self.planner.accepted()
        self.ledger.join(self.attempt, self._characters, self.relay.joined)
        self.journal.flows(now, self.attempt, self.relay.joined)

    def _end(self, now: float, outcome: str, error: str = "") -> None:
        self.ledger.outcome = outcome
        failure, name = (None, error) if error else (self.failure, type(self.error).__name__)
        self.journal.ends(now, self.ledger, self.turn, failure, name)

    # -- after a fault ---------------------------------------------------------------------------

    def _flaw(self, now: float, flaw: Flaw) -> Action:
        failure = flaw.failure
        if self.relay.tells_again and failure.detail == NO_REASON_AT_STOP and self._tries.died_of(failure):
            self.relay.end_without_reason()
            self._settle_attempt(now, None)
            return self._go(Signal.COMPLETE)
        if isinstance(flaw, Barren):
            self._answer = flaw.answer
            self._barren_endings.add(flaw.stop_reason)
            self.planner.grudging = flaw.stop_reason == "max_tokens"
        if failure.detail in REFUSALS:
            self._asks += 1
            if self.settings.unverified == "refuse" or self._asks > 1 or failure.detail == UNFINISHED:
                self._settle_attempt(now, failure)
                self.failure, self.error = failure, (error := self.error_for(failure))
                return self._give_up(now, REFUSALS[failure.detail], error)
        return self.fault(now, failure)

    def _step_down(self, now: float, failure: Failure) -> Action | None:
        """After a 400 to a continuation: the next form, at no cost but the attempt itself."""
        if failure.status != 400 or not self._may_send(now):
            return None
        if (plan := self.planner.below(self._plan, self.attempt.said, self.turn)) is None:
            return None
        self._tries.barren -= 1
        return self._retry(now, plan)

    def _may_send(self, now: float) -> bool:
        """Whether a request that the policy is not asked about may be sent at all."""
        late = now - self._started >= self.settings.deadline
        return not late and self._tries.requests < self.settings.max_attempts

    def _decide(self, now: float, failure: Failure) -> Action:
        elsewhere = self.planner.note(failure, in_vain=bool(self._asks or self._barren_endings))
        plan = self._next_plan(failure)
        if isinstance(plan, Settle):
            return self._finish(now, plan)
        if failure.kind is Kind.REJECTED and self._plan.body is not None:  # the user did not write it
            if (action := self._next_model(now, failure)) is not None:
                return action
            if self.error is not None:
                return self._give_up(now, "the continuation was rejected", self.error)
        error = self.error_for(failure)
        self.failure, self.error = failure, error
        if isinstance(plan, Blocked):
            return self._give_up(now, plan.reason, error)
        if self._tries.repeated and not self._barren_endings:
            return self._give_up(now, REPEATED, error)
        multiple, written = self.settings.max_input_multiple, self.turn.characters
        overspent = self.ledger.overspent(multiple, written, self.planner.request)
        history = self._tries.history(self._started, now, overspent=overspent, elsewhere=elsewhere)
        verdict = self.judge.verdict(failure, history, error)
        if isinstance(verdict, GiveUp):
            self.ledger.limit = verdict.limit
            return self._give_up(now, verdict.reason, error)
        return self._retry(now, plan, verdict)

    def _next_model(self, now: float, failure: Failure) -> Action | None:
        """After a fallback model refused the request: the next one, if there is one."""
        if self.planner.hop == 0 or not self._may_send(now):
            return None
        plan = self._next_plan(failure) if self.planner.fall_back() else None
        return self._retry(now, plan) if isinstance(plan, Plan) else None

    def _next_plan(self, failure: Failure) -> Plan | Settle | Blocked:
        if failure.phase is not Phase.BODY and self.turn.message is None and not self.turn.unseen:
            return self.planner.restart
        return self.planner.plan(self.turn)

    def _retry(self, now: float, plan: Plan, verdict: Retry = AT_ONCE) -> Action:
        self.turn.abandon(unanswered=True)
        self._plan, self._wait = plan, verdict.wait
        self.journal.waits(verdict)
        action = self._go(Signal.RETRY)
        return action if verdict.wait > 0 else self.waited(now)

    def _give_up(self, now: float, reason: str, error: BaseException) -> Action:
        if self._answer:  # of nothing, but better than none
            self._out.hand_all(self._answer)
            self._end(now, "completed")
            return self._go(Signal.SETTLED)
        self.turn.abandon(unanswered=True)
        self.ledger.reason = reason
        self.ledger.tell(error, self.turn)
        self._end(now, "failed")
        return self._go(Signal.GIVE_UP)

    # -- endings ---------------------------------------------------------------------------------

    def _finish(self, now: float, settled: Settle) -> Action:
        """End the turn with the calls that are complete, or the text that is long enough."""
        self.turn.abandon(unanswered=False)  # the results of such uses may follow in the next turn
        output = max(1, of_characters(self.turn.size - self._size))
        self._out.end_here(settled.stop_reason, self._final_usage({"output_tokens": output}))
        self.attempt.estimate(output_tokens=output)
        self.ledger.reason = settled.reason
        self._end(now, "finished_with_tools" if settled.stop_reason == "tool_use" else "completed")
        return self._go(Signal.SETTLED)

    # -- the table -------------------------------------------------------------------------------

    def _go(self, signal: Signal) -> Action:
        self.state = TABLE[self.state, signal]
        return self._action()

    def _action(self) -> Action:
        match self.state:
            case State.OPENING:
                patience, silence = self._clocks.first_event, self._clocks.silence
                return Send(self._plan, self.attempt.number, patience, silence, self._identity)
            case State.READING:
                return Read(self._clocks.patience, fast=self._clocks.steady)
            case State.WAITING:
                return Wait(self._wait)
            case State.DRAINING:
                return Drain(self._drained.patience)
            case State.FAILED if self.failure is not None and self.error is not None:
                return Raise(self.failure, self.error)
            case _:
                return Finish()
