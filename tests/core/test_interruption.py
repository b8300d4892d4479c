"""Exceptions that interrupt a call, and those that are the call's own."""

from __future__ import annotations

import _queue
import asyncio
import concurrent.futures
import ctypes
import functools
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, NoReturn

import anyio
import pytest
import trio

from resilient_stream._core.interruption import interrupts, quietly
from tests.support.stages import run


class Mine(Exception):
    """A class of the user's."""


CLASSES = [TimeoutError, OSError, ConnectionResetError, socket.timeout, Mine, ValueError]


def caught(act: Callable[[], object]) -> Exception:
    """What an act raises."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 -- whatever it is
        act()
    return raised.value


# -- interruptions ---------------------------------------------------------------------------------


def alarm(error: BaseException) -> Callable[[], None]:
    """A call in the middle of which a signal arrives whose handler raises this."""

    def handler(number: int, frame: object) -> NoReturn:
        raise error

    return signalled(handler)


def signalled(handler: Any) -> Callable[[], None]:
    """A call in the middle of which a signal arrives."""

    def call() -> None:
        before = signal.signal(signal.SIGUSR1, handler)
        try:
            signal.raise_signal(signal.SIGUSR1)
        finally:
            signal.signal(signal.SIGUSR1, before)

    return call


@pytest.mark.parametrize("kind", CLASSES)
def test_a_signal_handler_interrupts(kind: type[Exception]) -> None:
    """Whatever it raises, with words or without; the exception is the very one."""
    for error in (kind(), kind("time is up")):
        assert caught(alarm(error)) is error
        assert interrupts(error)


class Handler:
    """Handlers of other shapes."""

    def method(self, number: int, frame: object) -> NoReturn:
        """A bound method that lets something else raise."""
        int("no number")
        raise AssertionError

    def __call__(self, *given: object) -> NoReturn:
        """A callable object."""
        raise TimeoutError


def partial(why: str, number: int, frame: object) -> NoReturn:
    """With an argument of its own."""
    raise TimeoutError(why)


def once(number: int, frame: object) -> NoReturn:
    """Steps aside before it raises."""
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    raise TimeoutError


@pytest.mark.parametrize(
    "handler",
    [Handler().method, Handler(), functools.partial(partial, "why"), once, lambda *_: int("no number")],
    ids=["method", "object", "partial", "once", "lambda"],
)
def test_any_kind_of_handler_interrupts(handler: Any) -> None:
    """Methods, objects, partials, and those that let another function raise."""
    assert interrupts(caught(signalled(handler)))


def test_a_trace_function_interrupts() -> None:
    """A debugger's, as when its user stops the program."""

    def traced() -> int:
        return 1

    def trace(frame: Any, event: str, argument: object) -> Any:
        if frame.f_code is traced.__code__:
            raise TimeoutError("the user has had enough")
        return trace

    before = sys.gettrace()

    def call() -> None:
        sys.settrace(trace)
        try:
            traced()
        finally:
            sys.settrace(before)

    assert interrupts(caught(call))


@pytest.mark.parametrize("kind", CLASSES)
def test_another_thread_interrupts(kind: type[Exception]) -> None:
    """By ``PyThreadState_SetAsyncExc``, in whatever the thread does just then."""

    def call() -> None:
        me = ctypes.c_ulong(threading.get_ident())
        assert ctypes.pythonapi.PyThreadState_SetAsyncExc(me, ctypes.py_object(kind)) == 1
        for _ in range(10_000):
            str(_)

    assert interrupts(caught(call))


def test_what_was_made_of_an_interruption_is_none_itself() -> None:
    """Only the exception that interrupted is one; who asks looks at the causes, too."""

    def call() -> None:
        try:
            alarm(TimeoutError())()
        except TimeoutError as error:
            raise Mine from error

    error = caught(call)
    assert not interrupts(error)
    assert error.__cause__ is not None
    assert interrupts(error.__cause__)


# -- everything else -------------------------------------------------------------------------------


def timed_out() -> None:
    """A socket's own timeout, from C."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0.001)
        ours.recv(1)


def closed() -> None:
    """A socket that is closed."""
    ours, theirs = socket.socketpair()
    theirs.close()
    ours.close()
    ours.recv(1)


def refused() -> None:
    """A connection that is refused."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    socket.create_connection(("127.0.0.1", port))


def raises(kind: type[Exception]) -> None:
    """In Python, without a word."""
    raise kind


def wordless() -> None:
    """In C, without a word."""
    next(iter(()))


def emptied() -> None:
    """In C, without a word."""
    _queue.SimpleQueue[int]().get_nowait()


def in_a_future() -> None:
    """In another thread, and handed on."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(raises, TimeoutError).result()


def thrown() -> None:
    """Into a generator."""

    @contextmanager
    def context() -> Generator[None]:
        yield

    with context():
        raise OSError


OWN: dict[str, Callable[[], object]] = {
    "timed_out": timed_out,
    "closed": closed,
    "refused": refused,
    "a timeout without words": functools.partial(raises, TimeoutError),
    "an error without words": functools.partial(raises, OSError),
    "wordless": wordless,
    "emptied": emptied,
    "in_a_future": in_a_future,
    "thrown": thrown,
}


@pytest.mark.parametrize("name", OWN)
def test_what_a_call_raises_itself_interrupts_nothing(name: str) -> None:
    """From C or from Python, with words or without, in this thread or another."""
    assert not interrupts(caught(OWN[name]))


@pytest.mark.parametrize("world", ["asyncio", "trio"])
def test_a_deadline_of_an_event_loops_interrupts_nothing(world: str) -> None:
    """What waits in it is cancelled, and the timeout raised by whoever waits."""
    seen: list[Exception] = []

    async def main() -> None:
        for deadline in (anyio.fail_after, asyncio.timeout if world == "asyncio" else trio.fail_after):
            try:
                with_it: Any = deadline(0.001)
                if hasattr(with_it, "__aenter__"):
                    async with with_it:
                        await asyncio.Event().wait()
                else:
                    with with_it:
                        await anyio.sleep_forever()
            except (TimeoutError, trio.TooSlowError) as error:
                seen.append(error)

    run(world, main)
    assert [interrupts(error) for error in seen] == [False, False]


def test_an_exception_of_a_future_interrupts_nothing() -> None:
    """Though the loop puts it into the task that waits."""

    async def main() -> None:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(ConnectionResetError())
        await future

    assert not interrupts(caught(lambda: run("asyncio", main)))


def test_an_exception_that_nobody_raised_interrupts_nothing() -> None:
    """It has no traceback."""
    assert not interrupts(TimeoutError())


# -- dropping --------------------------------------------------------------------------------------


def test_what_is_of_no_consequence_is_dropped() -> None:
    """Of those kinds, and no other."""
    with quietly(OSError, ValueError):
        refused()
    with pytest.raises(KeyError), quietly(OSError):
        raise KeyError


def test_an_interruption_is_not_dropped() -> None:
    """Whatever it is of."""
    error = TimeoutError()
    with pytest.raises(TimeoutError) as raised, quietly(Exception):
        alarm(error)()
    assert raised.value is error
