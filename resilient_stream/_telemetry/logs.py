"""The observers of every stream: the log, the telemetry, and the policy's own observers.

The logger is ``resilient_stream``. The library adds no handler to it. Records that a person should look at
have the level WARNING, others INFO. The fields of a record are in ``extra``, under the names that spans use:
numbers and words, no content and no keys.
"""

from __future__ import annotations

import logging
from typing import Any, Final, cast

from resilient_stream._core.interruption import interrupts
from resilient_stream._core.verdict import QUEUE

from .attributes import SCOPE, of_answer, of_attempt, of_budget, of_fault, of_giving_up, of_resumption
from .observers import (
    AttemptRecord,
    FailureRecord,
    GiveUpRecord,
    Observer,
    ResumeRecord,
    StreamRecord,
    WaitRecord,
)

log: Final = logging.getLogger("resilient_stream")
log.addHandler(logging.NullHandler())  # or logging prints warnings where nobody has configured it


class Logs(Observer):
    """One record for each failure, wait for a turn, resumption and giving up."""

    def on_failure(self, stream: StreamRecord, attempt: AttemptRecord) -> None:
        """INFO. The next record or an exception says what follows."""
        failure = cast("FailureRecord", attempt.failure)
        extra = {**_fields(stream, attempt), **of_fault(failure)}
        log.info("attempt %d failed: %s", attempt.number, failure.kind, extra=extra)

    def on_wait(self, stream: StreamRecord, wait: WaitRecord) -> None:
        """INFO for a wait for a turn. A backoff has no record of its own: the failure before it has one."""
        if wait.source == QUEUE:
            extra = {f"{SCOPE}.stream": stream.id, **of_budget(wait)}
            log.info("waiting for a turn: the retry budget is spent", extra=extra)

    def on_resume(self, stream: StreamRecord, resumed: ResumeRecord) -> None:
        """INFO, because a continuation is billed; WARNING if the seam could not be verified."""
        attempt = resumed.attempt
        extra = {**_fields(stream, attempt), **of_resumption(resumed)}
        unverified = resumed.verified is False
        log.log(
            logging.WARNING if unverified else logging.INFO,
            "resumed by attempt %d (%s) after %.1f s%s",
            attempt.number,
            attempt.form,
            resumed.recovery,
            "; the seam could not be verified" if unverified else "",
            extra=extra,
        )

    def on_give_up(self, stream: StreamRecord, gave_up: GiveUpRecord) -> None:
        """WARNING. The failure will be raised."""
        extra = {**_fields(stream, gave_up.attempt), **of_fault(gave_up.failure), **of_giving_up(gave_up)}
        count = gave_up.attempt.number
        log.warning(
            "gave up after %d attempt%s (%s): %s; see %s",
            count,
            "s" * (count != 1),
            gave_up.failure.kind,
            gave_up.reason,
            gave_up.failure.kind.page,
            extra=extra,
        )


LOGS: Final = Logs()


def watchers(own: tuple[Observer, ...], *, telemetry_on: bool) -> tuple[Observer, ...]:
    """All observers of a stream that begins now: the log, the global telemetry if a provider is set by now,
    and the policy's own.

    Args:
        own: the policy's observers. If a `Telemetry` is among them, it replaces the global one.
        telemetry_on: whether the policy wants telemetry.
    """
    if not telemetry_on:
        return (LOGS, *own)
    from .tracing import (  # OpenTelemetry takes a while to import: the first stream waits for it
        Telemetry,
        is_configured,
        telemetry,
    )

    if any(isinstance(observer, Telemetry) for observer in own):
        return (LOGS, *own)
    try:
        return (LOGS, telemetry(), *own) if is_configured() else (LOGS, *own)
    except Exception as error:  # a provider of the program that returns no tracer
        if interrupts(error):
            raise
        return (LOGS, *own)


def _fields(stream: StreamRecord, attempt: AttemptRecord) -> dict[str, Any]:
    return {f"{SCOPE}.stream": stream.id, **of_attempt(attempt), **of_answer(attempt)}
