"""Whoever watches a stream can't harm it, neither by raising nor by calling back, at any point."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from itertools import cycle
from typing import Any

import anthropic
import pytest
from opentelemetry.metrics import NoOpMeter, NoOpMeterProvider
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from resilient_stream import Observer, RetryPolicy, resilient
from resilient_stream.otel import Telemetry
from resilient_stream.testing import Status, cut_at
from tests.support.doors import Door, through
from tests.support.traces import Traces
from tests.support.worlds import ASK, HASTY, TEXT, USER_TURN_MODEL, WORLDS, World, stand_in

POINTS = [name for name in dir(Observer) if name.startswith(("on_", "around_"))]
Act = Callable[[], object]


class At(Observer):
    """Does something at each point of one name, or of all, and counts."""

    def __init__(self, act: Act, point: str = "") -> None:
        self.act, self.point, self.acted = act, point, 0

    def __getattribute__(self, name: str) -> Any:
        if name.startswith(("on_", "around_")) and self.point in ("", name):
            return self._acting
        return super().__getattribute__(name)

    def _acting(self, *_: object) -> None:
        self.acted += 1
        self.act()


class Unfound(Observer):
    """Has no method that could be found."""

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("on_") or name == "__dict__":
            raise RuntimeError(name)
        return super().__getattribute__(name)


class Handler(logging.Handler):
    """Does something with each record."""

    def __init__(self, act: Act) -> None:
        super().__init__()
        self.act = act

    def emit(self, record: logging.LogRecord) -> None:
        """Do it."""
        self.act()


class Processor(SpanProcessor):
    """Does something with each span, as it starts or as it ends."""

    def __init__(self, act: Act, *, at_start: bool) -> None:
        self.act, self.at_start = act, at_start

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        """Do it, if it is the time."""
        if self.at_start:
            self.act()

    def on_end(self, span: ReadableSpan) -> None:
        """Do it, if it is the time."""
        if not self.at_start:
            self.act()


class Meters(NoOpMeterProvider):
    """Does something with each number that is measured."""

    def __init__(self, act: Act) -> None:
        self.act = act

    def get_meter(self, name: str, *_: Any, **__: Any) -> Any:
        """A meter whose instruments do it."""
        return ActingMeter(name, self.act)


class ActingMeter(NoOpMeter):
    """A meter whose instruments do something with each number."""

    def __init__(self, name: str, act: Act) -> None:
        super().__init__(name)
        self.add = self.record = lambda *_: act()

    def create_counter(self, *_: Any, **__: Any) -> Any:
        """One."""
        return self

    def create_histogram(self, name: str, unit: str = "", description: str = "", **__: Any) -> Any:
        """One."""
        return self


class Exporter(SpanExporter):
    """Does something with each span that is exported."""

    def __init__(self, act: Act) -> None:
        self.act = act

    def export(self, spans: Any) -> SpanExportResult:
        """Do it."""
        self.act()
        return SpanExportResult.SUCCESS


@contextmanager
def logger(*, handler: logging.Handler | None = None, test: Any = None) -> Generator[None]:
    """The library's logger with a handler or a filter, telling everything."""
    log = logging.getLogger("resilient_stream")
    level = log.level
    log.setLevel(logging.DEBUG)
    if handler is not None:
        log.addHandler(handler)
    if test is not None:
        log.addFilter(test)
    try:
        yield
    finally:
        log.setLevel(level)
        if handler is not None:
            log.removeHandler(handler)
        if test is not None:
            log.removeFilter(test)


@contextmanager
def nothing() -> Generator[None]:
    """No surroundings."""
    yield


def watched(kind: str, act: Act) -> tuple[RetryPolicy, AbstractContextManager[None]]:
    """A policy and surroundings in which a watcher of this kind does something."""

    def as_filter(record: logging.LogRecord) -> bool:
        act()
        return True

    if kind == "handler":
        return HASTY, logger(handler=Handler(act))
    if kind == "filter":
        return HASTY, logger(test=as_filter)
    if kind == "meter":
        return HASTY.replace(observers=(Telemetry(TracerProvider(), Meters(act)),)), nothing()
    if kind in ("on_start", "on_end", "export"):
        tracers = TracerProvider(shutdown_on_exit=False)
        made = (
            SimpleSpanProcessor(Exporter(act))
            if kind == "export"
            else Processor(act, at_start=kind == "on_start")
        )
        tracers.add_span_processor(made)
        return HASTY.replace(observers=(Telemetry(tracers),)), nothing()
    return HASTY.replace(observers=(At(act, kind.removeprefix("every point")),)), nothing()


