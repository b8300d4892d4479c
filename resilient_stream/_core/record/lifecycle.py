"""Notes about a running stream, for its observers.

The machine writes the notes, and the driver passes them to the observers, in order. A note is a word and a
frozen record of plain values: numbers, names and ids, never text of the request or the reply, and never a
key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.plan.planner import Form
from resilient_stream._core.seam.joined import Join, Joined
from resilient_stream._core.tokens import is_count
from resilient_stream._core.turn.transcript import Turn
from resilient_stream._core.verdict import AT_ONCE, QUEUE, Limit, Retry
from resilient_stream._core.wire.safe_json import identifier

from .ledger import Attempt, Ledger


class What(StrEnum):
    """What a note is about."""

    ATTEMPT = "attempt"
    CONTENT = "content"
    FAILURE = "failure"
    WAIT = "wait"
    WAITED = "waited"
    RESUME = "resume"
    GIVE_UP = "give_up"
    END = "end"


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """Why an attempt failed."""

    kind: Kind
    phase: Phase
    in_band: bool
    """Reported by the API inside a body that had begun with status 200."""
    detail: str
    """A technical word: an exception's class, an ``error.type``."""
    status: int | None
    """The HTTP status it came with, if any."""
    retry_after: float | None
    """Seconds the server asked to wait; None if it sent no usable value."""


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One request of a stream, as far as it has gone. Times are seconds since the call."""

    number: int
    """1 for the first."""
    form: Form
    """What it is: the ``first`` request, a ``restart``, a ``prefill`` or a ``user_turn``."""
    model: str
    offset: int
    """Characters of visible text that the consumer had before it."""
    at: float
    """When this record was made."""
    started: float
    ended: float | None
    wait: float
    """Seconds waited before it."""
    queued: float
    """The part of ``wait`` in which the stream waited for its turn."""
    status: int | None
    request_id: str | None
    message_id: str | None
    events: int
    """Events received, pings apart; counted when the attempt is over."""
    characters: int
    """Characters of visible text that were delivered; counted when the attempt is over."""
    gap: float
    """Seconds of its longest read, or of a stall; counted when the attempt is over."""
    failure: FailureRecord | None
    usage: Mapping[str, int]
    """Token numbers, by the API's names."""
    usage_source: str
    """reported | estimated | unknown."""
    estimated: tuple[str, ...]
    """The numbers of ``usage`` that the API did not report."""


@dataclass(frozen=True, slots=True)
class WaitRecord:
    """A wait before the next attempt."""

    seconds: float
    """The planned length of the wait. For a wait for the stream's turn: the time until it asks again, and the
    length of the wait once it is over."""
    source: str
    """The rule that chose it: ``backoff``, ``retry-after``, ``wait`` for the policy's own strategy, or
    ``queue``: the retry budget is spent, and the stream waits for its turn."""
    balance: float | None
    """Units that the retry budget had left; None without one."""


@dataclass(frozen=True, slots=True)
class ResumeRecord:
    """A later attempt has replaced one that failed, and brings content."""

    attempt: AttemptRecord
    recovery: float
    """Seconds from the failure (of several in a row, the first) until content flowed again."""
    joined: Joined | None
    """How its text was joined to the text before it; None if there was no text."""
    trimmed: int
    """Characters that were cut because they had been delivered before."""
    verified: bool | None
    """Whether the place of the text was proved; None if nothing was joined."""


@dataclass(frozen=True, slots=True)
class GiveUpRecord:
    """Nothing more will be tried."""

    attempt: AttemptRecord
    """The last attempt."""
    failure: FailureRecord
    """The failure that is raised."""
    reason: str
    """Why nothing more is tried, as a sentence."""
    limit: Limit | None
    """The limit of the policy that forbade a retry; None if something else did."""
    error: str
    """The class of the exception that is raised."""


@dataclass(frozen=True, slots=True)
class EndRecord:
    """The stream is over."""

    outcome: str
    """completed | finished_with_tools | failed | cancelled."""
    attempt: AttemptRecord
    """The last attempt."""
    failure: FailureRecord | None
    """The failure that ended the stream. None if it did not fail, or if code outside of the library raised an
    exception."""
    error: str
    """The class of the exception that ended it; empty if none did."""
    duration: float
    """Seconds since the call."""
    attempts: int
    resumed: bool
    """Whether the delivered content comes from more than one attempt."""
    characters: int
    """Characters of visible text that were delivered."""
    message_id: str | None
    """The id that the consumer sees."""
    stop_reason: str | None
    usage: Mapping[str, int]
    """Token numbers summed over all attempts, estimates included."""


AnyRecord = AttemptRecord | WaitRecord | ResumeRecord | GiveUpRecord | EndRecord
Note = tuple[What, AnyRecord]


