"""Laws that hold in every world: written once, run sync, under asyncio and under trio.

A law is a coroutine function that is given a `Stage`: one stream with a scripted upstream, on a clock
that moves only when somebody waits. In the sync world nothing in it ever suspends, so it is run to
its end by one `send`. The base class, or the protocol, says what each method does.
"""
# ruff: noqa: D102

from __future__ import annotations

import asyncio
import contextlib
import selectors
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import anyio
import anyio.abc
import anyio.lowlevel
import pytest
import trio.testing

from resilient_stream._core.failures import Failure
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Action, Send
from resilient_stream._core.plan.planner import Planner
from resilient_stream._core.record.lifecycle import Note
from resilient_stream._core.verdict import GiveUp, History, Judge, Limit, Retry
from resilient_stream._driver.async_driver import AsyncDriver
from resilient_stream._driver.runtime import Runtime
from resilient_stream._driver.shared import AsyncKeep
from resilient_stream._driver.sync_driver import Driver
from resilient_stream._driver.upstream import Head
from resilient_stream._telemetry.observers import Watch

from .loops import on_loop
from .machines import Alone
from .settings import settings_with

SYNC, ASYNC = ("sync",), ("asyncio", "trio")
"""The worlds whose time can be virtual; that of uvloop can't."""

PROMPTLY = 60.0
"""Real seconds after which something that should have happened at once is said not to have."""

REQUEST = {"model": "claude-opus-5", "max_tokens": 4000, "messages": [{"role": "user", "content": "Tides?"}]}

Result = TypeVar("Result")


# -- time ------------------------------------------------------------------------------------------


@dataclass
class Clock:
    """A clock that somebody turns."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class _Jumping(selectors.DefaultSelector):
    """Where nothing is ready, time goes on to when the loop next has to do something."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "every task waits for another"
            self.clock.now += max(0.0, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose time passes only in waits, and at once."""

    def __init__(self) -> None:
        self.clock = Clock()
        super().__init__(_Jumping(self.clock))

    def time(self) -> float:
        return self.clock.now


def run(world: str, law: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run a coroutine function in a world, on its virtual clock if it has one."""
    if world == "uvloop":
        return on_loop(world, law)
    if world == "asyncio":
        return anyio.run(law, backend="asyncio", backend_options={"loop_factory": VirtualLoop})
    if world == "trio":
        clock = trio.testing.MockClock(autojump_threshold=0)
        return anyio.run(law, backend="trio", backend_options={"clock": clock})
    coroutine = law()
    try:
        coroutine.send(None)
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]  # a coroutine's value is of its result type
    coroutine.close()
    raise AssertionError("nothing may suspend in the sync world")


def in_worlds(
    *worlds: str,
) -> Callable[[Callable[[Stage], Coroutine[Any, Any, None]]], Callable[[str], None]]:
    """Make a test of a law, one for each of the worlds."""

    def decorate(law: Callable[[Stage], Coroutine[Any, Any, None]]) -> Callable[[str], None]:
        @pytest.mark.parametrize("world", worlds)
        def test(world: str) -> None:
            async def whole() -> None:
                async with stage(world) as made:
                    await law(made)

            run(world, whole)

        test.__name__, test.__qualname__, test.__doc__ = law.__name__, law.__qualname__, law.__doc__
        return test

    return decorate


everywhere = in_worlds(*SYNC, *ASYNC)


def elsewhere(act: Callable[[], object]) -> None:
    """Do something in another thread, and see that it is done at once."""
    raised: list[BaseException] = []

    def run_it() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - raised again below
            raised.append(error)

    thread = threading.Thread(target=run_it, daemon=True)
    thread.start()
    thread.join(PROMPTLY)
    assert not thread.is_alive(), "it should have returned at once"
    for error in raised:
        raise error


# -- the scripted upstream -------------------------------------------------------------------------


@dataclass(frozen=True)
class Takes:
    """The answer comes after so many seconds."""

    seconds: float
    then: Any


