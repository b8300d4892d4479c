import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from resilient_stream._core.record.ledger import Record
from resilient_stream._gateway.metrics import MODELS, Metrics, MissingExtraError
from resilient_stream._gateway.streams import Streams
from resilient_stream._telemetry.instruments import _ADVISED
from resilient_stream._telemetry.observers import StreamRecord, WaitRecord
from resilient_stream.otel import Telemetry

from .test_streams import record


def samples(metrics: Metrics) -> dict[str, float]:
    """What Prometheus reads, by name and labels."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in families
        for sample in family.samples
    }


def test_counts_are_there_from_the_start() -> None:
    """Zeros, not gaps."""
    read = samples(Metrics(Streams()))
    assert read["resilient_stream_gateway_running[]"] == 0
    assert read["resilient_stream_gateway_streams_total[('outcome', 'lost')]"] == 0


def test_streams_are_counted() -> None:
    """Those that run, and those that ended."""
    streams = Streams()
    metrics = Metrics(streams)
    with streams.run(record("failed"), "m"), streams.run(Record(), "m"):
        assert samples(metrics)["resilient_stream_gateway_running[]"] == 2
    assert samples(metrics)["resilient_stream_gateway_streams_total[('outcome', 'lost')]"] == 1


def test_instruments_are_the_librarys() -> None:
    """A histogram has its buckets, in seconds, and labels by names that Prometheus allows."""
    metrics = Metrics(Streams(), traces=False)
    common = {"gen_ai.request.model": 'a"\n\\', "server.address": "api.test"}
    metrics.observer._instruments.delay(0.03, common)
    metrics.observer._instruments.delay(3.0, {"gen_ai.request.model": "other"})
    labels = "('gen_ai_request_model', 'other'), {}('server_address', '')"
    name = "resilient_stream_client_stream_retry_delay_seconds"
    read = samples(metrics)
    assert read[f"{name}_count[{labels.format('')}]"] == 1
    above, below = ("5.12", "2.56") if _ADVISED else ("5.0", "0.0")
    assert read[f"{name}_bucket[{labels.format(chr(40) + repr('le') + ', ' + repr(above) + '), ')}]"] == 1
    assert read[f"{name}_bucket[{labels.format(chr(40) + repr('le') + ', ' + repr(below) + '), ')}]"] == 0
    assert any("api.test" in each for each in read)


def test_clients_cannot_make_labels_without_end() -> None:
    """Only so many models, and only plain words, have series of their own; the counts stay right."""
    metrics = Metrics(Streams(), traces=False)
    names = ["claude-opus-5", "a b", "x" * 100_000, "", "\u00e9", *(f"model-{n}" for n in range(3 * MODELS))]
    streams = [StreamRecord(number, model) for number, model in enumerate([*names, "claude-opus-5"])]
    for stream in streams:
        metrics.observer.on_stream(stream)
        metrics.observer.on_waited(stream, WaitRecord(0.1, "backoff", None))
    name = "resilient_stream_client_stream_retry_delay_seconds_count"
    read = {labels: value for labels, value in samples(metrics).items() if labels.startswith(name)}
    assert len(read) == MODELS + 1
    assert sum(read.values()) == len(streams)
    assert all(len(labels) < 400 for labels in read)
    assert sum(value for labels, value in read.items() if "claude-opus-5" in labels) == 2


def test_spans_go_where_the_program_sends_them() -> None:
    """Or nowhere, where the policy wants no telemetry."""
    quiet = Metrics(Streams(), traces=False).observer
    stream = StreamRecord(1, "m")
    quiet.on_stream(stream)
    assert not quiet._streams[1].span.is_recording()
    assert isinstance(Metrics(Streams()).observer, Telemetry)


@pytest.mark.parametrize("package", ["opentelemetry.sdk.metrics", "prometheus_client"])
def test_a_missing_extra_says_what_to_install(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of pip."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'resilient-stream\[serve\]'"):
        Metrics(Streams())
