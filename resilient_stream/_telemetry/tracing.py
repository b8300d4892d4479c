"""OpenTelemetry: one trace for each stream, whatever happened to it, and metrics.

The tree is::

    chat {model}                    CLIENT    from the call to the end of the stream
    |- resilient_stream.attempt     INTERNAL  one for each request, linked to the one it continues or retries
    |- resilient_stream.backoff     INTERNAL  one for each wait
    `- resilient_stream.attempt

A stream that was resumed has not failed. Giving up is an error; being left is neither. Spans end with
the stream, however it ends, not with the call. The SDK's own span, where it is on, stands above: it then
tells the tokens, ``gen_ai.usage.*``, which otherwise the span of the stream does. An attempt is the
current span while its request is sent, so that instrumentation of the HTTP client stands below it, and
never while the consumer runs.

Only OpenTelemetry's API is needed. Where no SDK is configured, nothing is recorded. No content is ever
recorded here: for prompts and replies on spans there is the SDK's own ``content_mode``. The names of
attributes are this module's own constants: the conventions for generative AI still move.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from opentelemetry import context, metrics, trace
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TracerProvider

from resilient_stream._core.failures import Kind
from resilient_stream._core.tokens import INPUT_FIELDS
from resilient_stream._core.verdict import QUEUE

from .attributes import (
    ATTEMPT,
    SCOPE,
    given,
    of_answer,
    of_attempt,
    of_budget,
    of_fault,
    of_giving_up,
    of_resumption,
    outcome_of,
)
from .instruments import Instruments, Tally
from .observers import (
    AttemptRecord,
    EndRecord,
    GiveUpRecord,
    Observer,
    ResumeRecord,
    StreamRecord,
    WaitRecord,
)

__all__ = ["Telemetry", "telemetry"]

BACKOFF: Final = f"{SCOPE}.backoff"
QUEUE_SPAN: Final = f"{SCOPE}.queue"
OPERATION: Final = "chat"

SDK_SCOPE: Final = "com.anthropic.sdk.python"
"""The name of the SDK's tracer. Clients of platforms have the platform's name behind it."""

API: Final = ("opentelemetry.trace", "opentelemetry.metrics")
"""The packages of the providers that are there until a program sets its own."""

SOURCES: Final = {"backoff": "exponential", "wait": "policy"}


@dataclass(slots=True)
class _Open:
    """The spans of a running stream."""

    context: Context
    """The context in which the call was made."""
    span: Span
    counted: bool
    """The parent is the SDK's own span of this call, which has the token numbers."""
    attempt: Span = trace.INVALID_SPAN
    wait: Span = trace.INVALID_SPAN
    before: SpanContext | None = None
    """The attempt before."""
    first: bool = True
    tally: Tally = field(default_factory=Tally)


