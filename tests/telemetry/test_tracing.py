"""Spans of streams: the whole tree, for each way in which a stream can go."""

from __future__ import annotations

import gc
import itertools
import re
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import anthropic
import anyio
import pytest
from opentelemetry import trace
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from resilient_stream import ResumeMiddleware, RetryBudget
from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.verdict import QUEUE, Retry
from resilient_stream._driver.sync_driver import Driver
from resilient_stream._telemetry.observers import Watch
from resilient_stream.otel import Telemetry
from resilient_stream.testing import Reply, Status, cut_at, sse_events
from tests.support.stages import HEAD, Stage, SyncStage, Waits, everywhere
from tests.support.traces import Traces
from tests.support.worlds import ASK, HASTY, PREFILL_MODEL, TEXT, USER_TURN_MODEL, stand_in

TURN = Retry(0.5, QUEUE, 0.0)

TRACING = hasattr(anthropic.Anthropic, "open_telemetry")
"""Whether the SDK has spans of its own."""

sdk_spans = pytest.mark.skipif(not TRACING, reason="an SDK without spans of its own")

CALL = Reply(
    [
        {"type": "text", "text": "I will look it up."},
        {"type": "tool_use", "id": "toolu_1", "name": "tides", "input": {"where": "Cuxhaven"}},
    ]
)

CLEAN = """
chat MODEL CLIENT UNSET clean 1 0 end_turn +usage
  resilient_stream.attempt INTERNAL UNSET 1 initial complete
"""
RETRIED = """
chat MODEL CLIENT UNSET retried 2 0 end_turn +usage
  resilient_stream.attempt INTERNAL ERROR 1 initial rejected headers overloaded
  resilient_stream.backoff INTERNAL UNSET exponential
  resilient_stream.attempt INTERNAL UNSET 2 retry complete retries->1
"""
RESUMED = """
chat MODEL CLIENT UNSET resumed 4 1 end_turn +usage
  resilient_stream.attempt INTERNAL ERROR 1 initial rejected headers api_error
  resilient_stream.backoff INTERNAL UNSET exponential
  resilient_stream.attempt INTERNAL ERROR 2 retry interrupted body reset retries->1
  resilient_stream.attempt INTERNAL ERROR 3 continuation user_turn rejected headers overloaded continues->2
  resilient_stream.backoff INTERNAL UNSET exponential
  resilient_stream.attempt INTERNAL UNSET 4 continuation user_turn complete echo continues->3
"""
PREFILLED = """
chat MODEL CLIENT UNSET resumed 2 1 end_turn +usage
  resilient_stream.attempt INTERNAL ERROR 1 initial interrupted body truncated
  resilient_stream.attempt INTERNAL UNSET 2 continuation prefill complete prefill continues->1
"""
FINISHED = """
chat MODEL CLIENT UNSET finished_with_tools 1 0 tool_use +usage
  resilient_stream.attempt INTERNAL ERROR 1 initial interrupted body reset
"""
GAVE_UP = """
chat MODEL CLIENT ERROR gave_up 2 1 error reset +usage
  resilient_stream.attempt INTERNAL ERROR 1 initial interrupted body reset
  resilient_stream.attempt INTERNAL ERROR 2 continuation user_turn interrupted body reset echo continues->1
"""
NEVER_BEGAN = """
chat MODEL CLIENT ERROR gave_up 1 0 error rejected
  resilient_stream.attempt INTERNAL ERROR 1 initial rejected headers rejected
"""
LEFT = """
chat MODEL CLIENT UNSET cancelled 1 0 +usage
  resilient_stream.attempt INTERNAL UNSET 1 initial cancelled
"""
DROPPED = LEFT.replace(" +usage", "")

Outcome = tuple[list[Any], dict[str, Any], str, str, str]
"""What happens, how the server is set up, how the consumer reads, the tree, the status of the SDK's span."""

OUTCOMES: dict[str, Outcome] = {
    "clean": ([], {}, "whole", CLEAN, "OK"),
    "retried": ([Status(529)], {}, "whole", RETRIED, "OK"),
    "resumed": ([Status(500), cut_at(2500, "rst"), Status(529)], {}, "whole", RESUMED, "OK"),
    "prefilled": ([cut_at(2500, "clean")], {}, "whole", PREFILLED, "OK"),
    "finished with tools": ([cut_at(1550, "rst")], {"reply": CALL}, "whole", FINISHED, "OK"),
    "gave up": ([], {"always": cut_at(2500, "rst")}, "whole", GAVE_UP, "ERROR"),
    "never began": ([Status(403)], {}, "whole", NEVER_BEGAN, "ERROR"),
    "left": ([], {}, "leave", LEFT, "UNSET"),
    "dropped": ([], {}, "drop", DROPPED, "UNSET"),
}