KINDS = ["handler", "filter", "on_start", "on_end", "export", "meter", "every point", *POINTS]
RAISED = (RuntimeError, StopIteration, StopAsyncIteration, RecursionError, MemoryError, KeyError)
"""What code that is not ours may raise; some of these end a generator that lets them through."""


class Leave(BaseException):
    """Meant for the whole program."""


def in_turn(pairs: list[tuple[str, World]]) -> pytest.MarkDecorator:
    """Each kind of watcher in the worlds that are given."""
    ids = [f"{kind}-{world.name}" for kind, world in pairs]
    return pytest.mark.parametrize(("kind", "world"), pairs, ids=ids)


def told(client: anthropic.Anthropic) -> str:
    """The text of one stream."""
    with client.messages.stream(model=USER_TURN_MODEL, max_tokens=4096, messages=ASK) as stream:
        return "".join(stream.text_stream)


@through(KINDS)
def test_a_watcher_that_raises(name: str, door: Door) -> None:
    """A stream that is resumed is whole, and one that is given up ends as its failure, whatever a watcher raises, even
    where it logs what it raised."""
    raised: list[type[Exception]] = []

    def act() -> None:
        raised.append(RAISED[len(raised) % len(RAISED)])
        raise raised[-1]("a watcher")

    policy, surroundings = watched(name, act)
    with stand_in(Status(529), cut_at(2000), cut_at(100)) as server, surroundings:
        seen = door.stream(server.url, policy)
    assert (seen.ending, seen.text, seen.report.outcome) == ("whole", TEXT, "completed")
    policy, surroundings = watched(name, act)
    with stand_in(always=Status(529)) as server, surroundings:
        seen = door.stream(server.url, policy.replace(max_barren_attempts=2))
    assert (seen.ending, seen.report.outcome) == ("529", "failed")
    assert raised


@in_turn(list(zip(KINDS, cycle(WORLDS[:2]))))
def test_a_watcher_that_calls_back(kind: str, world: World) -> None:
    """A watcher may stream a message of its own, which is watched too, from wherever it is called."""
    within = threading.Lock()
    texts: list[str] = []

    def act() -> None:
        if within.acquire(blocking=False):
            try:
                texts.append(told(clients[0]))
            finally:
                within.release()

    policy, surroundings = watched(kind, act)
    with (
        stand_in(cut_at(3000)) as server,
        surroundings,
        anthropic.Anthropic(api_key="k", base_url=server.url) as client,
    ):
        clients = [resilient(client, policy)]
        assert world.stream(server.url, policy).text == TEXT
    assert set(texts) <= {TEXT}


@in_turn([*zip(KINDS, cycle(WORLDS[:1])), *zip(KINDS, cycle(WORLDS[1:]))])
def test_a_watcher_that_wants_the_program_to_end(kind: str, world: World) -> None:
    """What is no `Exception` leaves, and nothing stays behind: no connection is open, and the next stream is whole."""
    left: list[str] = []

    def act() -> None:
        if not left:
            left.append(kind)
            raise Leave(kind)

    policy, surroundings = watched(kind, act)
    with stand_in(cut_at(3000), cut_at(3000)) as server, surroundings:
        try:
            world.stream(server.url, policy)
        except Leave:
            assert left == [kind]
        else:
            assert left == [] or kind in ("on_end", "export", "meter")
        assert server.wait_closed()
        assert world.stream(server.url, policy).text == TEXT


def test_one_telemetry_sees_the_streams_of_every_door_alike() -> None:
    """In one process: the same spans with the same attributes, and faults that add up under the same ones."""
    traces, told = Traces(), list[str]()
    for door in (Door("sdk"), Door("httpx"), Door("httpx2", "asyncio")):
        with stand_in(Status(529), cut_at(2000, "rst")) as server:
            assert door.stream(server.url, HASTY.replace(observers=(traces.telemetry,))).text == TEXT
        told.append(traces.text)
        traces.clear()
    assert told[0].startswith("chat")
    assert told == [told[0]] * 3
    assert [number for number, _ in traces.numbers()["faults"]] == [3, 3]


def test_an_observer_without_anything() -> None:
    """Not even its attributes can be looked at."""
    policy = HASTY.replace(observers=())
    object.__setattr__(policy, "observers", (Unfound(),))
    with stand_in(cut_at(3000)) as server, anthropic.Anthropic(api_key="k", base_url=server.url) as client:
        text = told(resilient(client, policy))
    assert text == TEXT