@dataclass(frozen=True)
class Closed:
    """While the call is under way another thread or task closes the stream; then the answer comes."""

    then: Any


@dataclass(frozen=True)
class Interrupted:
    """Another thread or task closes the stream; the answer comes only once the call is interrupted."""

    then: Any


FOREVER = Takes(1e9, None)

END = object()
"""What no stream hands over."""

HEAD = Head(200, "req_1")


@dataclass
class Scripted:
    """What both fakes have: a script to answer from, and a log of what they were asked."""

    stage: Stage
    steps: list[Any]
    log: list[tuple[str, float]] = field(default_factory=list)
    """What was called and when."""
    patience: list[float] = field(default_factory=list)
    """The patience of each call that has one."""
    sent: list[Send] = field(default_factory=list)
    held: bool = False
    """A response is open."""
    released: int = 0
    """Responses given back."""
    given_back: list[float] = field(default_factory=list)
    """When."""
    iterated: int = 0
    """Chunks that the iterator was asked for."""

    event: ClassVar[Any]

    def __post_init__(self) -> None:
        self.interrupted = self.event()

    def asked(self, what: str, patience: float) -> Any:
        """Note a call, and find its answer."""
        self.log.append((what, self.stage.now()))
        self.patience.append(patience)
        assert self.steps, f"an unexpected {what}"
        return self.steps.pop(0)

    def answer(self, step: Any) -> Any:
        """The answer, or the exception that it is."""
        if isinstance(step, BaseException):
            raise step
        self.held = self.held or step is HEAD
        return step

    def failed(self, error: Exception) -> Failure:
        """The failure that was raised in place of a chunk."""
        if isinstance(error, Broken):
            return error.failure
        raise error

    def give_back(self) -> None:
        """Release what is open."""
        self.released += self.held
        self.given_back += [self.stage.now()] * self.held
        self.held = False

    def times(self, what: str) -> list[float]:
        """When something was asked."""
        return [when for name, when in self.log if name == what]


class SyncScripted(Scripted):
    """The sync upstream."""

    event = threading.Event

    def send(self, action: Send) -> Any:
        self.sent.append(action)
        self.give_back()
        return self._play(self.asked("send", action.patience))

    def read(self, patience: float) -> Any:
        return self._play(self.asked("read", patience))

    def chunks(self, patience: float) -> Iterator[bytes]:
        while True:
            self.iterated += 1
            if (got := self.read(patience)) is None:
                return
            if isinstance(got, Failure):
                raise Broken(got)
            yield got

    def release(self) -> None:
        self.give_back()

    def interrupt(self) -> None:
        self.interrupted.set()

    def error_for(self, failure: Failure) -> Broken:
        return Broken(failure)

    def _play(self, step: Any) -> Any:
        match step:
            case Takes(seconds, then):
                self.stage.pass_time(seconds)
                return self._play(then)
            case Closed(then):
                elsewhere(self.stage.driver.close)
                return self._play(then)
            case Interrupted(then):
                elsewhere(self.stage.driver.close)
                assert self.interrupted.wait(PROMPTLY), "the call should have been interrupted"
                return self._play(then)
            case _:
                return self.answer(step)


class _Chunks:
    """The chunks of an async upstream. A generator would want to be closed."""

    def __init__(self, upstream: AsyncScripted, patience: float) -> None:
        self._upstream, self._patience = upstream, patience

    def __aiter__(self) -> _Chunks:
        return self

    async def __anext__(self) -> bytes:
        self._upstream.iterated += 1
        got = await self._upstream.read(self._patience)
        if got is None:
            raise StopAsyncIteration
        if isinstance(got, Failure):
            raise Broken(got)
        assert isinstance(got, bytes)
        return got


