"""Observers: who is told what, and when."""
# ruff: noqa: D102 -- the base class says what each method is for

from __future__ import annotations

import gc
import inspect
import logging
import sys
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

import anyio
import pytest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

from resilient_stream import Observer, RetryPolicy
from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.record.lifecycle import EndRecord, What
from resilient_stream._driver import finalizer as _collected
from resilient_stream._telemetry.logs import LOGS
from resilient_stream._telemetry.observers import StreamRecord, Watch
from resilient_stream.errors import PolicyError
from resilient_stream.otel import Telemetry
from resilient_stream.testing import sse_events
from tests.support.stages import ASYNC, HEAD, Broken, Closed, Stage, everywhere, in_worlds

EVENTS = sse_events("The tide comes in twice a day, and goes out as often.")
WHOLE = b"".join(EVENTS)
BEGUN = b"".join(EVENTS[:5])
RESET = Failure(Kind.RESET, Phase.BODY, detail="ReadError")
REFUSED = Failure(Kind.CONNECT, Phase.CONNECT, detail="ConnectError")

CURRENT: ContextVar[str] = ContextVar("CURRENT", default="nothing")


class Ear(Observer):
    """Notes all it is told, and the time on the stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.heard: list[tuple[str, Any, float]] = []
        self.streams: set[StreamRecord] = set()

    @property
    def words(self) -> list[str]:
        """What it was told, without the records."""
        return [word for word, _, _ in self.heard]

    def when(self, word: str) -> list[float]:
        """When it was told something."""
        return [time for what, _, time in self.heard if what == word]

    def last(self) -> Any:
        """The last record."""
        return self.heard[-1][1]


def _hears(name: str) -> Any:
    def hear(self: Ear, stream: StreamRecord, record: Any = None) -> None:
        self.streams.add(stream)
        self.heard.append((name.removeprefix("on_"), record, self.stage.now()))

    return hear


for _what in (*What, "stream"):
    setattr(Ear, f"on_{_what}", _hears(f"on_{_what}"))


def listening(stage: Stage, *others: Observer) -> Ear:
    """An ear on the next stream of the stage."""
    ear = Ear(stage)
    stage.watch = Watch((*others, ear), "claude-opus-5")
    return ear


@everywhere
async def test_every_world_tells_the_same(stage: Stage) -> None:
    """What happened is told in order, sync and async, and the end is always last."""
    ear = listening(stage)
    stage.stream(REFUSED, HEAD, BEGUN, RESET, HEAD, WHOLE, None, waits=[0.5, 0.0])
    await stage.whole()
    assert ear.words == [
        *("stream", "attempt", "failure", "wait", "waited"),
        *("attempt", "content", "resume", "failure"),
        *("attempt", "content", "resume", "end"),
    ]
    assert ear.last().outcome == "completed"
    assert {stream.model for stream in ear.streams} == {"claude-opus-5"}


@everywhere
async def test_what_is_about_to_happen_is_told_before(stage: Stage) -> None:
    """An attempt is told when its request is sent, a wait when it begins and when it is over."""
    ear = listening(stage)
    stage.stream(REFUSED, HEAD, WHOLE, None, waits=[7.0])
    began = stage.now()
    await stage.open()
    assert ear.when("wait") == [began]
    assert ear.when("waited") == ear.when("attempt")[1:] == stage.upstream.times("send")[1:] == [began + 7.0]


@everywhere
async def test_giving_up_is_told_before_it_is_raised(stage: Stage) -> None:
    """Whoever catches the error finds that the observers know."""
    ear = listening(stage)
    stage.stream(HEAD, BEGUN, RESET)
    with pytest.raises(Broken):
        await stage.whole()
    assert ear.words == ["stream", "attempt", "content", "failure", "give_up", "end"]
    assert (ear.last().outcome, ear.last().error) == ("failed", "Broken")


@everywhere
async def test_giving_up_before_the_head_is_told(stage: Stage) -> None:
    """What `open` returns has been told."""
    ear = listening(stage)
    stage.stream(REFUSED)
    await stage.open()
    assert ear.words[-3:] == ["failure", "give_up", "end"]


@everywhere
async def test_giving_up_between_two_heads_is_told(stage: Stage) -> None:
    """A resumption that never gets a head ends the stream with all that goes before it."""
    ear = listening(stage)
    stage.stream(HEAD, BEGUN, RESET, REFUSED, waits=[0.0])
    with pytest.raises(Broken):
        await stage.whole()
    assert ear.words[-4:] == ["attempt", "failure", "give_up", "end"]


@everywhere
async def test_closing_is_told_as_a_cancellation(stage: Stage) -> None:
    """A stream that is closed early ends, cancelled, once."""
    ear = listening(stage)
    stage.stream(HEAD, BEGUN)
    await stage.open()
    await stage.next()
    await stage.close()
    await stage.close()
    assert ear.words == ["stream", "attempt", "content", "end"]
    assert ear.last().outcome == "cancelled"


@everywhere
async def test_closing_from_elsewhere_is_told(stage: Stage) -> None:
    """Another thread or task that closes a stream while it is read ends it."""
    ear = listening(stage)
    stage.stream(HEAD, Closed(BEGUN))
    await stage.open()
    with pytest.raises(Broken):
        await stage.next()
    assert ear.last().outcome == "cancelled"


@everywhere
async def test_a_dropped_stream_ends(stage: Stage) -> None:
    """A stream that nobody closed ends when it is collected, opened or not."""
    for opened in (False, True):
        ear = listening(stage)
        stage.stream(HEAD, BEGUN)
        if opened:
            await stage.open()
            await stage.next()
        stage.drop()
        gc.collect()
        assert ear.last().outcome == "cancelled"
        assert ear.words.count("end") == 1


class Guarded(Observer):
    """Counts under a lock, as a metric does, and notes whether it got it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.got: list[bool] = []
        self.over = threading.Event()

    def on_end(self, stream: StreamRecord, end: EndRecord) -> None:
        self.got.append(self.lock.acquire(timeout=60))
        self.lock.release()
        self.over.set()


