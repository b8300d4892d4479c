"""One stream of a program with a journal: it begins, is replayed, or continues."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.revival import revive
from resilient_stream._core.loop.states import Action
from resilient_stream._driver.async_driver import AsyncDriver
from resilient_stream._driver.sync_driver import Driver
from resilient_stream._driver.upstream import AsyncUpstream, Upstream
from resilient_stream._session.context import StreamContext

from . import record
from .keeper import Keeper
from .upstream import AsyncKeptUpstream, KeptUpstream

PIECE: Final = 65_536
"""About how many bytes a replay delivers at once."""


@dataclass(slots=True)
class Session:
    """What a journal has of a stream that a program asks for."""

    context: StreamContext
    keeper: Keeper | None
    """Writes it from now on; None if it is complete."""
    frames: list[bytes]
    """The frames that were delivered before."""
    kept: record.Kept
    again: bool = False
    """It had ended, was given up, or was left."""
    tag: str = ""
    """The tag of the stream's cursors."""

    @property
    def fresh(self) -> bool:
        """Whether there is nothing to replay: the stream begins as any other."""
        return self.keeper is not None and not self.frames and self.kept.ledger is None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of its first response that readers look at."""
        ids = [each.request_id for each in self.context.record.ledger.attempts if each.request_id]
        return {"content-type": "text/event-stream", **({"request-id": ids[0]} if ids else {})}

    def refill(self) -> None:
        """Fill the stream's record with what was stored."""
        goes_on = self.keeper is not None
        record.refill(self.context.record, self.kept, self.frames, began=self._began, goes_on=goes_on)

    @property
    def _began(self) -> float:
        """When the call was made, by the clock of this process."""
        runtime = self.context.runtime
        return runtime.clock() - (runtime.wall() - self.kept.began if self.kept.began else 0.0)

    def driver(self, upstream: Upstream) -> Driver:
        """The driver of a stream that continues or begins."""
        machine = self.context.machine(upstream.error_for)
        keeper, context = self._begin(machine)
        first, kept = self._first(machine), KeptUpstream(upstream, keeper)
        source = kept if context.settings.holds("server_tool_use") else upstream
        return Driver(machine, source, context.runtime, context.watch, first=first, keep=keeper.keep)

    def adriver(self, upstream: AsyncUpstream) -> AsyncDriver:
        """As `driver`."""
        machine = self.context.machine(upstream.error_for)
        keeper, context = self._begin(machine)
        first, kept = self._first(machine), AsyncKeptUpstream(upstream, keeper)
        source = kept if context.settings.holds("server_tool_use") else upstream
        return AsyncDriver(machine, source, context.runtime, context.watch, first=first, keep=keeper.akeep)

    def replay(self, upstream: Upstream) -> SyncReplay:
        """The body of a stream of which something is stored."""
        return SyncReplay(self.frames, None if self.keeper is None else self.driver(upstream))

    def areplay(self, upstream: AsyncUpstream) -> AsyncReplay:
        """As `replay`."""
        return AsyncReplay(self.frames, None if self.keeper is None else self.adriver(upstream))

    def _begin(self, machine: Machine) -> tuple[Keeper, StreamContext]:
        assert self.keeper is not None, "it goes on"  # noqa: S101 -- for types
        runtime = self.context.runtime
        self.keeper.watch(machine, self._began, self.kept.began or runtime.wall())
        return self.keeper, self.context

    def _first(self, machine: Machine) -> Action | None:
        if self.fresh:
            return None
        now = self.context.runtime.clock()
        return revive(machine, now, self._began, self.kept.progress, again=self.again)


def _pieces(frames: list[bytes]) -> Iterator[bytes]:
    """The frames, several at once. Those that were delivered are released."""
    waiting, size = list[bytes](), 0
    for at, frame in enumerate(frames):
        frames[at] = b""
        waiting.append(frame)
        size += len(frame)
        if size >= PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


class _Replay:
    """The body of a journaled stream: what is stored, then what is received."""

    def __init__(self, frames: list[bytes], driver: Any) -> None:
        self._frames, self._driver = frames, driver

    @property
    def elapsed(self) -> timedelta | None:
        """From the call to the end, over all attempts."""
        elapsed: timedelta | None = None if self._driver is None else self._driver.elapsed
        return elapsed


class SyncReplay(_Replay):
    """For sync clients.

    Args:
        frames: what is stored.
        driver: receives the rest; None if there is none.
    """

    def __iter__(self) -> Iterator[bytes]:
        yield from _pieces(self._frames)
        if self._driver is not None:
            self._driver.open()
            yield from self._driver

    def close(self) -> None:
        """End it."""
        if self._driver is not None:
            self._driver.close()


class AsyncReplay(_Replay):
    """For async clients; as `SyncReplay`."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in _pieces(self._frames):
            yield piece
        if self._driver is not None:
            await self._driver.open()
            async for out in self._driver:
                yield out

    async def aclose(self) -> None:
        """End it."""
        if self._driver is not None:
            await self._driver.aclose()