ON_TRIO = ("resumed", "gave up", "dropped")
"""Its driver is asyncio's; left early, the SDK leaves generators to the collector, of which trio complains."""


def options(name: str) -> dict[str, Any]:
    """The arguments of the call."""
    model = PREFILL_MODEL if name == "prefilled" else USER_TURN_MODEL
    return {"model": model, "max_tokens": 4096, "messages": ASK}


def client_options(url: str, name: str, traces: Traces, *, sdk: bool) -> dict[str, Any]:
    """The arguments of a client: where it goes, who watches it, the SDK's own spans or none."""
    tracing: Any = {"tracer_provider": traces.tracers} if sdk else False
    attempts = 2 if name == "gave up" else 16
    policy = HASTY.replace(observers=[traces.telemetry], max_attempts=attempts, budget=RetryBudget())
    watched = ResumeMiddleware(policy)
    known = {"base_url": url, "api_key": "key", "middleware": [watched]}
    return {**known, "open_telemetry": tracing} if TRACING else known


def call(name: str, how: str, known: dict[str, Any]) -> None:
    """Make one call of a sync client, and read it as is said."""
    with anthropic.Anthropic(**known) as client:
        stream = client.messages.create(**options(name), stream=True)
        if how == "drop":
            return
        for event in stream:
            if how == "leave" and event.type == "content_block_delta":
                stream.close()
                return


async def call_async(name: str, how: str, known: dict[str, Any]) -> None:
    """Make one call of an async client, and read it as is said."""
    async with anthropic.AsyncAnthropic(**known) as client:
        stream = await client.messages.create(**options(name), stream=True)
        if how == "drop":
            return
        async with aclosing(cast("AsyncGenerator[Any]", aiter(stream))) as events:
            async for event in events:
                if how == "leave" and event.type == "content_block_delta":
                    await stream.close()
                    return


def play(world: str, name: str, *, sdk: bool) -> Traces:
    """Let one of the outcomes happen."""
    faults, server_options, how, _, _ = OUTCOMES[name]
    traces = Traces()
    with stand_in(*faults, **server_options) as server:
        known = client_options(server.url, name, traces, sdk=sdk)
        try:
            if world == "sync":
                call(name, how, known)
            else:
                anyio.run(call_async, name, how, known, backend=world)
        except anthropic.APIError as error:
            assert OUTCOMES[name][4] == "ERROR", error  # noqa: PT017 -- whether it may fail is known
    gc.collect()
    return traces


def expected(name: str) -> str:
    """The tree of an outcome."""
    return OUTCOMES[name][3].replace("MODEL", options(name)["model"]).strip()


@pytest.mark.parametrize(
    ("world", "name"),
    [*itertools.product(["sync", "asyncio"], OUTCOMES), *(("trio", name) for name in ON_TRIO)],
)
def test_the_tree_of_each_outcome(world: str, name: str) -> None:
    """Names, kinds, parents, links, status and what tells the story, the same in every world; all ended."""
    assert play(world, name, sdk=False).text == expected(name)


@sdk_spans
@pytest.mark.parametrize("world", ["sync", "asyncio"])
@pytest.mark.parametrize("name", OUTCOMES)
def test_the_same_tree_stands_below_the_sdks_span(world: str, name: str) -> None:
    """One trace; the SDK's span is its root and tells the usage, which no other span then does."""
    *lines, _ = f"{expected(name)}\n".replace(" +usage", "").split("\n")
    root, *rest = play(world, name, sdk=True).text.split("\n")
    assert rest == [f"  {line}" for line in lines]
    words = root.split()
    assert words[:3] == ["anthropic.messages.create", "CLIENT", OUTCOMES[name][4]]
    assert ("+usage" in words) == (name not in ("never began", "dropped"))


@sdk_spans
@pytest.mark.parametrize("world", ["sync", "asyncio"])
@pytest.mark.parametrize("sdk", [True, False])
def test_tokens_are_told_once_whatever_stands_above(world: str, sdk: bool) -> None:
    """By the SDK's span where it is on, else by ours; a chat span of the user's own is nobody's excuse."""
    traces = Traces()
    tracer = trace.get_tracer("my own", tracer_provider=traces.tracers)
    own = {"gen_ai.operation.name": "chat", "gen_ai.request.model": USER_TURN_MODEL}
    with stand_in() as server, tracer.start_as_current_span("my chat", attributes=own):
        known = client_options(server.url, "clean", traces, sdk=sdk)
        if world == "sync":
            call("clean", "whole", known)
        else:
            anyio.run(call_async, "clean", "whole", known)
    told = [span.name for span in traces.ended if "gen_ai.usage.input_tokens" in (span.attributes or {})]
    assert told == ["anthropic.messages.create" if sdk else f"chat {USER_TURN_MODEL}"]
    spans = [span for span in traces.ended if span.name != "my chat"]
    for name in ("gen_ai.provider.name", "server.address", "server.port"):
        clients = [span for span in spans if span.kind.name == "CLIENT"]
        assert len({str((span.attributes or {}).get(name)) for span in clients}) == 1


