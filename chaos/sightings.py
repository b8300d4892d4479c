"""What must sometimes happen: a run without faults proves nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from resilient_stream.testing import Chain, Fault

from .faults import Rechunked
from .simulation import Run
from .strikes import CUTS
from .texts import TEXTS

FAULTS: Final = (
    *(f"Cut {how}" for how in CUTS),
    *("BadChunk", "Bom", "CutHead", "ErrorEvent", "Gzip", "HugeHead", "Informational", "Insert", "Labelled"),
    *("Late", "LineEndings", "Mangle", "Pings", "Raw", "Redirect", "Remove", "Repeat", "RetryAfter"),
    *("Slices", "Stall", "Status", "Trickle", "Unstreamed", "refused"),
)
KINDS: Final = (
    *("connect", "closed", "reset", "silent", "stalled", "truncated", "corrupt", "protocol"),
    *("overloaded", "rate_limited", "api_error", "timeout_error", "rejected"),
)
MUST: Final = (
    *(f"fault {name}" for name in FAULTS),
    *(f"failure {name}" for name in KINDS),
    *(f"form {name}" for name in ("first", "restart", "prefill", "user_turn")),
    *(f"outcome {name}" for name in ("completed", "finished_with_tools", "failed", "cancelled")),
    *(f"text {name}" for name in TEXTS),
    *(f"phase {name}" for name in ("connect", "headers", "body")),
    *("told in band", "seam verified", "untouched", "five attempts", "abandoned block"),
)
"""What must occur in a long run."""


def sightings(run: Run) -> Iterator[str]:
    """What occurred in a run."""
    told = run.seen.report
    yield f"outcome {told.outcome}"
    yield f"text {run.plan.text}"
    for received in run.received:
        yield from _struck(received.fault)
    if run.refused:
        yield "fault refused"
    for attempt in told.attempts:
        yield f"form {attempt.kind.value}"
        if attempt.failure is not None:
            yield f"failure {attempt.failure.kind.value}"
            yield f"phase {attempt.failure.phase.value}"
            if attempt.failure.in_band:
                yield "told in band"
    for seam in told.seams:
        yield f"seam {'verified' if seam.verified else 'unverified'}"
    if len(told.attempts) == 1 and told.outcome == "completed":
        yield "untouched"
    if len(told.attempts) >= 5:
        yield "five attempts"
    if told.abandoned:
        yield "abandoned block"


def _struck(fault: Fault | None) -> Iterator[str]:
    if isinstance(fault, Chain):
        for part in fault.faults:
            yield from _struck(part)
    elif fault is not None and not isinstance(fault, Rechunked):
        name = type(fault).__name__
        yield f"fault {name} {getattr(fault, 'how', '')}" if name == "Cut" else f"fault {name}"


def unseen(met: Counter[str]) -> list[str]:
    """What should have occurred and did not."""
    return [name for name in MUST if not met[name]]
