"""The machine: decides what to do next from what has happened.

A stream is a sequence of attempts that the consumer sees as one. The driver reports each event to the machine
(`start`, `head`, `data`, `end`, `fault`, `waited`, `close`), which answers with one action. The machine
performs no I/O and has no clock and no randomness: the driver passes times as numbers, and a `Judge` applies
the policy. Before the driver acts, it fetches the bytes to deliver with `take`.

`TABLE` says which `State` follows which `Signal`, and nothing else changes the state. The methods decide
which signal an input amounts to, and `_action` what each state asks of the driver. After a fault the relay
first settles what had been received. If the turn is complete by then, it is finished; otherwise `Recovery`
decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from resilient_stream._core.failures import Barren, Failure, Flaw, Kind, Phase
from resilient_stream._core.plan.planner import FinishHere, Plan, Planner
from resilient_stream._core.plan.rejection import said
from resilient_stream._core.record.ledger import Attempt, Ledger, Record, final_usage
from resilient_stream._core.record.lifecycle import Lifecycle
from resilient_stream._core.relay.output import Output
from resilient_stream._core.relay.relay import Relay
from resilient_stream._core.settings import Settings
from resilient_stream._core.tokens import of_characters
from resilient_stream._core.turn.transcript import Turn
from resilient_stream._core.verdict import AT_ONCE, Judge, Retry
from resilient_stream._core.wire.event_order import NO_REASON_AT_STOP
from resilient_stream._core.wire.events import Event

from .draining import Draining
from .recovery import Again, Recovery, Stop
from .states import TABLE, Action, Drain, Finish, Raise, Read, Send, Signal, State, Wait
from .timeouts import Clocks

BEGUN: Final = 2
"""Events that show that a reply has begun: the start of the message, and any event behind it."""


@dataclass(slots=True, repr=False)
class Machine:
    """One stream. ``error_for`` makes the exception that would be raised for a failure, for policies that
    look at exceptions."""

    planner: Planner
    settings: Settings
    judge: Judge
    error_for: Callable[[Failure], BaseException]
    record: Record = field(default_factory=Record)
    state: State = State.IDLE
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    """The notes for observers."""

    turn: Turn = field(init=False)
    ledger: Ledger = field(init=False)
    _plan: Plan = field(init=False)
    _out: Output = field(init=False)
    _relay: Relay | None = None
    _clocks: Clocks = field(init=False)
    _recovery: Recovery = field(init=False)
    _wait: float = 0.0
    _begun: bool = False
    """The judge was informed that the reply has begun."""
    _gap: float = 0.0
    """Seconds that the attempt's longest read took."""
    _drained: Draining = field(default_factory=Draining)
    _size: int = 0
    _characters: int = 0
    _identity: bool = False
    _answer: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.turn, self.ledger = self.record.turn, self.record.ledger
        self._out, self._plan = Output(self.turn), self.planner.first
        self._clocks = Clocks(
            self.settings.first_event_timeout, self.settings.silence_timeout, self.settings.stall_timeout
        )
        self._recovery = Recovery(self.planner, self.settings, self.judge, self.error_for, self.record)

    # -- what happened ---------------------------------------------------------------------------

    def start(self, now: float) -> Action:
        """The call was made."""
        self._recovery.started = now
        return self._begin(now, Signal.START)

    def head(self, now: float, status: int, request_id: str | None, took: float | None = None) -> Action:
        """The headers of an event stream arrived, ``took`` seconds after the request; None if that is all of
        the attempt's time."""
        self._clocks.headed(now - self.attempt.started if took is None else took)
        self.attempt.status, self.attempt.request_id = status, request_id
        return self._go(Signal.HEAD)

    @property
    def quick(self) -> Callable[[bytes], bytes | None]:
        """The fast path of `data` for the current attempt, which may be called while `Read.slack` allows it.

        It takes a chunk and returns the bytes to deliver, if nothing else has changed: `HELD` if its events
        are held, and other empty bytes if it ended no event, in which case `data` need only be given the
        time. None means that `data` must handle the chunk.
        """
        return self.relay.quick

    def took(self, seconds: float) -> None:
        """Note that the longest read of the fast path took this many seconds."""
        self._gap = max(self._gap, seconds)

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
        if not self._begun:
            self._reply_begins(now)
        if relay.complete:
            self._close_attempt(now, None)
            return self._go(Signal.COMPLETE)
        if not self.lifecycle.flowing and self.turn.size > self._size:
            self._flows(now)
        clocks.read(waited, relay.events)
        if relay.ending:
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
        except Flaw as flaw:
            if isinstance(flaw, Barren) or flaw.failure.detail == NO_REASON_AT_STOP:
                return self._flaw(now, flaw)
            failure = flaw.failure  # the last, unfinished event reported an error: the better reason
        if self.turn.stop_reason is not None:
            self._out.stop()  # supplies the missing events of the ending
            self._close_attempt(now, None)
            return self._go(Signal.END)
        self._identity = self._identity or failure.undecodable
        if failure.status is not None:
            self.attempt.status, self.attempt.request_id = failure.status, failure.request_id
        self._close_attempt(now, failure)
        return self._after(now, failure)

    def waited(self, now: float) -> Action:
        """The wait is over."""
        following = self._recovery.turn(now)
        if following is None:
            return self._begin(now, Signal.WAITED)
        if isinstance(following, Stop):
            return self._give_up(now, following)
        self._note_wait(following)
        return self._go(Signal.QUEUED)

    def close(self, now: float, error: str = "") -> Action:
        """The consumer wants no more, or an exception of class ``error`` that is not a failure passed
        through."""
        if self.ledger.outcome is None:
            if self.state in (State.OPENING, State.READING) and self.attempt.ended is None:
                phase = Phase.BODY if self.state is State.READING else Phase.HEADERS
                self._clocks.count(self.relay.events)
                self._close_attempt(now, Failure(Kind.CANCELLED, phase))
            self._end(now, "failed" if error else "cancelled", error=error)
        return self._go(Signal.CLOSE)

    def take(self) -> bytes:
        """Return the bytes to deliver now."""
        return self._out.take()

    @property
    def relay(self) -> Relay:
        """The relay of the current attempt."""
        if self._relay is None:
            raise RuntimeError("no attempt runs")
        return self._relay

    @property
    def attempt(self) -> Attempt:
        """The attempt that is running, or the last one."""
        return self.ledger.attempts[-1]

    # -- one attempt -----------------------------------------------------------------------------

    def _begin(self, now: float, signal: Signal) -> Action:
        self._begin_relay()
        self._size, self._characters = self.turn.size, self.turn.characters
        self.ledger.begin(self._plan.form, self.planner.model, now, self._characters)
        self.lifecycle.begins(self.attempt, self._characters)
        return self._go(signal)

    def _begin_relay(self) -> None:
        self._relay = Relay(
            self._out,
            self._plan,
            self.settings,
            final_usage=self._final_usage,
            asked_again=frozenset(self._recovery.barren_endings),
        )
        self._answer, self._begun = [], False
        self._clocks.restart()

    def _final_usage(self, closing: dict[str, Any]) -> dict[str, Any]:
        return final_usage(self.settings.usage, self.ledger, self.relay.opening, closing)

    def _reply_begins(self, now: float) -> None:
        """Inform the judge, once. An API that is overloaded may send the start of a message and report that
        only then."""
        if not self._begun and self.relay.events >= BEGUN:
            self._begun = True
            self.judge.began(now, self.attempt.started, self.attempt.model)

    def _close_attempt(self, now: float, failure: Failure | None) -> None:
        """Complete the record of the attempt that ended."""
        attempt, relay = self.attempt, self.relay
        self._reply_begins(now)
        attempt.end(now, failure, relay.events, inferred=relay.inferred)
        attempt.characters = self.turn.characters - self._characters
        attempt.gap, self._gap = max(self._gap, self._clocks.waited), 0.0
        request = self._plan.body or self.planner.request
        attempt.count(relay.opening, relay.closing_usage, ended=relay.ended, request=request)
        if self.turn.size > self._size or failure is None:
            self._flows(now)
        if failure is None:
            self._end(now, "completed")
        elif failure.kind is not Kind.CANCELLED:
            self._recovery.count(attempt, failure, relay.events, spoke=relay.spoke)
            attempt.said = said(failure, request)
            self.lifecycle.fails(now, attempt)

    def _flows(self, now: float) -> None:
        """Note that the attempt has brought content, so it is known how it was joined, and that its form
        works."""
        self.planner.accepted()
        self.ledger.join(self.attempt, self._characters, self.relay.joined)
        self.lifecycle.flows(now, self.attempt, self.relay.joined)

    def _end(self, now: float, outcome: str, failure: Failure | None = None, error: str = "") -> None:
        self.judge.leave()
        self.ledger.outcome = outcome
        self.lifecycle.ends(now, self.ledger, self.turn, failure, error)

    # -- after a fault ---------------------------------------------------------------------------

    def _flaw(self, now: float, flaw: Flaw) -> Action:
        failure = flaw.failure
        no_reason = self.relay.tells_again and failure.detail == NO_REASON_AT_STOP
        if no_reason and self._recovery.tries.died_of(failure):
            self.relay.end_without_reason()
            self._close_attempt(now, None)
            return self._go(Signal.COMPLETE)
        if isinstance(flaw, Barren):
            self._answer = flaw.answer
        if (stop := self._recovery.refusal(flaw)) is not None:
            self._close_attempt(now, failure)
            return self._give_up(now, stop)
        return self.fault(now, failure)

    def _after(self, now: float, failure: Failure) -> Action:
        following = self._recovery.next(now, failure, self._plan)
        if isinstance(following, Again):
            return self._retry(now, following)
        if isinstance(following, Stop):
            return self._give_up(now, following)
        return self._finish(now, following)

    def _retry(self, now: float, again: Again) -> Action:
        self.turn.abandon(unanswered=True)
        self._plan = again.plan
        self._note_wait(again.retry or AT_ONCE)
        action = self._go(Signal.RETRY)
        if again.retry is None:
            return self._begin(now, Signal.WAITED)
        return action if self._wait > 0 else self.waited(now)

    def _note_wait(self, retry: Retry) -> None:
        self._wait = retry.wait
        self.ledger.waits(retry)
        self.lifecycle.waits(retry)

    # -- endings ---------------------------------------------------------------------------------

    def _give_up(self, now: float, stop: Stop) -> Action:
        if self._answer:  # of nothing, but better than none
            self._out.hand_all(self._answer)
            self._end(now, "completed")
            return self._go(Signal.FINISHED)
        self.turn.abandon(unanswered=True)
        self.ledger.reason, self.ledger.raised = stop.reason, stop.failure.kind
        self.ledger.tell(stop.error, self.turn)
        self._end(now, "failed", stop.failure, type(stop.error).__name__)
        self._go(Signal.GIVE_UP)
        return Raise(stop.failure, stop.error)

    def _finish(self, now: float, ending: FinishHere) -> Action:
        """End the turn with the calls that are complete, or the text that has reached its limit."""
        self.turn.abandon(unanswered=False)  # the results of such uses may follow in the next turn
        output = max(1, of_characters(self.turn.size - self._size))
        self._out.end_here(ending.stop_reason, self._final_usage({"output_tokens": output}))
        self.attempt.estimate(output_tokens=output)
        self.ledger.reason = ending.reason
        self._end(now, "finished_with_tools" if ending.stop_reason == "tool_use" else "completed")
        return self._go(Signal.FINISHED)

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
                return Read(self._clocks.patience, slack=self._clocks.slack)
            case State.WAITING:
                return Wait(self._wait)
            case State.DRAINING:
                return Drain(self._drained.patience)
            case _:
                return Finish()
