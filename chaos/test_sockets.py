from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import anthropic
import pytest

from resilient_stream import RetryPolicy, resilient
from resilient_stream.testing import Cut, Pings, StandIn, sse_events
from resilient_stream.testing.golden import GOLDEN

from .consumer import Seen, read, read_async
from .faults import Refused, dressed
from .invariants import check
from .plans import PREFILL_MODEL, USER_TURN_MODEL, Plan, plan_of
from .proxy import Proxy
from .simulation import Run
from .toxics import Toxic, toxic_of

PLANS = 300
BLOCK = 50
HASTY: dict[str, Any] = {
    "wait_initial": 0.001,
    "wait_max": 0.002,
    "overload_wait_initial": 0.001,
    "overload_wait_max": 0.002,
    "first_event_timeout": 0.3,
    "silence_timeout": 0.3,
    "stall_timeout": 0.3,
}
"""A policy with short waits and timeouts, because time is real here."""


def quick(fault: Any) -> bool:
    """Whether a fault is quick on real sockets: it waits no longer than the timeouts."""
    return not isinstance(fault, (Pings, Refused)) and "seconds=" not in repr(fault).replace(
        "seconds=None", ""
    )


def live_plan(seed: int) -> tuple[Plan, list[Toxic | None]]:
    """A plan for real sockets: a few faults of the stand-in, and a toxic for some connections."""
    plan, rng = plan_of(seed), random.Random(f"toxics/{seed}")
    faults = tuple(fault for fault in plan.faults if quick(fault))[:3]
    toxics = [toxic_of(rng) if rng.random() < 0.7 else None for _ in range(3)]
    plan = replace(plan, faults=faults, policy={}, leaves_after=None, delta_size=max(8, plan.delta_size))
    return plan, toxics


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    """One event loop for all."""
    with asyncio.Runner() as runner:
        yield runner


def play(plan: Plan, toxics: list[Toxic | None], loop: asyncio.Runner | None) -> Run:
    """Play a plan on real sockets."""
    faults = [
        dressed(fault, plan.chunking, plan.seed) for fault in plan.faults if not isinstance(fault, Refused)
    ]
    fields: dict[str, Any] = {"budget": None, **HASTY}
    policy = RetryPolicy(**fields)
    told: dict[str, Any] = {"delta_size": plan.delta_size, "rethink": plan.rethink}
    with StandIn(reply=plan.reply.author(), faults=faults, **told) as server:
        with Proxy(server.url, toxics, plan.seed) as proxy:
            seen = (
                _read(proxy.url, policy, plan)
                if loop is None
                else loop.run(_read_async(proxy.url, policy, plan))
            )
            assert server.wait_closed(), "a connection was left open"
        assert proxy.busy == 0
        assert proxy.failures == []
        return Run(plan, seen, server.requests, signatures=frozenset(server._endpoint.signatures))


def _read(url: str, policy: RetryPolicy, plan: Plan) -> Seen:
    with resilient(anthropic.Anthropic(base_url=url, api_key="key"), policy) as client:
        return read(client, plan)


async def _read_async(url: str, policy: RetryPolicy, plan: Plan) -> Seen:
    async with resilient(anthropic.AsyncAnthropic(base_url=url, api_key="key"), policy) as client:
        return await read_async(client, plan)


@pytest.mark.parametrize("first", range(0, PLANS, BLOCK))
def test_every_law_holds_on_real_sockets(first: int, loop: asyncio.Runner) -> None:
    """The laws hold with a bad network and a failing server. Even seeds are read sync, odd ones under
    asyncio."""
    met = Counter[str]()
    for seed in range(first, first + BLOCK):
        plan, toxics = live_plan(seed)
        try:
            run = play(plan, toxics, loop if seed % 2 else None)
            check(run)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, toxics {toxics!r}\n{error}") from error
        met.update(attempt.kind.value for attempt in run.seen.report.attempts)
        met.update(type(toxic).__name__ for toxic in toxics[: len(run.seen.report.attempts)])
    names = [thread.name for thread in threading.enumerate()]
    assert [name for name in names if name.startswith(("chaos-proxy", "stand-in"))] == []
    missing = {"first", "restart", "user_turn", "LimitData", "ResetPeer", "Latency", "Slicer"} - set(met)
    assert not missing


@pytest.mark.parametrize("name", GOLDEN)
def test_any_family_is_healed_on_real_sockets(name: str, loop: asyncio.Runner) -> None:
    """A sample of the places of `test_every_cut`; sync and asyncio in turn, and the forms in turn."""
    size = sum(map(len, sse_events(GOLDEN[name].reply, delta_size=48)))
    for number, offset in enumerate(range(len(name), size, 151)):
        how: Any = ("rst", "fin", "clean")[number % 3]
        model = (USER_TURN_MODEL, PREFILL_MODEL)[number // 2 % 2]
        plan = Plan(text=name, model=model, faults=(Cut(at=offset, how=how),), delta_size=48)
        run = play(plan, [None], loop if number % 2 else None)
        check(run)
        assert run.seen.message is not None or GOLDEN[name].stops in run.seen.report.reason