@dataclass(slots=True)
class Lifecycle:
    """The notes of one stream. Its times are the machine's."""

    began: float = 0.0
    flowing: bool = False
    """Whether the current attempt has brought content."""
    notes: list[Note] = field(default_factory=list)
    """The notes that were not taken yet."""
    _offset: int = 0
    _broken: float | None = None
    _verdict: Retry = AT_ONCE

    def take(self) -> list[Note]:
        """Return the notes so far, and forget them."""
        notes, self.notes = self.notes, []
        return notes

    def begins(self, attempt: Attempt, offset: int) -> None:
        """Note that an attempt begins. The consumer has ``offset`` characters."""
        if attempt.number == 1:
            self.began = attempt.started
        self._waited()
        self.flowing, self._offset = False, offset
        self._note(What.ATTEMPT, self._attempt(attempt, attempt.started))

    def flows(self, now: float, attempt: Attempt, join: Join | None) -> None:
        """Note that an attempt has brought content, or the end of the message."""
        if self.flowing:
            return
        self.flowing, record = True, self._attempt(attempt, now)
        self._note(What.CONTENT, record)
        if self._broken is not None:
            recovery, self._broken = now - self._broken, None
            how, cut = (None, 0) if join is None else (join.how, join.cut - join.kept)
            verified = None if join is None else join.verified
            self._note(What.RESUME, ResumeRecord(record, recovery, how, cut, verified))

    def fails(self, now: float, attempt: Attempt) -> None:
        """Note that an attempt has failed. Its record is complete."""
        if self._broken is None:
            self._broken = now
        self._note(What.FAILURE, self._attempt(attempt, now))

    def waits(self, verdict: Retry) -> None:
        """Note that a wait begins, unless it has no length."""
        if verdict.source == self._verdict.source == QUEUE:  # the same wait goes on
            self._verdict = verdict._replace(wait=self._verdict.wait + verdict.wait)
            return
        self._waited()
        self._verdict = verdict
        if verdict.wait > 0:
            self._note(What.WAIT, self._wait())

    def ends(self, now: float, ledger: Ledger, turn: Turn, failure: Failure | None, error: str) -> None:
        """Note the end of the stream. If it failed, ``failure`` is raised as an ``error``.

        Without a failure, an exception of that class passed through that does not belong to the stream.
        """
        if not ledger.attempts:
            return  # nothing had begun
        failed = ledger.outcome == "failed"
        attempt = self._attempt(ledger.attempts[-1], now)
        told = _failure(failure) if failed and failure is not None else None
        if told is not None:
            self._waited()
            self._note(What.GIVE_UP, GiveUpRecord(attempt, told, ledger.reason, ledger.limit, error))
        self._note(
            What.END,
            EndRecord(
                outcome=str(ledger.outcome),
                attempt=attempt,
                failure=told,
                error=error if failed else "",
                duration=now - self.began,
                attempts=len(ledger.attempts),
                resumed=ledger.resumed,
                characters=turn.characters,
                message_id=identifier((turn.message or {}).get("id")),
                stop_reason=identifier(turn.stop_reason),
                usage=MappingProxyType(ledger.totals()),
            ),
        )

    def _note(self, what: What, record: AnyRecord) -> None:
        self.notes.append((what, record))

    def _waited(self) -> None:
        """Note the end of a wait, if there was one."""
        if self._verdict.wait > 0:
            self._note(What.WAITED, self._wait())
        self._verdict = AT_ONCE

    def _wait(self) -> WaitRecord:
        return WaitRecord(self._verdict.wait, self._verdict.source, self._verdict.balance)

    def _attempt(self, attempt: Attempt, now: float) -> AttemptRecord:
        numbers = {name: value for name, value in attempt.usage.items() if is_count(value)}
        return AttemptRecord(
            number=attempt.number,
            form=attempt.form,
            model=attempt.model,
            offset=self._offset,
            at=now - self.began,
            started=attempt.started - self.began,
            ended=None if attempt.ended is None else attempt.ended - self.began,
            wait=attempt.wait,
            queued=attempt.queued,
            status=attempt.status,
            request_id=attempt.request_id,
            message_id=attempt.message_id,
            events=attempt.events,
            characters=attempt.characters,
            gap=attempt.gap,
            failure=None if attempt.failure is None else _failure(attempt.failure),
            usage=MappingProxyType(numbers),
            usage_source=attempt.usage_source,
            estimated=attempt.estimated,
        )


def _failure(failure: Failure) -> FailureRecord:
    return FailureRecord(
        kind=failure.kind,
        phase=failure.phase,
        in_band=failure.in_band,
        detail=failure.detail,
        status=failure.status,
        retry_after=failure.retry_after,
    )
