"""Spans and metrics that stay in memory, and traces as text."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

from resilient_stream.otel import Telemetry

SHOWN = {
    "chat": ("outcome", "attempts", "resumes", "finish_reasons", "error.type"),
    "resilient_stream.attempt": (
        "number",
        "attempt.kind",
        "method",
        "outcome",
        "phase",
        "error.type",
        "joined",
    ),
    "resilient_stream.backoff": ("source",),
}
"""The last words of the attributes that a tree shows, in order."""


class Traces(SpanProcessor):
    """A tracer provider and a meter provider whose spans and numbers stay here."""

    def __init__(self, **options: Any) -> None:
        self.begun: list[Span] = []
        self.ended: list[ReadableSpan] = []
        self._open: set[int] = set()
        self._lock = threading.Lock()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider(shutdown_on_exit=False, **options)
        self.tracers.add_span_processor(self)
        self.meters = MeterProvider([self._reader], shutdown_on_exit=False)
        self.telemetry = Telemetry(self.tracers, self.meters)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """A span has begun."""
        with self._lock:
            self.begun.append(span)
            self._open.add(_id(span))

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended; it can only do so once."""
        with self._lock:
            self._open.remove(_id(span))
            self.ended.append(span)

    @property
    def open(self) -> int:
        """Spans that have not ended."""
        return len(self._open)

    def clear(self) -> None:
        """Forget what has ended."""
        self.begun.clear()
        self.ended.clear()

    @property
    def text(self) -> str:
        """All traces, indented, with what matters of each span."""
        assert self.open == 0
        return "\n".join(self._lines(None, ""))

    def _lines(self, parent: int | None, indent: str) -> Iterator[str]:
        for span in sorted(self.ended, key=lambda span: span.start_time or 0):
            if (span.parent.span_id if span.parent else None) == parent:
                yield indent + _line(span, self._number)
                yield from self._lines(_id(span), f"{indent}  ")

    def _number(self, span_id: int) -> Any:
        """The number of the attempt that a link leads to."""
        (span,) = (span for span in self.ended if _id(span) == span_id)
        return dict(span.attributes or {})["resilient_stream.attempt.number"]

    def find(self, name: str) -> list[ReadableSpan]:
        """The spans whose names begin so, in order."""
        found = [span for span in self.ended if span.name.startswith(name)]
        return sorted(found, key=lambda span: span.start_time or 0)

    def numbers(self) -> dict[str, Any]:
        """Every metric by its name without the prefix: its sums, with their attributes."""
        data: Any = self._reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name.removeprefix("resilient_stream.client."): [
                (point.sum if hasattr(point, "sum") else point.value, dict(point.attributes or {}))
                for point in metric.data.data_points
            ]
            for of_resource in data.resource_metrics
            for of_scope in of_resource.scope_metrics
            for metric in of_scope.metrics
        }


def _id(span: ReadableSpan) -> int:
    assert span.context is not None
    span_id: int = span.context.span_id
    return span_id


def _line(span: ReadableSpan, number: Any) -> str:
    attributes: dict[str, Any] = dict(span.attributes or {})
    words = [span.name, span.kind.name, span.status.status_code.name]
    shown = SHOWN.get(span.name.partition(" ")[0], ())
    for last in shown:
        words += [
            _shown(value) for name, value in attributes.items() if name.endswith(f".{last}") or name == last
        ]
    if any(name.startswith("gen_ai.usage.") for name in attributes):
        words.append("+usage")
    for link in span.links:
        kind: Any = dict(link.attributes or {})["resilient_stream.link.type"]
        words.append(f"{kind}->{number(link.context.span_id)}")
    return " ".join(words)


def _shown(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