@everywhere
async def test_a_stream_may_be_collected_within_a_lock(stage: Stage) -> None:
    """The collector may come while its thread holds the very lock that telling takes."""
    guarded = Guarded()
    listening(stage, guarded)
    stage.stream(HEAD, BEGUN)
    await stage.open()
    await stage.next()
    with patch.object(_collected, "PATIENCE", 0.01), guarded.lock:
        stage.drop()
        gc.collect()
    assert guarded.over.wait(60)
    assert guarded.got == [True]


@everywhere
async def test_a_stream_dropped_at_exit_ends(stage: Stage) -> None:
    """Where no thread begins any more, the end is told all the same: Python refuses, or lets it never run."""
    refusing = patch.object(_collected, "start_new_thread", side_effect=RuntimeError)
    exiting = patch.object(sys, "is_finalizing", return_value=True)
    for leaving in (refusing, exiting):
        ear = listening(stage)
        stage.stream(HEAD, BEGUN)
        await stage.open()
        with leaving:
            stage.drop()
            gc.collect()
        assert ear.last().outcome == "cancelled"


@everywhere
async def test_a_whole_stream_ends_once(stage: Stage) -> None:
    """Neither closing nor collecting tells the end of a stream again."""
    ear = listening(stage)
    stage.stream(HEAD, WHOLE, None)
    await stage.whole()
    await stage.close()
    stage.drop()
    gc.collect()
    assert ear.words.count("end") == 1


@everywhere
async def test_an_exception_of_somebody_elses_ends_the_stream(stage: Stage) -> None:
    """What is no failure passes, and the stream has failed of its class, without a word of giving up."""
    for steps in ([KeyError("x")], [HEAD, KeyError("x")], [HEAD, BEGUN, RESET, KeyError("x")]):
        ear = listening(stage)
        stage.stream(*steps, waits=[0.0])
        with pytest.raises(KeyError):
            await stage.whole()
        assert "give_up" not in ear.words
        assert (ear.last().outcome, ear.last().error, ear.last().failure) == ("failed", "KeyError", None)
        await stage.close()
        assert ear.words.count("end") == 1


@in_worlds(*ASYNC)
async def test_a_cancelled_task_ends_its_stream(stage: Stage) -> None:
    """Cancelled before the head, nobody can close the stream: it ends at once, cancelled."""
    ear = listening(stage)
    stage.stream(REFUSED, waits=[1000.0])
    with anyio.move_on_after(5.0):
        await stage.open()
    assert ear.last().outcome == "cancelled"
    assert ear.last().duration == 5.0