# -- without a network -----------------------------------------------------------------------------

EVENTS = sse_events("The tide comes in twice a day, and goes out as often as it comes in. " * 2)
WHOLE = b"".join(EVENTS)
BEGUN = b"".join(EVENTS[:8])
RESET = Failure(Kind.RESET, Phase.BODY, detail="ReadError")
DOWN = Failure(Kind.OVERLOADED, Phase.HEADERS, detail="overloaded_error", status=529)


def watched(
    stage: Stage, traces: Traces, model: str, *steps: Any, waits: Any = (0.0,) * 9, judge: Any = None
) -> Any:
    """A stream on a stage that the traces watch."""
    stage.watch = Watch((traces.telemetry,), model)
    return stage.stream(*steps, waits=waits, judge=judge)


async def all_of(driver: Any) -> None:
    """Read a driver to its end."""
    while await piece(driver):
        pass


async def piece(driver: Any) -> Any:
    """Open a driver or read one piece of it."""
    if isinstance(driver, Driver):
        return next(iter(driver), None)
    return await anext(driver, None)


@everywhere
async def test_interleaved_streams_keep_their_own_trees(stage: Stage) -> None:
    """Two streams that one task reads in turns: each stands below where it was called, links its own."""
    traces = Traces()
    tracer = trace.get_tracer("test", tracer_provider=traces.tracers)
    drivers = []
    for name in ("one", "two"):
        with tracer.start_as_current_span(name):
            drivers.append(watched(stage, traces, f"model-{name}", HEAD, BEGUN, RESET, HEAD, WHOLE, None))
            await stage.open()
    going = list(drivers)
    while going:
        going = [driver for driver in going if await piece(driver)]
    assert traces.text.split("\n") == [
        line
        for name in ("one", "two")
        for line in (
            f"{name} INTERNAL UNSET",
            f"  chat model-{name} CLIENT UNSET resumed 2 1 end_turn +usage",
            "    resilient_stream.attempt INTERNAL ERROR 1 initial interrupted body reset",
            "    resilient_stream.attempt INTERNAL UNSET 2 continuation user_turn complete echo continues->1",
        )
    ]


def test_threads_keep_their_own_trees() -> None:
    """Streams in many threads at once, under spans of their own."""
    traces = Traces()
    tracer = trace.get_tracer("test", tracer_provider=traces.tracers)
    start = threading.Barrier(8)

    def work(number: int) -> None:
        stage = SyncStage()
        start.wait(60)
        with tracer.start_as_current_span(f"thread {number}"):
            driver = watched(stage, traces, f"model-{number}", HEAD, BEGUN, RESET, HEAD, WHOLE, None)
            driver.open()
            for _ in driver:
                assert trace.get_current_span().get_span_context().is_valid

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    lines = traces.text.split("\n")
    for number in range(8):
        at = lines.index(f"thread {number} INTERNAL UNSET")
        assert lines[at + 1] == f"  chat model-{number} CLIENT UNSET resumed 2 1 end_turn +usage"
        assert [line.split()[-1] for line in lines[at + 2 : at + 4]] == ["reset", "continues->1"]


@everywhere
async def test_an_attempt_is_current_only_while_its_request_is_sent(stage: Stage) -> None:
    """What is done by context inside the request finds the attempt; the consumer finds what it had."""
    traces, seen = Traces(), list[tuple[str, Any]]()
    driver = watched(stage, traces, "m", HEAD, BEGUN, RESET, HEAD, WHOLE, None)
    asked = stage.upstream.asked

    def looked_at(what: str, patience: float) -> Any:
        seen.append((what, trace.get_current_span().get_span_context().span_id))
        return asked(what, patience)

    stage.upstream.asked = looked_at
    await stage.open()
    while await piece(driver):
        assert trace.get_current_span() is trace.INVALID_SPAN
    attempts = [span.context.span_id for span in traces.find("resilient_stream.attempt") if span.context]
    assert [current for what, current in seen if what == "send"] == attempts
    assert {current for what, current in seen if what == "read"} == {0}


@everywhere
async def test_an_exception_of_somebody_elses_is_an_error_of_its_class(stage: Stage) -> None:
    """What is no failure of the stream's own still ends it, and its attempt was merely cut off."""
    traces = Traces()
    watched(stage, traces, "m", HEAD, BEGUN, KeyError("x"))
    with pytest.raises(KeyError):
        await stage.whole()
    assert traces.text.split("\n") == [
        "chat m CLIENT ERROR failed 1 0 error KeyError +usage",
        "  resilient_stream.attempt INTERNAL UNSET 1 initial cancelled",
    ]