class AsyncScripted(Scripted):
    """The async upstream."""

    event = anyio.Event

    async def send(self, action: Send) -> Any:
        self.sent.append(action)
        self.give_back()
        return await self._play(self.asked("send", action.patience))

    async def read(self, patience: float) -> Any:
        return await self._play(self.asked("read", patience))

    def chunks(self, patience: float) -> AsyncIterator[bytes]:
        return _Chunks(self, patience)

    async def release(self) -> None:
        self.give_back()

    def interrupt(self) -> None:
        self.interrupted.set()

    def error_for(self, failure: Failure) -> Broken:
        return Broken(failure)

    async def _play(self, step: Any) -> Any:
        match step:
            case Takes(seconds, then):
                await anyio.sleep(seconds)
                return await self._play(then)
            case Closed(then):
                await self._close_elsewhere()
                return await self._play(then)
            case Interrupted(then):
                await self._close_elsewhere()
                with anyio.fail_after(PROMPTLY):
                    await self.interrupted.wait()
                return await self._play(then)
            case _:
                return self.answer(step)

    async def _close_elsewhere(self) -> None:
        async with anyio.create_task_group() as others:
            others.start_soon(self.stage.driver.aclose)


# -- the machine's surroundings --------------------------------------------------------------------


class Broken(Exception):
    """What the machines of these laws raise."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.kind)
        self.failure = failure


@dataclass
class Waits(Alone):
    """A judge who lets each failure be followed by the next of these waits, and then gives up."""

    seconds: list[float]
    limit: Limit | None = None
    turns: list[Retry] = field(default_factory=list)
    """Answers to the first questions for a turn."""

    def turn(self, now: float) -> Retry | GiveUp | None:
        """The next answer; then it is the stream's turn."""
        return self.turns.pop(0) if self.turns else None

    def verdict(self, failure: Failure, history: History, error: BaseException) -> Retry | GiveUp:
        """The next wait."""
        return Retry(self.seconds.pop(0), "the law") if self.seconds else GiveUp("the law", self.limit)


class _VirtualEvent(threading.Event):
    """An event in whose waits the stage's time passes."""

    def __init__(self, stage: SyncStage) -> None:
        super().__init__()
        self.stage = stage

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None, "nobody would ever set it"
        if not self.is_set():
            self.stage.pass_time(timeout, until=self.is_set)
        return self.is_set()


# -- the stages ------------------------------------------------------------------------------------


class Stage:
    """One stream with a scripted upstream, on a virtual clock."""

    world: str
    driver: Any
    pieces: Any
    """What iterates it, of the sync world."""
    machine: Machine
    upstream: Any
    watch: Watch | None = None
    """Who watches the stream that is made next."""
    keep: Callable[[bytes, list[Note]], None] | None = None
    """Who keeps what the stream that is made next hands over."""
    first: Action | None = None
    """What the driver begins with, where its machine has begun."""
    error_for: Callable[[Failure], BaseException] = staticmethod(Broken)
    """Makes the exceptions of the stream that is made next."""

    def now(self) -> float:
        """The time on the stage."""
        raise NotImplementedError

    def pass_time(self, seconds: float) -> None:
        """Let time pass in the consumer."""
        raise NotImplementedError

    def later(self, seconds: float, act: Callable[[], Any]) -> None:
        """Have another thread or task do something, in so many seconds."""
        raise NotImplementedError

    def stream(
        self,
        *steps: Any,
        waits: Sequence[float] = (),
        begin: Callable[[Machine], Action] | None = None,
        judge: Judge | None = None,
        **settings: Any,
    ) -> Any:
        """A driver whose upstream answers so; ``begin`` begins its machine where the driver does not."""
        known = settings_with(**settings)
        judge = judge or Waits([*waits])
        self.machine = Machine(
            planner=Planner(REQUEST, known, set()), settings=known, judge=judge, error_for=self.error_for
        )
        self.first = None if begin is None else begin(self.machine)
        return self._make(list(steps))

    def _make(self, steps: list[Any]) -> Any:
        raise NotImplementedError

    async def open(self) -> Any:
        """Open the driver."""
        raise NotImplementedError

    async def next(self) -> bytes | None:
        """The next bytes; None at the end."""
        raise NotImplementedError

    def drop(self) -> None:
        """Hold on to the driver no more."""
        self.driver = self.pieces = None

    async def whole(self) -> bytes:
        """Open the driver, and all bytes to the end."""
        await self.open()
        return await self.rest()

    async def rest(self) -> bytes:
        """All bytes to the end."""
        out = b""
        while (chunk := await self.next()) is not None:
            out += chunk
        return out

    async def close(self) -> None:
        """Close the driver."""
        raise NotImplementedError


