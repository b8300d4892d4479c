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
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from opentelemetry import context, metrics, trace
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TracerProvider

from ._core.continuation import Form
from ._core.failures import Kind, Phase
from ._core.ledger import INPUT_FIELDS
from ._measures import Instruments, Tally
from .observe import (
    AttemptRecord,
    EndRecord,
    GiveUpRecord,
    Observer,
    ResumeRecord,
    StreamRecord,
    WaitRecord,
)

__all__ = ["Telemetry", "telemetry"]

SCOPE: Final = "resilient_stream"
ATTEMPT: Final = f"{SCOPE}.attempt"
BACKOFF: Final = f"{SCOPE}.backoff"
OPERATION: Final = "chat"

PROVIDERS: Final = {"aiplatform.googleapis.com": "gcp.vertex_ai", "amazonaws.com": "aws.bedrock"}
"""Ends of host names to the conventions' names of providers; any other host is Anthropic's."""

INHERITED: Final = ("gen_ai.provider.name", "server.address", "server.port")
"""What a span above knows at the start; without one it is known with the first response."""

KINDS: Final = {Form.FIRST: "initial", Form.RESTART: "retry"}
SOURCES: Final = {"backoff": "exponential", "wait": "policy"}


@dataclass(slots=True)
class _Open:
    """The spans of a stream that runs."""

    context: Context
    """Where the call was made."""
    span: Span
    above: Mapping[str, Any]
    """The attributes of a span above that is about the same call."""
    attempt: Span = trace.INVALID_SPAN
    wait: Span = trace.INVALID_SPAN
    before: SpanContext | None = None
    """The attempt before."""
    first: bool = True
    tally: Tally = field(default_factory=Tally)


