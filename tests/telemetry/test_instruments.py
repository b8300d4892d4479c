"""What is measured of streams."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.verdict import QUEUE, GiveUp, History, Limit, Retry
from resilient_stream._telemetry.instruments import PREFIX, Instruments
from resilient_stream._telemetry.observers import Watch
from resilient_stream.testing import sse_events
from tests.support.machines import Alone
from tests.support.stages import HEAD, Broken, Stage, SyncStage, Takes, Waits, everywhere
from tests.support.traces import Traces

TEXT = "The tide comes in twice a day, and goes out as often as it comes in, wherever there is a sea."
EVENTS = sse_events(TEXT)
WHOLE = b"".join(EVENTS)
BEGUN = b"".join(EVENTS[:6])
PING = b'event: ping\ndata: {"type":"ping"}\n\n'
RESET = Failure(Kind.RESET, Phase.BODY, detail="ReadError")
DOWN = Failure(Kind.OVERLOADED, Phase.HEADERS, detail="overloaded_error", status=529)
SILENT = Failure(Kind.SILENT, Phase.BODY, detail="ReadTimeout")
COMMON = {
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-opus-5",
    "server.address": "api.anthropic.com",
}


def watched(stage: Stage, traces: Traces, *steps: Any, waits: Any = (), **settings: Any) -> Any:
    """A stream of the real API's, as far as the numbers know."""
    stage.watch = Watch((traces.telemetry,), "claude-opus-5")
    stage.watch.answered_by(server_address="api.anthropic.com")
    return stage.stream(*steps, waits=waits, **settings)


def own(numbers: dict[str, Any]) -> dict[str, Any]:
    """The numbers, each with the attributes that are not on all of them."""
    for points in numbers.values():
        for _, attributes in points:
            assert {name: attributes.pop(name) for name in COMMON} == COMMON
    return {
        name: [(round(value, 3), *attributes.values()) for value, attributes in points]
        for name, points in numbers.items()
    }


@everywhere
async def test_a_stream_without_faults_costs_one_number(stage: Stage) -> None:
    """Its duration; what did not happen is not recorded."""
    traces = Traces()
    watched(stage, traces, Takes(2.0, HEAD), Takes(3.0, WHOLE), None)
    await stage.whole()
    assert own(traces.numbers()) == {"stream.duration": [(5.0, "clean")]}


@everywhere
async def test_a_resumed_stream_is_measured(stage: Stage) -> None:
    """Durations, counts, faults by kind and phase, and tokens, in every world alike."""
    traces = Traces()
    steps = [DOWN, HEAD, Takes(1.0, BEGUN), RESET, Takes(2.0, HEAD), WHOLE, None]
    watched(stage, traces, *steps, waits=[7.0, 0.5])
    await stage.whole()
    numbers = own(traces.numbers())
    assert numbers.pop("tokens.extra_input")[0][0] > 0
    assert numbers == {
        "stream.duration": [(10.5, "resumed")],
        "stream.resumes": [(1,)],
        "stream.retries": [(1,)],
        "stream.retry_delay": [(7.5,)],
        "recovery.duration": [(10.5,)],
        "faults": [(1, "overloaded", "headers"), (1, "reset", "body")],
        "tokens.salvaged": [(round(offset(traces) / 3.5),)],
        "tokens.wasted": [(round(offset(traces) / 3.5),)],
    }


@everywhere
async def test_waits_for_a_turn_are_measured_apart(stage: Stage) -> None:
    """Each as a whole, however often the stream asked meanwhile."""
    traces, turns = Traces(), [Retry(0.5, QUEUE, 0.0), Retry(0.25, QUEUE, 0.0)]
    watched(stage, traces, DOWN, HEAD, WHOLE, None, judge=Waits([2.0], turns=turns))
    await stage.whole()
    numbers = own(traces.numbers())
    assert (numbers["stream.retry_delay"], numbers["stream.queue_delay"]) == ([(2.0,)], [(0.75,)])
    assert numbers["recovery.duration"] == [(2.75,)]


