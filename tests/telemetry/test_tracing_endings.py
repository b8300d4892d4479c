"""Spans end wherever a stream is left."""

from __future__ import annotations

import gc
import random
from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.verdict import QUEUE, Retry
from resilient_stream._telemetry.observers import Watch
from resilient_stream.testing import sse_events
from tests.support.stages import HEAD, Broken, Stage, Takes, Waits, closing, everywhere
from tests.support.traces import Traces

EVENTS = sse_events("The tide comes in twice a day, and goes out as often as it comes in. " * 2)
BEGUN = b"".join(EVENTS[:8])
RESET = Failure(Kind.RESET, Phase.BODY, detail="ReadError")
DOWN = Failure(Kind.OVERLOADED, Phase.HEADERS, detail="overloaded_error", status=529)


def strike(stage: Stage, rng: random.Random) -> float:
    """A stream with faults, and a time at which to end it."""
    steps: list[Any] = []
    for _ in range(rng.randrange(4)):
        steps += rng.choice([[Takes(1.0, DOWN)], [Takes(1.0, HEAD), Takes(1.0, BEGUN), Takes(1.0, RESET)]])
    steps += [Takes(1.0, HEAD), *(Takes(1.0, event) for event in EVENTS), Takes(1.0, None)]
    judge = Waits([rng.choice([0.0, 2.0]) for _ in range(4)])
    judge.turns = [Retry(1.0, QUEUE, 0.0)] * rng.randrange(6)
    stage.stream(*steps, judge=judge)
    return rng.uniform(0.0, 25.0)


@everywhere
async def test_wherever_a_stream_is_left_its_spans_end(stage: Stage) -> None:
    """At 340 random moments in each world, closed, cancelled or dropped: no span stays open, none ends twice."""
    rng, traces = random.Random(stage.world), Traces()
    outcomes: dict[str, int] = {}
    for _ in range(340):
        stage.watch = Watch((traces.telemetry,), "m")
        moment = strike(stage, rng)
        how = rng.choice(["close", "drop"] if stage.world == "sync" else ["close", "cancel", "drop"])
        await leave(stage, moment, how, rng)
        stage.drop()
        if traces.open:  # the frames of the last wait may still hold the stream
            await anyio.lowlevel.checkpoint()
            gc.collect()
        assert traces.open == 0, how
        outcome = str((traces.find("chat")[-1].attributes or {})["resilient_stream.outcome"])
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        assert (traces.find("chat")[-1].status.status_code.name == "ERROR") == (outcome == "failed")
        traces.clear()
    assert outcomes.keys() >= {"cancelled", "clean", "resumed"}
    assert outcomes["cancelled"] > 100


async def leave(stage: Stage, moment: float, how: str, rng: random.Random) -> None:
    """Read a stream until it is over, or until something ends it."""
    if how == "cancel":
        with anyio.move_on_after(moment):
            await stage.whole()
        await stage.close()
    elif how == "close":
        stage.later(moment, closing(stage))
        with suppress(Broken):
            await stage.whole()
    else:
        await stage.open()
        for _ in range(rng.randrange(12)):
            await stage.next()