class Telemetry(Observer):
    """Spans and metrics of streams. A policy with ``telemetry=True`` uses one with the global providers. To
    use other providers, add one to the policy's ``observers``; it replaces the default one.

    Args:
        tracer_provider: where spans go; None for the global provider. An
            ``opentelemetry.trace.NoOpTracerProvider()`` leaves spans out.
        meter_provider: where metrics go; None for the global provider, as above.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._tracer = trace.get_tracer(SCOPE, tracer_provider=tracer_provider)
        self._instruments = Instruments(metrics.get_meter(SCOPE, meter_provider=meter_provider))
        self._streams: dict[int, _Open] = {}

    def on_stream(self, stream: StreamRecord) -> None:
        """Start the span of the stream."""
        here = context.get_current()
        attributes = {
            "gen_ai.operation.name": OPERATION,
            "gen_ai.request.model": stream.model,
            "gen_ai.request.stream": True,
            **_server(stream),
        }
        span = self._tracer.start_span(
            f"{OPERATION} {stream.model}", here, SpanKind.CLIENT, attributes=attributes
        )
        self._streams[stream.id] = _Open(here, span, _counted(trace.get_current_span(here)))

    def on_attempt(self, stream: StreamRecord, attempt: AttemptRecord) -> None:
        """Start the span of an attempt."""
        known = self._streams[stream.id]
        known.tally.begins(attempt)
        attributes = of_attempt(attempt)
        if attempt.number > 1:
            attributes["http.request.resend_count"] = attempt.number - 1
        link = "continues" if attributes[f"{ATTEMPT}.kind"] == "continuation" else "retries"
        links = [] if known.before is None else [Link(known.before, {f"{SCOPE}.link.type": link})]
        known.attempt = self._start(known, ATTEMPT, attributes, links)
        known.before = known.attempt.get_span_context()

    def around_request(self, stream: StreamRecord) -> AbstractContextManager[object] | None:
        """Make the attempt's span the current one."""
        known = self._streams[stream.id]
        return _current(known) if known.attempt.get_span_context().is_valid else None

    def on_content(self, stream: StreamRecord, attempt: AttemptRecord) -> None:
        """Note how long the first content took."""
        known = self._streams[stream.id]
        if known.first:
            known.first = False
            known.span.set_attribute("gen_ai.response.time_to_first_chunk", attempt.at)

    def on_failure(self, stream: StreamRecord, attempt: AttemptRecord) -> None:
        """End the span of the attempt."""
        known = self._streams[stream.id]
        with ExitStack() as left:  # if one part of an SDK raises, the others must still end
            left.callback(self._instruments.fault, attempt, self._common(stream))
            self._end_attempt(known, attempt)

    def on_wait(self, stream: StreamRecord, wait: WaitRecord) -> None:
        """Start the span of a wait. A wait for the stream's turn has a different name than a backoff."""
        known = self._streams[stream.id]
        attributes: dict[str, str | float] = of_budget(wait)
        if wait.source == QUEUE:
            known.wait = self._start(known, QUEUE_SPAN, attributes)
            return
        attributes[f"{BACKOFF}.delay"] = wait.seconds
        attributes[f"{BACKOFF}.source"] = SOURCES.get(wait.source, wait.source)
        known.wait = self._start(known, BACKOFF, attributes)

    def on_waited(self, stream: StreamRecord, wait: WaitRecord) -> None:
        """End the span of the wait."""
        known = self._streams[stream.id]
        queued = wait.source == QUEUE
        if queued:
            known.wait.set_attribute(f"{QUEUE_SPAN}.delay", wait.seconds)
        known.wait.end()
        known.wait = trace.INVALID_SPAN
        self._instruments.delay(wait.seconds, self._common(stream), queued=queued)

    def on_resume(self, stream: StreamRecord, resumed: ResumeRecord) -> None:
        """Note how the attempt was joined."""
        known = self._streams[stream.id]
        known.tally.resumes_by(resumed)
        self._instruments.recovery(resumed.recovery, self._common(stream))
        known.attempt.set_attributes(of_resumption(resumed))

    def on_give_up(self, stream: StreamRecord, gave_up: GiveUpRecord) -> None:
        """Note that the stream has failed."""
        known = self._streams[stream.id]
        known.span.set_status(Status(StatusCode.ERROR, gave_up.reason))
        known.span.set_attributes(of_giving_up(gave_up))
        if gave_up.limit is not None:
            self._instruments.limited(gave_up.limit, self._common(stream))

    def on_end(self, stream: StreamRecord, end: EndRecord) -> None:
        """End the spans that are open."""
        known = self._streams.pop(stream.id)
        outcome = _outcome(end, known.tally)
        with ExitStack() as left:  # as `on_failure`; the last is called first
            left.callback(self._instruments.end, end, known.tally, outcome, self._common(stream))
            left.callback(known.span.end)
            left.callback(self._tell_end, known, stream, end, outcome)
            if end.attempt.failure is None or end.attempt.failure.kind is Kind.CANCELLED:
                left.callback(self._end_attempt, known, end.attempt)
            known.wait.end()

    def _tell_end(self, known: _Open, stream: StreamRecord, end: EndRecord, outcome: str) -> None:
        span, tally = known.span, known.tally
        span.set_attributes(_totals(end, tally, outcome))
        span.set_attributes(_server(stream))
        if not known.counted:
            span.set_attributes(_usage(end.attempt))
        if end.outcome == "failed":
            span.set_attribute("error.type", str(end.failure.kind) if end.failure else end.error)
            if end.failure is None:
                span.set_status(Status(StatusCode.ERROR))

    def _common(self, stream: StreamRecord) -> dict[str, str | int]:
        """The attributes of every metric."""
        found = {"gen_ai.provider.name": stream.provider, "gen_ai.request.model": stream.model}
        return found | given({"server.address": stream.server_address})

    def _start(self, known: _Open, name: str, attributes: Mapping[str, Any], links: Any = ()) -> Span:
        within = trace.set_span_in_context(known.span, known.context)
        return self._tracer.start_span(name, within, SpanKind.INTERNAL, attributes=attributes, links=links)

    def _end_attempt(self, known: _Open, attempt: AttemptRecord) -> None:
        known.tally.ends(attempt)
        span, failure = known.attempt, attempt.failure
        span.set_attributes(_told(attempt))
        if failure is not None and failure.kind is not Kind.CANCELLED:
            span.set_attributes(of_fault(failure))
            span.set_status(Status(StatusCode.ERROR))
        span.end()


