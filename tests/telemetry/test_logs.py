"""The log, and who watches."""

from __future__ import annotations

import contextlib
import logging
import re
from typing import Any

import pytest
from opentelemetry import metrics, trace

from resilient_stream import Observer, RetryPolicy
from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.verdict import QUEUE, Limit, Retry
from resilient_stream._telemetry.logs import LOGS, watchers
from resilient_stream._telemetry.observers import Watch
from resilient_stream.otel import Telemetry, telemetry
from resilient_stream.testing import ANSWER, sse_events
from tests.support.stages import HEAD, REQUEST, Broken, SyncStage, Waits
from tests.support.traces import Traces

from .test_attributes import PAGE

WHOLE = b"".join(sse_events(ANSWER[:300]))
BEGUN = b"".join(sse_events(ANSWER[:300])[:6])
OTHER = b"".join(sse_events("Something quite different, at some length. " * 20))
CUT = OTHER[: len(OTHER) // 2]
RESET = Failure(Kind.RESET, Phase.BODY, detail="ReadError")
DOWN = Failure(Kind.OVERLOADED, Phase.HEADERS, detail="overloaded_error", status=529, request_id="req_0")


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Any:
    """What the log has after a stream of these steps."""

    def play(
        *steps: Any,
        waits: Any = (0.0,) * 9,
        also: Observer | None = None,
        limit: Limit | None = None,
        turns: Any = (),
    ) -> list[logging.LogRecord]:
        stage = SyncStage()
        stage.watch = Watch((LOGS, also or Observer()), "m")
        driver = stage.stream(*steps, judge=Waits([*waits], limit, [*turns]))
        with caplog.at_level(logging.DEBUG, "resilient_stream"), contextlib.suppress(Broken):
            driver.open()
            for _ in driver:
                pass
        assert {record.name for record in caplog.records} <= {"resilient_stream"}
        return caplog.records

    return play


def watched(policy: RetryPolicy) -> tuple[Observer, ...]:
    """All who watch the streams of a policy."""
    return watchers(policy.observers, telemetry_on=policy.telemetry)


def lines(records: list[logging.LogRecord]) -> list[tuple[str, str]]:
    """Levels and messages."""
    return [(record.levelname, record.getMessage()) for record in records]


def test_nothing_is_logged_where_nothing_failed(logged: Any) -> None:
    """A stream without faults leaves no line."""
    assert logged(HEAD, WHOLE, None) == []


def test_failures_and_resumptions_are_information(logged: Any) -> None:
    """One line for each, because each is billed; none is a warning."""
    records = logged(DOWN, HEAD, BEGUN, RESET, HEAD, WHOLE, None, waits=[2.0, 0.0])
    assert lines(records) == [
        ("INFO", "attempt 1 failed: overloaded"),
        ("INFO", "resumed by attempt 2 (restart) after 2.0 s"),
        ("INFO", "attempt 2 failed: reset"),
        ("INFO", "resumed by attempt 3 (user_turn) after 0.0 s"),
    ]


def test_giving_up_and_an_unverified_seam_are_warnings(logged: Any) -> None:
    """What a person should look at."""
    records = logged(HEAD, BEGUN, RESET, HEAD, CUT, RESET, waits=[0.0])
    assert lines(records) == [
        ("INFO", "attempt 1 failed: reset"),
        ("WARNING", "resumed by attempt 2 (user_turn) after 0.0 s; the seam could not be verified"),
        ("INFO", "attempt 2 failed: reset"),
        ("WARNING", "gave up after 2 attempts (reset): the law; see docs/failures.md#reset"),
    ]


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What a record has of ours."""
    return {name: value for name, value in vars(record).items() if "." in name}


def test_fields_tell_what_spans_tell(logged: Any) -> None:
    """Each record carries the stream, and of the attempt, the fault and the end what the spans have, by the same names."""
    failed, gave_up = map(fields, logged(DOWN, waits=[]))
    common = {
        "resilient_stream.stream": failed["resilient_stream.stream"],
        "resilient_stream.attempt.number": 1,
        "resilient_stream.attempt.kind": "initial",
        "resilient_stream.attempt.model": REQUEST["model"],
        "resilient_stream.attempt.offset": 0,
        "resilient_stream.fault.kind": "overloaded",
        "resilient_stream.fault.phase": "headers",
        "resilient_stream.fault.in_band": False,
        "error.type": "overloaded",
        "http.response.status_code": 529,
        "anthropic.request.id": "req_0",
    }
    assert failed == common
    assert gave_up == {**common, "exception.type": "Broken", "resilient_stream.reason": "the law"}


def test_fields_have_the_values_of_the_spans(logged: Any) -> None:
    """But for its own number of the stream, whatever a record has stands on a span of the same stream, and is the same."""
    traces = Traces()
    records = logged(DOWN, HEAD, BEGUN, RESET, HEAD, CUT, RESET, waits=[2.0, 0.0], also=traces.telemetry)
    attempts = [dict(span.attributes or {}) for span in traces.find("resilient_stream.attempt")]
    (chat,) = (dict(span.attributes or {}) for span in traces.find("chat"))
    assert [record.funcName for record in records[-2:]] == ["on_failure", "on_give_up"]
    for record in records:
        told = fields(record)
        assert told.pop("resilient_stream.stream")
        assert told.items() <= {**chat, **attempts[told["resilient_stream.attempt.number"] - 1]}.items()


def test_the_page_on_telemetry_has_every_field(logged: Any) -> None:
    """The table of the documentation says which records have what, and nothing that they have not."""
    turns = [Retry(0.5, QUEUE, 3.0)]
    records = logged(
        DOWN, HEAD, BEGUN, RESET, HEAD, CUT, RESET, waits=[2.0, 0.0], limit=Limit.BUDGET, turns=turns
    )
    table = PAGE.partition("## Logs")[2].partition("| field |")[2]
    said = {
        name: {on.strip() for on in row.split("|")[2].split(",")}
        for row in table.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`([a-z_.]+)`", row.split("|")[1])
    }
    every = {"on_failure": "failed", "on_wait": "waits", "on_resume": "resumed", "on_give_up": "gave up"}
    attempts = {*every.values()} - {"waits"}
    found: dict[str, set[str]] = {}
    for record in records:
        for name in fields(record):
            found.setdefault(name, set()).add(every[record.funcName])
    ways = {"all": set(every.values()), "all but waits": attempts}
    assert {name: ways.get(next(iter(on)), on) for name, on in said.items()} == found


def test_waiting_for_a_turn_is_information(logged: Any) -> None:
    """One line, however often the stream asks; a backoff has none of its own."""
    turns = [Retry(0.5, QUEUE, 0.0), Retry(0.25, QUEUE, 0.0)]
    records = logged(DOWN, HEAD, WHOLE, None, waits=[2.0], turns=turns)
    assert lines(records) == [
        ("INFO", "attempt 1 failed: overloaded"),
        ("INFO", "waiting for a turn: the retry budget is spent"),
        ("INFO", "resumed by attempt 2 (restart) after 2.8 s"),
    ]
    assert fields(records[1])["resilient_stream.budget.remaining"] == 0.0


def test_no_content_is_logged(logged: Any) -> None:
    """No field and no line has anything of the request or of the reply."""
    records = logged(HEAD, BEGUN, RESET, HEAD, OTHER, None)
    told = repr([vars(record) for record in records])
    assert "verified" in told
    assert not any(secret in told for secret in (ANSWER[:12], "Something", str(REQUEST["messages"])[-12:]))


def test_the_library_has_no_voice_of_its_own() -> None:
    """Its logger has the handler that does nothing, so that nothing is printed where none is configured."""
    assert [type(handler) for handler in logging.getLogger("resilient_stream").handlers] == [
        logging.NullHandler
    ]


class Provider:
    """A provider of the program's own, of any class."""


@pytest.fixture(params=[trace, metrics])
def configured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that has set one global provider, for spans or for metrics."""
    name = {trace: "get_tracer_provider", metrics: "get_meter_provider"}[request.param]
    telemetry()  # with the providers of the API
    monkeypatch.setattr(request.param, name, Provider)


@pytest.mark.usefixtures("configured")
def test_the_log_and_the_global_telemetry_watch_by_default() -> None:
    """One telemetry for the whole process; the policy's own observers come last."""
    own = Observer()
    assert watched(RetryPolicy()) == watched(RetryPolicy()) == (LOGS, telemetry())
    assert watched(RetryPolicy(observers=[own])) == (LOGS, telemetry(), own)


def test_no_telemetry_watches_where_nothing_would_record_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a provider, or with those of the API that do nothing, a stream takes no time for spans."""
    assert watched(RetryPolicy()) == (LOGS,)
    monkeypatch.setattr(trace, "get_tracer_provider", trace.NoOpTracerProvider)
    monkeypatch.setattr(metrics, "get_meter_provider", metrics.NoOpMeterProvider)
    assert watched(RetryPolicy()) == (LOGS,)


def test_telemetry_can_be_replaced_and_left_out() -> None:
    """One among the observers stands for the global one; without, there is none."""
    own = Telemetry()
    assert watched(RetryPolicy(observers=[own])) == (LOGS, own)
    assert watched(RetryPolicy(telemetry=False)) == (LOGS,)


@pytest.mark.usefixtures("configured")
def test_a_provider_that_gives_no_tracer_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log stays; what somebody raises meanwhile is theirs."""
    from resilient_stream._telemetry import logs, tracing

    def fails() -> Any:
        raise ValueError("no tracer")

    monkeypatch.setattr(tracing, "telemetry", fails)
    assert watchers((), telemetry_on=True) == (LOGS,)
    monkeypatch.setattr(logs, "interrupts", lambda error: True)
    with pytest.raises(ValueError, match="no tracer"):
        watchers((), telemetry_on=True)
