"""Runs a plan without sockets and without waiting.

The stand-in's endpoint answers, simulated connections carry the bytes, and a virtual clock replaces time. One
thing in the library is replaced: the sleep of its drivers moves the clock and takes no time. All else is the
library with its default waits, timeouts and jitter.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from unittest.mock import patch

import anthropic
import httpcore2
import httpx2

from resilient_stream import ResumeMiddleware
from resilient_stream._core.loop.states import Send, Wait
from resilient_stream._driver.async_driver import AsyncDriver
from resilient_stream._driver.runtime import Runtime
from resilient_stream._driver.sync_driver import Driver
from resilient_stream._sdk import middleware
from resilient_stream.testing import Fault, Received
from resilient_stream.testing.endpoint import Endpoint, Settings

from .consumer import Seen, read, read_async
from .faults import Refused, dressed
from .plans import Plan
from .wires import AsyncNetwork, AsyncTransport, Clock, Network, Transport, Wire

TURNS: Final = 10
"""Turns of the event loop after which nothing may be running any more. If a consumer leaves in the middle,
asyncio closes the SDK's generators in tasks of its own."""


@dataclass
class Run:
    """The result of a plan: what the consumer saw, and what the upstream did."""

    plan: Plan
    seen: Seen
    received: Sequence[Received]
    refused: int = 0
    """Connections that were refused."""
    busy: int = 0
    """Connections still in use after the stream was over."""
    left_open: int = 0
    """Connections still open after the client was closed."""
    tasks: int = 0
    """Tasks still running a few turns of the event loop later."""
    signatures: frozenset[str] = frozenset()
    seconds: float = 0.0
    """How long it would have taken."""


class _Driver(Driver):
    def _step(self, action: Send | Wait) -> None:
        super()._step(_waited(self._clock, action))


class _AsyncDriver(AsyncDriver):
    async def _step(self, action: Send | Wait) -> None:
        await super()._step(_waited(self._clock, action))


def _waited(clock: Callable[[], float], action: Send | Wait) -> Send | Wait:
    if isinstance(action, Wait) and isinstance(clock, Clock):
        clock.advance(action.seconds)
        return Wait(0)
    return action


@dataclass
class World:
    """The upstream of one plan."""

    plan: Plan
    clock: Clock = field(default_factory=Clock)
    refused: int = 0
    wires: list[Wire] = field(default_factory=list)

    def __post_init__(self) -> None:
        plan = self.plan
        self.rng = random.Random(plan.seed)
        self.faults = list(plan.faults)
        self.endpoint = Endpoint(
            Settings(
                reply=plan.reply.author(),
                faults=self.strike,
                delta_size=plan.delta_size,
                rethink=plan.rethink,
            )
        )

    def strike(self, number: int, request: Any) -> Fault | None:
        """The fault of the next request. A refusal that a kept connection avoided does not count."""
        if request is None:  # a redirect that is being followed
            return None
        while self.faults and isinstance(self.faults[0], Refused):
            self.faults.pop(0)
        fault = self.faults.pop(0) if self.faults else None
        assert not isinstance(fault, Refused)
        return dressed(fault, self.plan.chunking, self.plan.seed + number)

    def connect(self, kind: type[Any]) -> Any:
        """A new connection, unless it is refused."""
        if self.faults and isinstance(self.faults[0], Refused):
            self.faults.pop(0)
            self.refused += 1
            raise httpcore2.ConnectError from ConnectionRefusedError("refused")
        wire = kind(self.endpoint.take, self.clock, self.plan.chunking, self.rng)
        self.wires.append(wire)
        return wire

    def middleware(self, client: Any) -> list[ResumeMiddleware]:
        """The library, with this world's clock and random source."""
        runtime = Runtime(clock=self.clock, wall=self.clock.wall, rng=random.Random(self.plan.seed))
        return [ResumeMiddleware(self.plan.rules, client_timeout=client.timeout, runtime=runtime)]

    def run(self, seen: Seen, busy: int, tasks: int = 0) -> Run:
        """The result."""
        return Run(
            self.plan,
            seen,
            self.endpoint.received,
            self.refused,
            busy,
            sum(not wire.closed for wire in self.wires),
            tasks,
            frozenset(self.endpoint.signatures),
            self.clock.now,
        )


@functools.cache
def _sync_client() -> tuple[anthropic.Anthropic, Transport]:
    transport = Transport()
    http = httpx2.Client(transport=transport, trust_env=False, follow_redirects=True)
    return anthropic.Anthropic(base_url="http://simulated", api_key="key", http_client=http), transport


@functools.cache
def _async_client() -> tuple[anthropic.AsyncAnthropic, AsyncTransport, asyncio.Runner]:
    transport = AsyncTransport()
    http = httpx2.AsyncClient(transport=transport, trust_env=False, follow_redirects=True)
    client = anthropic.AsyncAnthropic(base_url="http://simulated", api_key="key", http_client=http)
    return client, transport, asyncio.Runner()


def simulate(plan: Plan) -> Run:
    """Play a plan with the sync client."""
    world, (client, transport) = World(plan), _sync_client()
    with (
        patch.object(middleware, "Driver", _Driver),
        httpcore2.ConnectionPool(network_backend=Network(world.connect)) as pool,
    ):
        transport._pool = pool
        seen = read(client.with_options(middleware=world.middleware(client)), plan)
        busy = sum(not connection.is_idle() for connection in pool.connections)
    return world.run(seen, busy)


def simulate_async(plan: Plan) -> Run:
    """Play a plan with the async client, under asyncio."""
    return _async_client()[2].run(_simulate_async(plan))


async def _simulate_async(plan: Plan) -> Run:
    world, (client, transport, _) = World(plan), _async_client()
    before = asyncio.all_tasks()
    with patch.object(middleware, "AsyncDriver", _AsyncDriver):
        async with httpcore2.AsyncConnectionPool(network_backend=AsyncNetwork(world.connect)) as pool:
            transport._pool = pool
            seen = await read_async(client.with_options(middleware=world.middleware(client)), plan)
            busy = sum(not connection.is_idle() for connection in pool.connections)
    for _ in range(TURNS):
        await asyncio.sleep(0)
    return world.run(seen, busy, len(asyncio.all_tasks() - before))
