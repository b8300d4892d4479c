import asyncio
from collections.abc import Callable
from typing import Any

from resilient_stream._gateway.downstream import PING, Downstream
from resilient_stream._gateway.pings import Pings


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def stream(clock: Callable[[], float]) -> tuple[Downstream, list[bytes]]:
    """A response, and what was sent of it."""
    got = list[bytes]()

    async def send(message: Any) -> None:
        got.append(message["body"])

    return Downstream(send, clock), got


async def settled() -> None:
    """Whatever was begun has had its turn."""
    for _ in range(3):
        await asyncio.sleep(0)


def test_only_the_silent_are_pinged() -> None:
    """Never later than after ten seconds, and again after as many."""

    async def run() -> None:
        clock = Clock()
        pings = Pings(10.0, 1.0, clock)
        (quiet, got), (lively, other) = stream(clock), stream(clock)
        with pings.on(quiet), pings.on(lively):
            for second in range(1, 31):
                clock.now = second
                await lively.write(b"x")
                pings.look()
                await settled()
        assert got == [PING] * 3
        assert PING not in other

    asyncio.run(run())


def test_the_timer_runs_by_itself() -> None:
    """And ends with the last stream, so that nothing is left behind."""

    async def run() -> None:
        pings, twice = Pings(0.0, 0.001), asyncio.Event()
        got = list[bytes]()

        async def send(message: Any) -> None:
            got.append(message["body"])
            if len(got) == 2:
                twice.set()

        stream = Downstream(send)
        async with asyncio.timeout(5):
            with pings.on(stream):
                await twice.wait()
        assert stream.over
        pings.look()
        assert pings._timer is None
        with pings.on(stream):
            assert pings._timer is not None

    asyncio.run(run())


def test_who_does_not_read_is_not_pinged() -> None:
    """Nothing is begun for a client that has yet to take the last piece."""

    async def run() -> None:
        clock, taken = Clock(), asyncio.Event()
        pings = Pings(10.0, 1.0, clock)
        got = list[bytes]()

        async def send(message: Any) -> None:
            got.append(message["body"])
            await taken.wait()

        slow = Downstream(send, clock)
        with pings.on(slow):
            writing = asyncio.ensure_future(slow.write(b"x"))
            await settled()
            clock.now = 100.0
            pings.look()
            assert not pings._sending
            taken.set()
            await writing
            assert got == [b"x"]

    asyncio.run(run())