class Slow(Observer):
    """Takes longer than any clock of the policy, at one point."""

    def __init__(self, stage: Stage, point: str) -> None:
        self.stage, self.point = stage, point

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith(("on_", "around_")) and name == self.point:
            self.stage.pass_time(10_000.0)
        return found


@everywhere
async def test_an_observer_that_blocks_is_not_taken_for_the_upstream(stage: Stage) -> None:
    """Only the upstream's own time counts against it: however long somebody looks at it, it has its patience."""
    patience: list[list[float]] = []
    for point in ("", *(f"on_{what}" for what in What), "on_stream", "around_request"):
        listening(stage, Slow(stage, point))
        stage.stream(REFUSED, HEAD, BEGUN, RESET, HEAD, *EVENTS, None, waits=[0.5, 0.0])
        await stage.whole()
        assert stage.machine.ledger.outcome == "completed"
        kinds = [one.failure and one.failure.kind for one in stage.machine.ledger.attempts]
        assert kinds == [Kind.CONNECT, Kind.RESET, None]
        patience.append(stage.upstream.patience)
        assert patience[-1] == patience[0]


class SlowHandler(logging.Handler):
    """Takes longer than any clock of the policy for a record."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage, self.handled = stage, 0

    def emit(self, record: logging.LogRecord) -> None:
        self.handled += 1
        self.stage.pass_time(10_000.0)


class SlowProcessor(SpanProcessor):
    """Takes longer than any clock of the policy for a span, when it starts and when it ends."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.stage.pass_time(10_000.0)

    def on_end(self, span: Any) -> None:
        self.stage.pass_time(10_000.0)


@everywhere
async def test_a_handler_or_a_span_processor_that_blocks_is_not_either(stage: Stage) -> None:
    """A log that is written to a slow disk and spans that are sent at once delay the stream, and no more."""
    tracers, handler = TracerProvider(shutdown_on_exit=False), SlowHandler(stage)
    tracers.add_span_processor(SlowProcessor(stage))
    logger = logging.getLogger("resilient_stream")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        listening(stage, LOGS, Telemetry(tracers))
        stage.stream(REFUSED, HEAD, BEGUN, RESET, HEAD, *EVENTS, None, waits=[0.5, 0.0])
        await stage.whole()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert handler.handled
    kinds = [one.failure and one.failure.kind for one in stage.machine.ledger.attempts]
    assert kinds == [Kind.CONNECT, Kind.RESET, None]
    assert max(stage.upstream.patience) < 10_000.0


class Clumsy(Observer):
    """Raises whatever it is told."""

    def on_stream(self, stream: StreamRecord) -> None:
        raise ValueError("clumsy")

    def on_attempt(self, stream: StreamRecord, attempt: Any) -> None:
        raise ValueError("clumsy again")

    def around_request(self, stream: StreamRecord) -> AbstractContextManager[None]:
        raise ValueError("clumsy around")


@everywhere
async def test_an_observer_that_raises_breaks_nothing(stage: Stage) -> None:
    """The stream is whole, and the other observers are told all."""
    ear = listening(stage, Clumsy())
    stage.stream(HEAD, WHOLE, None)
    assert await stage.whole() == WHOLE
    assert ear.words == ["stream", "attempt", "content", "end"]


def test_what_an_observer_raises_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """One line for each observer, however often it raises, in however many streams."""
    clumsy = Clumsy()
    with caplog.at_level(logging.DEBUG, "resilient_stream"):
        for _ in range(3):
            Watch((clumsy,))
        Watch((Clumsy(),))
    assert [record.getMessage() for record in caplog.records] == [
        "the observer Clumsy raised; the stream is not affected"
    ] * 2


class Around(Observer):
    """Makes itself current around requests, and swallows what it can."""

    def __init__(self) -> None:
        self.log: list[str] = []

    @contextmanager
    def _around(self) -> Generator[None]:
        token = CURRENT.set("request")
        self.log.append("enter")
        try:
            yield
        except BaseException:  # noqa: BLE001 -- swallowing is what must not work
            self.log.append("swallowed")
        finally:
            self.log.append("exit")
            CURRENT.reset(token)

    def around_request(self, stream: StreamRecord) -> AbstractContextManager[None]:
        return self._around()


