"""The metrics of streams for OpenTelemetry, and the sums on their spans.

Names and units follow section "Metrics" of ``docs/telemetry.md``. The API never reports how many tokens an
attempt had written when it was cut, so salvaged and wasted tokens are estimated from characters. Input that
was billed again is as reported. There are few attributes, and each takes few values.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from opentelemetry.metrics import Meter

from resilient_stream._core.failures import Kind
from resilient_stream._core.tokens import INPUT_FIELDS, of_characters
from resilient_stream._core.verdict import Limit

from .observers import AttemptRecord, EndRecord, FailureRecord, ResumeRecord

PREFIX: Final = "resilient_stream.client."

SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
"""Buckets of the conventions' own histograms of seconds."""

LONG: Final = (*SECONDS, 163.84, 327.68, 655.36)
"""The same for times that are longer than a call."""

TIMES: Final = (1, 2, 3, 4, 5, 10)
"""Buckets of counts, the same as gRPC's."""

_ADVISED: Final = (
    "explicit_bucket_boundaries_advisory" in inspect.signature(Meter.create_histogram).parameters
)
"""Older releases of the API accept no advice on buckets."""

Attributes = Mapping[str, str | int]


@dataclass(slots=True)
class Tally:
    """The sums over one stream."""

    resumes: int = 0
    """How many continuations brought content."""
    retries: int = 0
    """How many requests were sent again because no content had been delivered."""
    salvaged: int = 0
    """Output tokens, estimated, that did not have to be written again."""
    wasted: int = 0
    """Output tokens, estimated, that were written and discarded."""
    extra_input: int = 0
    """Input tokens of the attempts after the first one that reported any."""
    longest_gap: float = 0.0
    """Seconds of the longest read."""
    _first_input: bool = field(default=True)

    def begins(self, attempt: AttemptRecord) -> None:
        """Note the start of an attempt."""
        self.retries += attempt.number > 1 and attempt.offset == 0

    def resumes_by(self, resumed: ResumeRecord) -> None:
        """Note that a later attempt brings content."""
        if resumed.attempt.offset:
            self.resumes += 1
            self.salvaged = of_characters(resumed.attempt.offset)
        self.wasted += of_characters(resumed.trimmed)

    def ends(self, attempt: AttemptRecord) -> None:
        """Note the end of an attempt."""
        self.longest_gap = max(self.longest_gap, attempt.gap)
        told = set(INPUT_FIELDS).difference(attempt.estimated)
        billed = sum(attempt.usage.get(name, 0) for name in told)
        if billed and not self._first_input:
            self.extra_input += billed
        self._first_input = self._first_input and not billed
        if attempt.failure is not None and attempt.characters == 0:
            self.wasted += attempt.usage.get("output_tokens", 0)


class Instruments:
    """The metrics of one meter."""

    def __init__(self, meter: Meter) -> None:
        self._duration = _histogram(meter, "stream.duration", "s", "From the call to the end", LONG)
        self._resumes = _histogram(meter, "stream.resumes", "{resume}", "Continuations that came", TIMES)
        self._retries = _histogram(meter, "stream.retries", "{retry}", "Requests repeated", TIMES)
        self._delay = _histogram(meter, "stream.retry_delay", "s", "Waits before an attempt", SECONDS)
        self._queue = _histogram(meter, "stream.queue_delay", "s", "Waits for the stream's turn", SECONDS)
        self._recovery = _histogram(meter, "recovery.duration", "s", "Failure to first content", SECONDS)
        self._stall = _histogram(meter, "stall.duration", "s", "Silences that a timeout ended", LONG)
        self._faults = meter.create_counter(f"{PREFIX}faults", "{fault}", "Attempts that failed")
        self._limits = meter.create_counter(f"{PREFIX}limits", "{retry}", "Retries that a limit forbade")
        self._denied = meter.create_counter(f"{PREFIX}budget.denied", "{retry}", "Of these, by the budget")
        self._tokens = {
            name: meter.create_counter(f"{PREFIX}tokens.{name}", "{token}", description)
            for name, description in (
                ("salvaged", "Output that was not written again, estimated"),
                ("wasted", "Output that was thrown away, estimated"),
                ("extra_input", "Input of attempts after the first"),
            )
        }

    def fault(self, attempt: AttemptRecord, common: Attributes) -> None:
        """Note the failure of an attempt."""
        failure = cast("FailureRecord", attempt.failure)
        kind = {"resilient_stream.fault.kind": str(failure.kind)}
        self._faults.add(1, {**common, **kind, "resilient_stream.fault.phase": str(failure.phase)})
        if failure.kind in (Kind.SILENT, Kind.STALLED):
            self._stall.record(attempt.gap, {**common, **kind})

    def delay(self, seconds: float, common: Attributes, *, queued: bool = False) -> None:
        """Note the end of a wait: one for the stream's turn (``queued``), or another."""
        (self._queue if queued else self._delay).record(seconds, common)

    def recovery(self, seconds: float, common: Attributes) -> None:
        """Note that content arrives again."""
        self._recovery.record(seconds, common)

    def limited(self, limit: Limit, common: Attributes) -> None:
        """Note that a limit of the policy prevented another attempt."""
        self._limits.add(1, {**common, "resilient_stream.limit": str(limit)})
        if limit is Limit.BUDGET:
            self._denied.add(1, common)

    def end(self, end: EndRecord, tally: Tally, outcome: str, common: Attributes) -> None:
        """Note the end of a stream. Zeros are not recorded, so a stream without a fault costs one
        measurement."""
        self._duration.record(end.duration, {**common, "resilient_stream.outcome": outcome})
        if tally.resumes:
            self._resumes.record(tally.resumes, common)
        if tally.retries:
            self._retries.record(tally.retries, common)
        for name, counter in self._tokens.items():
            if amount := getattr(tally, name):
                counter.add(amount, common)


def _histogram(meter: Meter, name: str, unit: str, description: str, buckets: Sequence[float]) -> Any:
    advice: dict[str, Any] = {"explicit_bucket_boundaries_advisory": buckets} if _ADVISED else {}
    return meter.create_histogram(f"{PREFIX}{name}", unit, description, **advice)
