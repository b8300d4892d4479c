"""The record that is stored beside a stream's frames, as JSON, and how a stream is restored from both."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.progress import Progress, progress_of
from resilient_stream._core.plan.planner import Form
from resilient_stream._core.record.ledger import Attempt, Ledger, Record, Seam
from resilient_stream._core.seam.joined import Joined
from resilient_stream._core.turn.transcript import Turn
from resilient_stream._core.verdict import Limit
from resilient_stream._core.wire import events
from resilient_stream._core.wire.sse import Framer

VERSION: Final = 1

_NOT_KEPT: Final = ("body", "frame")
"""Parts of a failure that are not stored: what the API said, which may be content."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A record that was read. Times are seconds since the call."""

    began: float = 0.0
    """When the call was made: seconds since the epoch."""
    ledger: Ledger | None = None
    progress: Progress | None = None


def written(machine: Machine, began: float, wall: float) -> bytes:
    """The record of a stream as it is now.

    Args:
        machine: the stream's.
        began: when the call was made, by the machine's clock.
        wall: the same, in seconds since the epoch.
    """
    ledger = machine.ledger
    return json.dumps(
        {
            "version": VERSION,
            "began": wall,
            "attempts": [_attempt(attempt, began) for attempt in ledger.attempts],
            "seams": [seam._asdict() for seam in ledger.seams],
            "outcome": ledger.outcome,
            "reason": ledger.reason,
            "limit": ledger.limit,
            "progress": asdict(progress_of(machine)),
        },
        separators=(",", ":"),
    ).encode()


def read(state: bytes) -> Kept:
    """The record that `written` has made; for empty bytes, that of a stream that has none."""
    if not state:
        return Kept()
    told: dict[str, Any] = json.loads(state)
    ledger = Ledger(
        attempts=[_attempt_of(attempt) for attempt in told["attempts"]],
        seams=[_seam_of(seam) for seam in told["seams"]],
        outcome=told["outcome"],
        reason=told["reason"],
        limit=None if told["limit"] is None else Limit(told["limit"]),
    )
    given = {field.name: told["progress"][field.name] for field in fields(Progress)}
    for name in ("barren_endings", "abandoned", "unseen"):
        given[name] = tuple(given[name])
    return Kept(told["began"], ledger, Progress(**given))


def fold(turn: Turn, frames: Iterable[bytes]) -> None:
    """Apply the delivered frames to ``turn``, so that it is what the consumer has."""
    for frame in frames:
        turn.apply(events.read(frame))


def refill(record: Record, kept: Kept, frames: Iterable[bytes], *, began: float, goes_on: bool) -> None:
    """Fill a record with that of the stored stream.

    Args:
        record: of a stream that has not begun.
        kept: its record.
        frames: what was delivered.
        began: when the call was made, by the clock of this process.
        goes_on: the stream continues, however it ended before.
    """
    fold(record.turn, frames)
    if kept.ledger is None:
        return
    for attempt in kept.ledger.attempts:
        attempt.started += began
        attempt.ended = None if attempt.ended is None else attempt.ended + began
    ledger = record.ledger
    for field in fields(Ledger):
        setattr(ledger, field.name, getattr(kept.ledger, field.name))
    if goes_on:
        ledger.outcome, ledger.reason, ledger.limit = None, "", None


def cut(out: bytes) -> list[bytes]:
    """The frames in bytes that are delivered at once. A rest that is not a whole frame counts as one."""
    framer = Framer()
    frames = framer.feed(out)
    rest = framer.drop()
    return [*frames, rest] if rest else frames


def _attempt(attempt: Attempt, began: float) -> dict[str, Any]:
    told = {field.name: getattr(attempt, field.name) for field in fields(Attempt)}
    told["started"] = attempt.started - began
    told["ended"] = None if attempt.ended is None else attempt.ended - began
    told["failure"] = None if attempt.failure is None else _failure(attempt.failure)
    return told


def _failure(failure: Failure) -> dict[str, Any]:
    names = (field.name for field in fields(Failure))
    return {name: getattr(failure, name) for name in names if name not in _NOT_KEPT}


def _seam_of(told: dict[str, Any]) -> Seam:
    told["joined"] = Joined(told["joined"])
    return Seam(**told)


def _attempt_of(told: dict[str, Any]) -> Attempt:
    failure: dict[str, Any] | None = told["failure"]
    if failure is not None:
        failure["kind"], failure["phase"] = Kind(failure["kind"]), Phase(failure["phase"])
        told["failure"] = Failure(**failure)
    told["form"], told["estimated"] = Form(told["form"]), tuple(told["estimated"])
    return Attempt(**told)