class Telemetry(Observer):
    """Spans and metrics of streams. One is at work for every policy with ``telemetry=True``, with the
    global providers; give another among the policy's ``observers`` to have it instead.

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
        above = _same_call(trace.get_current_span(here))
        attributes = {
            "gen_ai.operation.name": OPERATION,
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": stream.model,
            "gen_ai.request.stream": True,
            **{name: above[name] for name in INHERITED if name in above},
        }
        span = self._tracer.start_span(
            f"{OPERATION} {stream.model}", here, SpanKind.CLIENT, attributes=attributes
        )
        self._streams[stream.id] = _Open(here, span, above)

    def on_attempt(self, stream: StreamRecord, attempt: AttemptRecord) -> None:
        """Start the span of an attempt."""
        known = self._streams[stream.id]
        known.tally.begins(attempt)
        kind = KINDS.get(attempt.form, "continuation")
        attributes: dict[str, str | int] = {
            f"{ATTEMPT}.number": attempt.number,
            f"{ATTEMPT}.kind": kind,
            f"{ATTEMPT}.offset": attempt.offset,
            f"{ATTEMPT}.model": attempt.model,
        }
        if kind == "continuation":
            attributes[f"{SCOPE}.continuation.method"] = str(attempt.form)
        if attempt.number > 1:
            attributes["http.request.resend_count"] = attempt.number - 1
        link = "continues" if kind == "continuation" else "retries"
        links = [] if known.before is None else [Link(known.before, {f"{SCOPE}.link.type": link})]
        known.attempt = self._start(known, ATTEMPT, attributes, links)
        known.before = known.attempt.get_span_context()

    def around_request(self, stream: StreamRecord) -> AbstractContextManager[object] | None:
        """The attempt is the current span."""
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
        self._instruments.fault(attempt, _common(stream))
        self._end_attempt(known, attempt)

    def on_wait(self, stream: StreamRecord, wait: WaitRecord) -> None:
        """Start the span of a wait."""
        known = self._streams[stream.id]
        attributes: dict[str, str | float] = {
            f"{BACKOFF}.delay": wait.seconds,
            f"{BACKOFF}.source": SOURCES.get(wait.source, wait.source),
        }
        if wait.balance is not None:
            attributes[f"{SCOPE}.budget.remaining"] = wait.balance
        known.wait = self._start(known, BACKOFF, attributes)

    def on_waited(self, stream: StreamRecord, wait: WaitRecord) -> None:
        """End the span of the wait."""
        known = self._streams[stream.id]
        known.wait.end()
        known.wait = trace.INVALID_SPAN
        self._instruments.delay(wait.seconds, _common(stream))

    def on_resume(self, stream: StreamRecord, resumed: ResumeRecord) -> None:
        """Note how the attempt was joined."""
        known = self._streams[stream.id]
        known.tally.resumes_by(resumed)
        self._instruments.recovery(resumed.recovery, _common(stream))
        if resumed.joined is not None:
            known.attempt.set_attribute(f"{SCOPE}.seam.joined", str(resumed.joined))
            known.attempt.set_attribute(f"{SCOPE}.seam.verified", bool(resumed.verified))
            known.attempt.set_attribute(f"{SCOPE}.overlap.trimmed", resumed.trimmed)

    def on_give_up(self, stream: StreamRecord, gave_up: GiveUpRecord) -> None:
        """The stream has failed."""
        known = self._streams[stream.id]
        known.span.set_status(Status(StatusCode.ERROR, gave_up.reason))
        if gave_up.limit is not None:
            known.span.set_attribute(f"{SCOPE}.limit", str(gave_up.limit))
            self._instruments.limited(gave_up.limit, _common(stream))

    def on_end(self, stream: StreamRecord, end: EndRecord) -> None:
        """End what is open."""
        known = self._streams.pop(stream.id)
        known.wait.end()
        if end.attempt.failure is None or end.attempt.failure.kind is Kind.CANCELLED:
            self._end_attempt(known, end.attempt)
        outcome = _outcome(end, known.tally)
        span, tally = known.span, known.tally
        span.set_attributes(_totals(end, tally, outcome))
        span.set_attributes(_server(stream))
        if "gen_ai.operation.name" not in known.above:
            span.set_attributes(_usage(end.attempt))
        if end.outcome == "failed":
            span.set_attribute("error.type", str(end.failure.kind) if end.failure else end.error)
            if end.failure is None:
                span.set_status(Status(StatusCode.ERROR))
        span.end()
        self._instruments.end(end, tally, outcome, _common(stream))

    def _start(self, known: _Open, name: str, attributes: Mapping[str, Any], links: Any = ()) -> Span:
        within = trace.set_span_in_context(known.span, known.context)
        return self._tracer.start_span(name, within, SpanKind.INTERNAL, attributes=attributes, links=links)

    def _end_attempt(self, known: _Open, attempt: AttemptRecord) -> None:
        known.tally.ends(attempt)
        span, failure = known.attempt, attempt.failure
        span.set_attributes(_told(attempt))
        if failure is not None and failure.kind is not Kind.CANCELLED:
            span.set_attribute(f"{SCOPE}.fault.kind", str(failure.kind))
            span.set_attribute(f"{SCOPE}.fault.phase", str(failure.phase))
            span.set_attribute("error.type", str(failure.kind))
            span.set_status(Status(StatusCode.ERROR))
        span.end()


@cache
def telemetry() -> Telemetry:
    """The one that speaks to the global providers, whenever those are set."""
    return Telemetry()


@contextmanager
def _current(known: _Open) -> Generator[None]:
    token = context.attach(trace.set_span_in_context(known.attempt, known.context))
    try:
        yield
    finally:
        context.detach(token)


def _same_call(span: Span) -> Mapping[str, Any]:
    """The attributes of a span that is about the very call that a stream begins with, as the SDK's is;
    nothing for any other."""
    attributes: Mapping[str, Any] = getattr(span, "attributes", None) or {}
    return attributes if attributes.get("gen_ai.operation.name") == OPERATION else {}


def _provider(host: str) -> str:
    return next((name for end, name in PROVIDERS.items() if host.endswith(end)), "anthropic")


def _server(stream: StreamRecord) -> dict[str, str | int]:
    """Who answers, once that is known."""
    host = stream.server_address
    if host is None:
        return {}
    port = stream.server_port or 443
    return {"gen_ai.provider.name": _provider(host), "server.address": host, "server.port": port}


def _common(stream: StreamRecord) -> dict[str, str | int]:
    """The attributes of every metric."""
    host = stream.server_address or ""
    found = {"gen_ai.provider.name": _provider(host), "gen_ai.request.model": stream.model}
    return {**found, "server.address": host} if host else {**found}


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
    """What the span of the stream tells at its end."""
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
    """What the span of an attempt tells at its end."""
    failure = attempt.failure
    if failure is None:
        outcome = "complete"
    elif failure.kind is Kind.CANCELLED:
        outcome = "cancelled"
    else:
        outcome = "rejected" if failure.phase is not Phase.BODY and failure.status else "interrupted"
    optional = {"http.response.status_code": attempt.status, "anthropic.request.id": attempt.request_id}
    return {
        f"{ATTEMPT}.outcome": outcome,
        f"{ATTEMPT}.events": attempt.events,
        f"{ATTEMPT}.chars": attempt.characters,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _usage(attempt: AttemptRecord) -> dict[str, int]:
    """The tokens of the attempt that served, by the names that the SDK's own span has. What a cut
    attempt had written is not known."""
    usage = attempt.usage
    if not usage:
        return {}
    written, read = usage.get("cache_creation_input_tokens"), usage.get("cache_read_input_tokens")
    output = usage.get("output_tokens") if attempt.usage_source == "reported" else None
    optional = {
        "gen_ai.usage.cache_write.input_tokens": written,
        "gen_ai.usage.cache_read.input_tokens": read,
        "gen_ai.usage.output_tokens": output,
    }
    whole = sum(usage.get(name, 0) for name in INPUT_FIELDS)
    return {
        "gen_ai.usage.input_tokens": whole,
        **{name: value for name, value in optional.items() if value is not None},
    }
