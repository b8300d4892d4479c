"""The trace of the demo's stream, as OpenTelemetry's SDK records it, drawn along a time axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from rich.text import Text

from resilient_stream._telemetry.attributes import ATTEMPT, SCOPE
from resilient_stream._telemetry.tracing import BACKOFF, Telemetry

from .screen import NARROW, Screen

LENGTH: Final = 20
"""Characters that the whole time takes."""


class Recorder:
    """Keeps the spans of streams that its telemetry watches."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.telemetry = Telemetry(tracer_provider=provider)

    @property
    def trace(self) -> list[ReadableSpan]:
        """The spans of the last stream, in the order in which they began."""
        spans = self._spans.get_finished_spans()
        roots = [span for span in spans if span.parent is None]
        last = roots[-1].context if roots else None
        return sorted((span for span in spans if _trace(span) == (last and last.trace_id)), key=_start)


def timeline(screen: Screen, spans: Sequence[ReadableSpan]) -> None:
    """Write one row for each span: its place in time, its length, and its main attributes."""
    table = screen.table()
    drawn = screen.width > NARROW  # or the bars would leave no room for the numbers
    for name in ("span", *([""] if drawn else []), "at", "took", "what"):
        right, folds = name in ("at", "took"), name == "what"
        table.add_column(name, justify="right" if right else "left", no_wrap=not folds)
    began, whole = _start(spans[0]), max(1, _length(spans[0]))
    for span in spans:
        attributes: Mapping[str, Any] = span.attributes or {}
        indent = "  " if span.parent else ""
        start = (_start(span) - began) / whole
        bar = _bar(screen.signs.bar, start, _length(span) / whole)
        table.add_row(
            f"{indent}{span.name}",
            *([Text(bar, "red" if "error.type" in attributes else "green")] if drawn else []),
            f"{(_start(span) - began) / 1e9:.2f}s",
            f"{_length(span) / 1e9:.2f}s",
            _told(span.name, attributes),
        )
    screen.line()
    screen.line("The same stream as OpenTelemetry has it:", "bold")
    screen.show(table)


def _told(name: str, attributes: Mapping[str, Any]) -> str:
    """The main attributes of a span, in a few words."""
    if name == BACKOFF:
        return str(attributes[f"{BACKOFF}.source"])
    if name != ATTEMPT:
        return str(attributes[f"{SCOPE}.outcome"])
    fault = attributes.get(f"{SCOPE}.fault.kind")
    ended = f"{fault} in {attributes[f'{SCOPE}.fault.phase']}" if fault else attributes[f"{ATTEMPT}.outcome"]
    return f"{attributes[f'{ATTEMPT}.number']} {attributes[f'{ATTEMPT}.kind']}: {ended}"


def _bar(sign: str, start: float, share: float) -> str:
    at = min(LENGTH - 1, int(start * LENGTH))
    return " " * at + sign * max(1, min(LENGTH - at, round(share * LENGTH)))


def _start(span: ReadableSpan) -> int:
    return span.start_time or 0


def _length(span: ReadableSpan) -> int:
    return (span.end_time or 0) - _start(span)


def _trace(span: ReadableSpan) -> int | None:
    return span.context.trace_id if span.context else None