class SyncStage(Stage):
    """A stage for the sync driver."""

    def __init__(self) -> None:
        self.world = "sync"
        self._clock = Clock()
        self._alarms: list[tuple[float, Callable[[], Any]]] = []

    def now(self) -> float:
        return self._clock.now

    def pass_time(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        end = self._clock.now + seconds
        while self._alarms and self._alarms[0][0] <= end:
            self._clock.now, act = self._alarms.pop(0)
            elsewhere(act)
            if until():
                return
        self._clock.now = end

    def later(self, seconds: float, act: Callable[[], Any]) -> None:
        self._alarms.append((self._clock.now + seconds, act))

    def _make(self, steps: list[Any]) -> Any:
        self.upstream = SyncScripted(self, steps)
        runtime = Runtime(clock=self._clock)
        self.driver = Driver(
            self.machine, self.upstream, runtime, self.watch, first=self.first, keep=self.keep
        )
        assert type(self.driver._closing) is threading.Event
        self.driver._closing = _VirtualEvent(self)
        self.pieces = iter(self.driver)
        return self.driver

    async def open(self) -> Any:
        return self.driver.open()

    async def next(self) -> bytes | None:
        try:
            return _chunk(next(self.pieces, END))
        except BaseException:
            self.pieces = iter(self.driver)  # one that has raised is over, whatever the driver is
            raise

    async def close(self) -> None:
        self.driver.close()


class AsyncStage(Stage):
    """A stage for the async driver."""

    def __init__(self, world: str, others: anyio.abc.TaskGroup) -> None:
        self.world, self._others = world, others
        self._passed, self._loop_time = 0.0, 0.0

    def now(self) -> float:
        with contextlib.suppress(RuntimeError):  # what is dropped after the law still asks
            self._loop_time = anyio.current_time()
        return self._loop_time + self._passed

    def pass_time(self, seconds: float) -> None:
        self._passed += seconds

    def later(self, seconds: float, act: Callable[[], Any]) -> None:
        async def in_time() -> None:
            await anyio.sleep(seconds)
            result = act()
            if isinstance(result, Awaitable):
                await result

        self._others.start_soon(in_time)

    def _make(self, steps: list[Any]) -> Any:
        self.upstream = AsyncScripted(self, steps)
        runtime, keep = Runtime(clock=self.now), None if self.keep is None else _later(self.keep)
        self.driver = AsyncDriver(
            self.machine, self.upstream, runtime, self.watch, first=self.first, keep=keep
        )
        return self.driver

    async def open(self) -> Any:
        return await self.driver.open()

    async def next(self) -> bytes | None:
        return _chunk(await anext(self.driver, END))

    async def close(self) -> None:
        await self.driver.aclose()


def _later(keep: Callable[[bytes, list[Note]], None]) -> AsyncKeep:
    async def kept(out: bytes, notes: list[Note]) -> None:
        await anyio.lowlevel.checkpoint()
        keep(out, notes)

    return kept


def _chunk(got: bytes | object) -> bytes | None:
    assert got is END or isinstance(got, bytes)
    return got if isinstance(got, bytes) else None


@asynccontextmanager
async def stage(world: str) -> AsyncGenerator[Stage]:
    """The stage of a world."""
    if world == "sync":
        yield SyncStage()
        return
    async with anyio.create_task_group() as others:
        yield AsyncStage(world, others)
        others.cancel_scope.cancel()


def closing(on: Stage) -> Any:
    """The call that closes a stage's stream, for another thread or task to make."""
    return on.driver.close if on.world == "sync" else on.driver.aclose
