"""The library's own metrics, of this process, as Prometheus reads them.

The instruments are OpenTelemetry's, the same that a program exports which uses the library itself, and the
text is written by prometheus-client. OpenTelemetry's own exporter for Prometheus would do both, but it is a
beta that is bound to one release of OpenTelemetry's SDK, and a program has its SDK already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import NoOpTracerProvider

from resilient_stream._core.failures import is_word
from resilient_stream._telemetry.observers import StreamRecord
from resilient_stream._telemetry.tracing import Telemetry

from .streams import Streams

if TYPE_CHECKING:
    from prometheus_client.core import Metric

MISSING: Final = "the gateway needs more packages: pip install 'resilient-stream[serve]'"

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"

UNITS: Final = {"s": "seconds"}
"""Prometheus' names of units. Counts, whose units are in braces, have none."""

MODELS: Final = 100
"""The most models that have a label of their own."""

OTHER: Final = "other"
"""The label of all other models."""


class MissingExtraError(ImportError):
    """The extra ``serve`` is not installed."""

    def __init__(self) -> None:
        super().__init__(MISSING)


class OfClients(Telemetry):
    """Telemetry of streams whose models are named by clients.

    Each name is a series for each metric, which is kept until the process ends. So only a limited number of
    names, and only plain words, are used. Any other name becomes one series.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._models = set[str]()

    def on_stream(self, stream: StreamRecord) -> None:
        """Start the span of the stream."""
        super().on_stream(replace(stream, model=self._named(stream.model)))

    def _common(self, stream: StreamRecord) -> dict[str, str | int]:
        return super()._common(replace(stream, model=self._named(stream.model)))

    def _named(self, model: str) -> str:
        if model not in self._models:
            if len(self._models) >= MODELS or not is_word(model):
                return OTHER
            self._models.add(model)
        return model


class Metrics:
    """The metrics of one gateway.

    Args:
        streams: the gateway's, to count those that run.
        traces: whether spans go to the global provider.

    Raises:
        MissingExtraError: OpenTelemetry's SDK or prometheus-client is not installed.
    """

    def __init__(self, streams: Streams, *, traces: bool = True) -> None:
        try:
            from opentelemetry.sdk.metrics import MeterProvider
            from opentelemetry.sdk.metrics.export import InMemoryMetricReader
            from prometheus_client import CollectorRegistry
        except ImportError as error:
            raise MissingExtraError from error
        self._streams = streams
        self._reader = InMemoryMetricReader()
        provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self.observer = OfClients(None if traces else NoOpTracerProvider(), provider)
        """An observer for policies."""
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        """All metrics, in Prometheus' text format."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """The metrics, as a registry of prometheus-client asks its collectors for them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        running = GaugeMetricFamily("resilient_stream_gateway_running", "Streams that are running")
        running.add_metric([], len(self._streams.running))
        ended = CounterMetricFamily(
            "resilient_stream_gateway_streams", "Streams that have ended, by outcome", labels=["outcome"]
        )
        counts = self._streams.counts
        for name in counts.__slots__:
            ended.add_metric([name], getattr(counts, name))
        yield from (running, ended)
        for metric in _metrics(self._reader.get_metrics_data()):
            yield _family(metric)


def _metrics(data: Any) -> Iterator[Any]:
    for resource in [] if data is None else data.resource_metrics:
        for scope in resource.scope_metrics:
            yield from scope.metrics


def _family(metric: Any) -> Metric:
    """An OpenTelemetry metric as one of prometheus-client."""
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    points = metric.data.data_points
    names = sorted({name for point in points for name in point.attributes})
    labels, unit = [_name(name) for name in names], UNITS.get(metric.unit, "")
    if hasattr(points[0], "bucket_counts"):
        histogram = HistogramMetricFamily(_name(metric.name), metric.description, labels=labels, unit=unit)
        for point in points:
            histogram.add_metric(_values(point.attributes, names), list(_buckets(point)), point.sum)
        return histogram
    counter = CounterMetricFamily(_name(metric.name), metric.description, labels=labels, unit=unit)
    for point in points:
        counter.add_metric(_values(point.attributes, names), point.value)
    return counter


def _buckets(point: Any) -> Iterator[tuple[str, int]]:
    """Upper bounds, and how many values are at most that."""
    total = 0
    for bound, count in zip([*point.explicit_bounds, "+Inf"], point.bucket_counts, strict=True):
        total += count
        yield str(bound), total


def _values(attributes: Mapping[str, Any], labels: Iterable[str]) -> list[str]:
    return [str(attributes.get(name, "")) for name in labels]


def _name(name: str) -> str:
    """A name as Prometheus allows it."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)