@cache
def telemetry() -> Telemetry:
    """The instance that uses the global providers, whenever they are set."""
    return Telemetry()


def is_configured() -> bool:
    """Whether the program has set a global provider. Those of the API itself record nothing."""
    providers = trace.get_tracer_provider(), metrics.get_meter_provider()
    return not all(type(each).__module__.startswith(API) for each in providers)


@contextmanager
def _current(known: _Open) -> Generator[None]:
    token = context.attach(trace.set_span_in_context(known.attempt, known.context))
    try:
        yield
    finally:
        context.detach(token)


def _counted(span: Span) -> bool:
    """Whether a span is the SDK's own of a call for a message, which has the token numbers. Other spans may
    be about a chat too, and have none, so only the SDK's tracer counts."""
    maker = getattr(getattr(span, "instrumentation_scope", None), "name", None) or ""
    attributes: Mapping[str, Any] = getattr(span, "attributes", None) or {}
    of_sdk = maker == SDK_SCOPE or maker.startswith(f"{SDK_SCOPE}.")
    return of_sdk and attributes.get("gen_ai.operation.name") == OPERATION


def _server(stream: StreamRecord) -> dict[str, Any]:
    """The attributes of the server, as far as they are known."""
    return given(
        {
            "gen_ai.provider.name": stream.provider,
            "server.address": stream.server_address,
            "server.port": stream.server_port,
        }
    )


def _outcome(end: EndRecord, tally: Tally) -> str:
    match end.outcome:
        case "completed" if end.resumed:
            return "resumed"
        case "completed":
            return "retried" if tally.retries else "clean"
        case "failed" if end.failure is not None:
            return "gave_up"
        case other:
            return other


def _totals(end: EndRecord, tally: Tally, outcome: str) -> dict[str, Any]:
    """The attributes that the span of the stream gets at its end."""
    reason = "error" if end.outcome == "failed" else end.stop_reason
    optional = {
        "gen_ai.response.id": end.message_id,
        "gen_ai.response.finish_reasons": reason and [reason],
        f"{SCOPE}.tokens.salvaged": tally.salvaged,
        f"{SCOPE}.tokens.wasted": tally.wasted,
        f"{SCOPE}.tokens.extra_input": tally.extra_input,
        f"{SCOPE}.tokens.estimated": bool(tally.salvaged or tally.wasted),
    }
    return {
        f"{SCOPE}.outcome": outcome,
        f"{SCOPE}.attempts": end.attempts,
        f"{SCOPE}.resumes": tally.resumes,
        f"{SCOPE}.chars": end.characters,
        f"{SCOPE}.longest_gap": tally.longest_gap,
        **{name: value for name, value in optional.items() if value},
    }


def _told(attempt: AttemptRecord) -> dict[str, Any]:
    """The attributes that the span of an attempt gets at its end."""
    return {
        f"{ATTEMPT}.outcome": outcome_of(attempt),
        f"{ATTEMPT}.events": attempt.events,
        f"{ATTEMPT}.chars": attempt.characters,
        **of_answer(attempt),
    }


def _usage(attempt: AttemptRecord) -> dict[str, int]:
    """The token numbers of the serving attempt, by the names of the SDK's own span. Estimates are left
    out."""
    usage = {name: value for name, value in attempt.usage.items() if name not in attempt.estimated}
    told = [usage[name] for name in INPUT_FIELDS if name in usage]
    return given(
        {
            "gen_ai.usage.input_tokens": sum(told) if told else None,
            "gen_ai.usage.cache_write.input_tokens": usage.get("cache_creation_input_tokens"),
            "gen_ai.usage.cache_read.input_tokens": usage.get("cache_read_input_tokens"),
            "gen_ai.usage.output_tokens": usage.get("output_tokens"),
        }
    )