@everywhere
async def test_waiting_for_a_turn_has_a_span_of_its_own(stage: Stage) -> None:
    """Behind that of the backoff: one, as long as all of the wait, with what was left of the budget."""
    traces, turns = Traces(), [TURN, Retry(0.25, QUEUE, 0.0)]
    watched(stage, traces, "m", DOWN, HEAD, WHOLE, None, judge=Waits([2.0], turns=turns))
    await stage.whole()
    (backoff,) = traces.find("resilient_stream.backoff")
    (queue,) = traces.find("resilient_stream.queue")
    assert (backoff.attributes or {})["resilient_stream.backoff.delay"] == 2.0
    assert queue.attributes == {
        "resilient_stream.budget.remaining": 0.0,
        "resilient_stream.queue.delay": 0.75,
    }
    assert traces.open == 0


# -- where it goes ---------------------------------------------------------------------------------


@everywhere
async def test_what_is_not_sampled_is_not_recorded(stage: Stage) -> None:
    """A stream whose trace is not sampled goes its way."""
    traces = Traces(sampler=ALWAYS_OFF)
    watched(stage, traces, "m", HEAD, BEGUN, RESET, HEAD, WHOLE, None)
    await stage.whole()
    assert (traces.open, traces.ended) == (0, [])


@everywhere
async def test_without_an_sdk_nothing_is_recorded(stage: Stage) -> None:
    """With the API alone every call is made and leads nowhere."""
    telemetry = Telemetry(trace.NoOpTracerProvider(), NoOpMeterProvider())
    stage.watch = Watch((telemetry,), "m")
    stage.stream(DOWN, HEAD, BEGUN, RESET, HEAD, WHOLE, None, waits=[1.0, 0.0])
    await stage.whole()
    assert telemetry._streams == {}


GLOBAL = """
import anthropic
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from resilient_stream import RetryPolicy, resilient
from resilient_stream.testing import StandIn

with StandIn(reply="Twice a day.") as server, anthropic.Anthropic(base_url=server.url, api_key="k") as bare:
    clients = [resilient(bare), resilient(bare, RetryPolicy(telemetry=False))]
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    for client in clients:
        with client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "?"}]) as stream:
            stream.until_done()
print([span.name for span in spans.get_finished_spans() if not span.name.startswith("anthropic")])
"""


def test_the_global_provider_is_found_without_any_code() -> None:
    """A program that configures OpenTelemetry has spans, even of clients made before; or none if it says so."""
    done = subprocess.run([sys.executable, "-c", GLOBAL], check=True, stdout=subprocess.PIPE, text=True)
    assert done.stdout.strip() == "['resilient_stream.attempt', 'chat m']"


def test_no_content_is_recorded() -> None:
    """Neither prompt nor reply nor key is in any span, whatever happened."""
    for name in ("resumed", "gave up"):
        for span in play("sync", name, sdk=False).ended:
            told = span.to_json()
            assert not any(secret in told for secret in (TEXT[:12], TEXT[-12:], ASK[0]["content"], '"key"'))


def test_who_answers_is_known_from_the_start() -> None:
    """The provider, the address and the port; what the first response corrects is on the span in the end."""
    traces, stage = Traces(), SyncStage()
    stage.watch = Watch(
        (traces.telemetry,), "m", provider="aws.bedrock", server_address="one", server_port=80
    )
    begun = dict(traces.begun[0].attributes or {})
    assert begun == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "m",
        "gen_ai.request.stream": True,
        "server.address": "one",
        "server.port": 80,
    }
    stage.stream(HEAD, WHOLE, None)
    stage.watch.answered_by(server_address="other", server_port=8080)
    stage.driver.open()
    stage.driver.close()
    attributes = dict(traces.find("chat")[0].attributes or {})
    assert (attributes["server.address"], attributes["server.port"]) == ("other", 8080)


def test_the_page_on_telemetry_has_every_attribute() -> None:
    """The tables of the documentation name what spans have, and nothing that they have not."""
    page = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text()
    tables = page.partition("## Attributes")[2].partition("## Metrics")[0]
    rows = [line.split("|")[1] for line in tables.splitlines() if line.startswith("| `")]
    spans = [span for name in ("resumed", "gave up") for span in play("sync", name, sdk=False).ended]
    traces = Traces()
    driver = watched(SyncStage(), traces, "m", DOWN, HEAD, WHOLE, None, judge=Waits([0.0], turns=[TURN]))
    driver.open()
    assert list(driver)
    spans += traces.ended
    found = {name for span in spans for name in span.attributes or {}}
    links = {name for span in spans for link in span.links for name in link.attributes or {}}
    estimated = {"resilient_stream.tokens.estimated"}  # named in its row's other column
    assert set(re.findall(r"`([a-z_.]+)`", "".join(rows))) | estimated == found | links
