"""`report` returns a `StreamReport`: what happened on a stream.

A program can ask for the report of a stream at any time, during the stream and after it, of a raw response,
and of the exception that ended the stream. A report holds lengths, names, ids and token numbers. Only
`StreamReport.partial` holds content; ``str``, ``repr``, pickles and ``model_dump()`` leave it out.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from pydantic import PrivateAttr

from resilient_stream._core.failures import Failure
from resilient_stream._core.record.ledger import Attempt, Record, Seam
from resilient_stream._core.turn.salvage import partial
from resilient_stream._core.turn.transcript import Turn
from resilient_stream._core.verdict import Limit

from .locate import record_of
from .parts import AttemptReport, FailureReport, Part, SeamReport
from .table import Table, summary
from .unprotected import Unprotected

Outcome = Literal["running", "completed", "finished_with_tools", "failed", "cancelled"]


class PartialTurn(TypedDict):
    """A message param of the SDK.

    The type is loose, so that it fits into the histories of ``messages`` and of ``beta.messages``, which have
    different types.
    """

    role: Literal["assistant"]
    content: Any
    """A list of blocks."""


class StreamReport(Part):
    """What happened on one stream."""

    outcome: Outcome
    resumed: bool
    """Whether content that was delivered comes from more than one attempt."""
    reason: str
    """Why no further attempt was made; empty if the stream did not fail."""
    limit: Limit | None = None
    """The limit of the policy that ended the stream; None if it ended for another reason."""
    ending: Literal["proved", "inferred"] | None = None
    """How it is known that the message is whole. "proved": a stop reason arrived after text or calls of the
    same attempt. "inferred": the last continuation brought only a repetition of the text's end, or nothing.
    None unless the outcome is "completed"."""
    attempts: list[AttemptReport]
    seams: list[SeamReport]
    serving_model: str | None
    """The model of the last attempt that brought events. After a fallback it differs from the message's."""
    abandoned: list[int]
    """Indices of content blocks that were cut off and never completed."""
    usage: dict[str, int]
    """Token numbers summed over all attempts, estimates included."""

    _turn: Turn | None = PrivateAttr(default=None)

    @property
    def partial(self) -> PartialTurn | None:
        """The message so far as a message param, always valid to send as history; None if there is none."""
        blocks = partial(self._turn) if self._turn is not None else []
        return PartialTurn(role="assistant", content=blocks) if blocks else None

    def __str__(self) -> str:
        """The outcome, and one row for each attempt; `repr` and `model_dump` have every field."""
        table = Table(self.attempts, self.seams, self.usage)
        return summary(self.outcome, self.reason, self.abandoned, table)

    def __getstate__(self) -> dict[Any, Any]:
        return {**super().__getstate__(), "__pydantic_private__": {"_turn": None}}


def report(source: object) -> StreamReport:
    """What happened on a stream.

    Args:
        source: a stream of the SDK, a raw or streaming response, an exception; or a response or an exception
            of httpx's or httpx2's.

    Raises:
        LookupError: ``source`` does not come from a resilient client.
    """
    kept = record_of(source)
    if isinstance(kept, Record):
        return _report(kept)
    if isinstance(kept, StreamReport):
        return kept
    if isinstance(kept, Unprotected):
        raise LookupError(  # noqa: TRY004 -- as below
            f"no report: this call was not protected, because {kept.reason}"
        )
    raise LookupError(
        f"no report on this {type(source).__name__}: should be a stream, a response or an exception of a "
        "client made with resilient_stream.resilient()"
    )


def pickled(record: Record) -> tuple[Any, ...]:
    """What a record is pickled as: its report, without content."""
    return StreamReport.model_validate, (_report(record).model_dump(),)


def _report(record: Record) -> StreamReport:
    ledger, turn = record.ledger, record.turn
    made = StreamReport(
        outcome=ledger.outcome or "running",  # type: ignore[arg-type]  # the ledger's words are these
        resumed=ledger.resumed,
        reason=ledger.reason,
        limit=ledger.limit,
        ending=("inferred" if ledger.attempts[-1].inferred else "proved")
        if ledger.outcome == "completed"
        else None,
        attempts=[_attempt(attempt, turn) for attempt in ledger.attempts],
        seams=[_seam(seam) for seam in ledger.seams],
        serving_model=next((one.model for one in reversed(ledger.attempts) if one.events), None),
        abandoned=list(turn.abandoned),
        usage=ledger.totals(),
    )
    made._turn = turn.snapshot()  # noqa: SLF001
    return made


def _attempt(attempt: Attempt, turn: Turn) -> AttemptReport:
    failure, runs = attempt.failure, attempt.ended is None
    return AttemptReport(
        number=attempt.number,
        kind=attempt.form,
        model=attempt.model,
        request_id=attempt.request_id,
        message_id=attempt.message_id,
        status=attempt.status,
        failure=None if failure is None else _failure(failure, attempt.said),
        events=attempt.events,
        characters=turn.characters - attempt.at if runs else attempt.characters,
        usage=attempt.usage,
        usage_source=attempt.usage_source,  # type: ignore[arg-type]  # the ledger's words are these
        estimated=list(attempt.estimated),
        wait=attempt.wait,
        queued=attempt.queued,
        duration=None if attempt.ended is None else attempt.ended - attempt.started,
    )


def _failure(failure: Failure, said: str) -> FailureReport:
    return FailureReport(
        kind=failure.kind,
        phase=failure.phase,
        in_band=failure.in_band,
        detail=failure.detail,
        retry_after=failure.retry_after,
        said=said,
    )


def _seam(seam: Seam) -> SeamReport:
    return SeamReport(
        attempt=seam.attempt,
        at=seam.at,
        joined=seam.joined,
        trimmed=seam.trimmed,
        supplied=seam.supplied,
        verified=seam.verified,
    )