@everywhere
async def test_a_context_is_current_only_around_a_request(stage: Stage) -> None:
    """While a request is sent, and at no time that the consumer could see."""
    seen: list[str] = []
    listening(stage, around := Around())
    stage.stream(HEAD, BEGUN, RESET, HEAD, WHOLE, None, waits=[0.0])
    asked = stage.upstream.asked

    def looked_at(what: str, patience: float) -> Any:
        seen.append(f"{what} {CURRENT.get()}")
        return asked(what, patience)

    stage.upstream.asked = looked_at
    await stage.open()
    assert CURRENT.get() == "nothing"
    while await stage.next() is not None:
        assert CURRENT.get() == "nothing"
    assert set(seen) == {"send request", "read nothing"}
    assert around.log == ["enter", "exit"] * 2


@everywhere
async def test_no_context_swallows_an_exception(stage: Stage) -> None:
    """What passes through a request passes through every observer's context."""
    listening(stage, around := Around())
    stage.stream(KeyError("x"))
    with pytest.raises(KeyError):
        await stage.open()
    assert around.log == ["enter", "exit"]


class BadExit(Around):
    """Its context can't be left."""

    @contextmanager
    def _around(self) -> Generator[None]:
        yield
        raise ValueError("stuck")


@everywhere
async def test_a_context_that_raises_breaks_nothing(stage: Stage) -> None:
    """Neither on the way in nor on the way out."""
    listening(stage, Clumsy(), BadExit())
    stage.stream(HEAD, WHOLE, None)
    assert await stage.whole() == WHOLE


class Closer(Observer):
    """Wants no more after the first content."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def on_content(self, stream: StreamRecord, attempt: Any) -> None:
        self.stage.driver.close()


@in_worlds("sync")
async def test_an_observer_may_close_the_stream(stage: Stage) -> None:
    """Closing from inside does not lock up."""
    ear = listening(stage, Closer(stage))
    stage.stream(HEAD, BEGUN, EVENTS[5])
    await stage.open()
    with pytest.raises(Broken):
        await stage.next()
    assert ear.last().outcome == "cancelled"


def test_streams_are_told_apart_by_their_ids() -> None:
    """No two streams are equal, and a stream stays equal to itself once its server is known."""
    one, two = Watch(), Watch()
    assert one.stream != two.stream
    before = one.stream
    one.answered_by(server_address="api.anthropic.com")
    assert (one.stream, hash(one.stream)) == (before, hash(before))
    assert (before.server_address, one.stream.server_address) == (None, "api.anthropic.com")


def test_every_note_has_its_method() -> None:
    """What the machine can tell, an observer can hear."""
    methods = {name for name, _ in inspect.getmembers(Observer, inspect.isfunction) if name.startswith("on_")}
    assert methods == {f"on_{what}" for what in What} | {"on_stream"}


def test_an_observer_that_hears_nothing_does_nothing() -> None:
    """Every method may be left out."""
    observer, stream = Observer(), StreamRecord(1)
    for what in What:
        assert getattr(observer, f"on_{what}")(stream, None) is None
    assert observer.around_request(stream) is None


class Later(Observer):
    """Would have to be awaited."""

    async def on_end(self, stream: StreamRecord, end: Any) -> None:  # type: ignore[override]
        ...


@pytest.mark.parametrize("wrong", ["Ear", [print], [Observer], [None], 3, Observer()])
def test_a_policy_takes_only_observers(wrong: Any) -> None:
    """A class, a function or a name is told at once."""
    with pytest.raises(PolicyError, match="observers"):
        RetryPolicy(observers=wrong)


def test_an_observer_must_be_plain() -> None:
    """A method that would have to be awaited would never be heard."""
    with pytest.raises(PolicyError, match=r"Later\.on_end should be a plain method"):
        RetryPolicy(observers=[Later()])


def test_a_policy_keeps_its_observers() -> None:
    """The very objects, in order, in every copy."""
    mine = (Observer(), Around())
    policy = RetryPolicy(observers=[*mine]).replace(max_attempts=3)
    assert policy.observers == mine