def offset(traces: Traces) -> int:
    """The characters that the last attempt found there. It was asked for, and sent, all of them again."""
    attributes = traces.find("resilient_stream.attempt")[-1].attributes or {}
    assert attributes["resilient_stream.overlap.trimmed"] == attributes["resilient_stream.attempt.offset"]
    value = attributes["resilient_stream.attempt.offset"]
    assert isinstance(value, int)
    return value


@everywhere
async def test_a_stall_is_measured(stage: Stage) -> None:
    """How long nothing came: silence by its read, pings by the time without an event."""
    traces = Traces()
    clocks = {"silence_timeout": 5.0, "stall_timeout": 20.0, "first_event_timeout": 20.0}
    watched(stage, traces, HEAD, Takes(5.0, SILENT), *[HEAD, *[Takes(4.0, PING)] * 5], waits=[0.0], **clocks)
    with pytest.raises(Broken):
        await stage.whole()
    numbers = own(traces.numbers())
    assert numbers["stall.duration"] == [(5.0, "silent"), (20.0, "stalled")]
    assert (traces.find("chat")[0].attributes or {})["resilient_stream.longest_gap"] == 20.0


class Limited(Alone):
    """A judge whose own limit is met."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit

    def verdict(self, failure: Failure, history: History, error: BaseException) -> GiveUp:
        """No."""
        return GiveUp("a limit is met", self.limit)


@pytest.mark.parametrize("limit", [Limit.BUDGET, Limit.DEADLINE, None])
def test_what_a_limit_forbids_is_counted(limit: Limit | None) -> None:
    """A retry that a limit of the policy's own forbade, by its name, the budget's apart too; no other giving up."""
    traces, stage = Traces(), SyncStage()
    driver = watched(stage, traces, DOWN, judge=None if limit is None else Limited(limit))
    driver.open()
    numbers = own(traces.numbers())
    assert numbers.get("limits") == (None if limit is None else [(1, str(limit))])
    assert ("budget.denied" in numbers) is (limit is Limit.BUDGET)


def test_a_restart_wastes_what_was_written() -> None:
    """An attempt that handed over nothing may yet have been billed for output."""
    traces, stage = Traces(), SyncStage()
    begun = EVENTS[0].replace(b'"output_tokens":1', b'"output_tokens":9')
    assert begun != EVENTS[0]
    driver = watched(stage, traces, HEAD, begun, RESET, HEAD, WHOLE, None, waits=[0.0])
    driver.open()
    assert b"".join(driver)
    numbers = own(traces.numbers())
    assert numbers["tokens.wasted"] == [(9,)]
    assert "tokens.salvaged" not in numbers


def test_names_are_prefixed_and_few() -> None:
    """Every metric has the prefix, and no attribute but those that take few values."""
    traces, stage = Traces(), SyncStage()
    driver = watched(stage, traces, DOWN, HEAD, BEGUN, RESET, waits=[1.0])
    driver.open()
    with pytest.raises(Broken):
        list(driver)
    data: Any = traces._reader.get_metrics_data()
    (metrics,) = [scope.metrics for resource in data.resource_metrics for scope in resource.scope_metrics]
    assert all(metric.name.startswith(PREFIX) and metric.unit for metric in metrics)
    names = {name for metric in metrics for point in metric.data.data_points for name in point.attributes}
    own_names = {"resilient_stream.outcome", "resilient_stream.fault.kind", "resilient_stream.fault.phase"}
    assert names == COMMON.keys() | own_names


class Names:
    """A meter that keeps the names of what is made of it."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}

    def create_histogram(self, name: str, unit: str, description: str, **advice: Any) -> None:
        """Keep it."""
        self.made[name] = unit

    create_counter = create_histogram


def test_the_page_on_telemetry_has_every_metric() -> None:
    """The table of the documentation has the names and units of all metrics."""
    page = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text()
    table = page.partition("## Metrics")[2].partition("## Logs")[0]
    meter: Any = Names()
    Instruments(meter)
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    assert {
        name: unit.strip() for names, unit in rows for name in re.findall(r"`([a-z_.]+)`", names)
    } == meter.made
