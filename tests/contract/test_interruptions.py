"""What a signal handler or another thread raises in the middle of a stream leaves it at once, as it is."""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from resilient_stream import Observer, RetryPolicy
from resilient_stream.testing import Late, Stall, StandIn, Status
from tests.support.doors import Door, entered, every_sync_door
from tests.support.worlds import HASTY, TEXT

FOREVER = 300.0


class Mine(Exception):
    """A class of the user's."""


KINDS = pytest.mark.parametrize("kind", [TimeoutError, OSError, ConnectionResetError, Mine])


def read(door: Door, url: str, policy: RetryPolicy) -> None:
    """Read a stream to its end; the SDK's own retries are on."""

    async def law() -> None:
        async with entered(door.client(url, policy, timeout=FOREVER)) as client:
            async for _ in door.pieces(await door.open(client)):
                pass

    door.run(law)


PLACES: dict[str, tuple[Any, str]] = {
    "waiting for the head": (Late(FOREVER), "read"),
    "reading the body": (Stall(after=7), "read"),
    "waiting to try again": (Status(529), "wait"),
}
"""What the first request meets, and the function in which the thread then is."""


def is_in(frame: FrameType | None, name: str) -> bool:
    """Whether a frame is that of the network's read, or of a wait between two attempts."""
    if frame is None or frame.f_code.co_name != name:
        return False
    module = str(frame.f_globals["__name__"])
    return module == "threading" if name == "wait" else module.startswith(("httpcore2.", "httpcore."))


@contextmanager
def alarm(error: BaseException, name: str) -> Generator[None]:
    """A timer that goes off again and again, and raises once it finds the thread there."""

    def handler(number: int, frame: FrameType | None) -> None:
        if is_in(frame, name):
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise error

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@every_sync_door
@KINDS
@pytest.mark.parametrize("place", PLACES)
def test_what_a_signal_handler_raises_is_the_users(door: Door, kind: type[Exception], place: str) -> None:
    """The very exception comes out, whatever its class, and nothing is sent after it."""
    fault, name = PLACES[place]
    policy = HASTY.replace(overload_wait_initial=20.0, overload_wait_max=20.0, wait=lambda _: 20.0)
    error = kind("time is up")
    with StandIn(reply=TEXT, faults=[fault]) as server:
        with alarm(error, name), pytest.raises(kind) as raised:
            read(door, server.url, policy)
        assert raised.value is error
        assert len(server.requests) <= 1  # the timer may be quicker than the server


@KINDS
@pytest.mark.parametrize("place", ["waiting for the head", "reading the body"])
def test_what_another_thread_raises_is_the_users(kind: type[Exception], place: str) -> None:
    """By ``PyThreadState_SetAsyncExc``, which Python does once the read that blocks is over."""
    fault, name = PLACES[place]
    policy = HASTY.replace(first_event_timeout=0.3, silence_timeout=0.3)
    me, over = threading.get_ident(), threading.Event()

    def interrupt() -> None:
        while not is_in(sys._current_frames().get(me), name):
            if over.wait(0.01):
                return
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(me), ctypes.py_object(kind))

    thread = threading.Thread(target=interrupt)
    with StandIn(reply=TEXT, faults=[fault]) as server:
        thread.start()
        try:
            with pytest.raises(kind) as raised:
                read(Door("sdk"), server.url, policy)
        finally:
            over.set()
            thread.join()
        assert raised.type is kind
        assert len(server.requests) <= 1  # the timer may be quicker than the server


@KINDS
def test_what_is_raised_while_an_observer_is_told_is_the_users(kind: type[Exception]) -> None:
    """It is not taken for a fault of the observer's."""
    error = kind("time is up")

    def handler(number: int, frame: FrameType | None) -> None:
        raise error

    class Slow(Observer):
        def on_content(self, stream: Any, attempt: Any) -> None:
            signal.raise_signal(signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with StandIn(reply=TEXT) as server, pytest.raises(kind) as raised:
            read(Door("sdk"), server.url, HASTY.replace(observers=[Slow()]))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert raised.value is error


def test_the_networks_own_timeout_is_none_of_that() -> None:
    """The same classes from the network are retried as ever."""
    with StandIn(reply=TEXT, faults=[Stall(after=7)]) as server:
        read(Door("sdk"), server.url, HASTY.replace(silence_timeout=0.2))
        assert len(server.requests) == 2
