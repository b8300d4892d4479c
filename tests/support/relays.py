"""Relays to try: of a first attempt, of a continuation; what they hand over, and what the consumer then has."""

from __future__ import annotations

from typing import Any

from resilient_stream._core.plan.planner import Form, Plan
from resilient_stream._core.relay.output import Output
from resilient_stream._core.relay.relay import Relay
from resilient_stream._core.seam.joined import Asked
from resilient_stream._core.turn.transcript import Turn

from .consumer import Heard
from .contents import text
from .settings import settings_with
from .streams import block_start, start, text_delta

QUOTE = "said so far"


def relay(
    plan: Plan | None = None, out: Output | None = None, again: tuple[str, ...] = (), **fields: Any
) -> Relay:
    """A relay of a first attempt, or of this plan."""
    return Relay(
        out or Output(Turn()),
        plan or Plan(Form.FIRST),
        settings_with(**fields),
        final_usage=lambda usage: {"mine": 1, **usage},
        asked_again=again,
    )


def going_on(*before: bytes, space: str = "", quote: str = QUOTE, **fields: Any) -> Relay:
    """A user-turn continuation of what was handed over before."""
    first = relay()
    for one in (start(), block_start(0, text("")), text_delta(0, QUOTE + space), *before):
        first.receive(one)
    first.end()
    plan = Plan(Form.USER_TURN, {}, Asked(quote, space) if quote else None, hide_thinking=True)
    return relay(plan, first.out, **fields)


def told(made: Relay, *frames: bytes) -> bytes:
    """What is handed over for these frames."""
    made.out.take()
    for one in frames:
        made.receive(one)
    return made.out.take()


def heard(made: Relay) -> Heard:
    """The turn as the consumer has it, by its blocks."""
    consumer = Heard()
    consumer.blocks = [one.param() for one in made.out.turn.blocks]
    return consumer
