from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import pytest

from resilient_stream.testing import Cut, Insert
from resilient_stream.testing.golden import GOLDEN
from resilient_stream.testing.transcript import Reply, sse_events

from .invariants import check
from .plans import PREFILL_MODEL, USER_TURN_MODEL, Plan
from .simulation import Run, simulate, simulate_async
from .strikes import SPOILS
from .texts import REPLIES, TEXTS

DELTA_SIZE: Final = 48
FAMILIES: Final = ("glyphs", *GOLDEN)
FORMS: Final = {
    "user_turn": (USER_TURN_MODEL, {}),
    "prefill": (PREFILL_MODEL, {"continuation": "prefill"}),
}
"""The forms by name: a model, and the policy that has it continued so even where tools are."""


def size_of(name: str, model: str) -> int:
    """The bytes of a text's stream, a few more than there are."""
    reply: Reply = REPLIES[name].reply
    return 100 + sum(map(len, sse_events(reply, model=model, delta_size=DELTA_SIZE)))


def thinks(name: str) -> bool:
    """Whether the request makes the model think, which rules out a prefill."""
    return "thinking" in REPLIES[name].request


@pytest.mark.parametrize("play", [simulate, simulate_async])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", FAMILIES)
def test_a_cut_at_any_byte_is_healed(
    name: str,
    form: str,
    play: Callable[[Plan], Run],
    step: int,
    record_property: Callable[[str, object], None],
) -> None:
    """Wherever and however a stream is cut, every law holds: the message is complete after at most three
    requests, or the stream gives up for a reason that its kind of content allows."""
    model, policy = FORMS[form]
    policy = {} if thinks(name) else policy
    ways: tuple[Any, ...] = ("rst", "fin", "clean")
    outcomes = Counter[str]()
    for number, offset in enumerate(range(0, size_of(name, model) + 1, step)):
        # A shorter run takes the ways to cut in turn.
        for how in ways if step == 1 else ways[number % len(ways) :][:1]:
            plan = Plan(
                text=name,
                model=model,
                faults=(Cut(at=offset, how=how),),
                delta_size=DELTA_SIZE,
                policy=policy,
            )
            run = play(plan)
            check(run)
            stops = REPLIES[name].stops
            given_up = stops and run.seen.error is not None and stops in run.seen.report.reason
            assert run.seen.message is not None or given_up, plan
            assert len(run.received) <= 3, plan
            outcomes[run.seen.report.outcome] += 1
    record_property(name, dict(outcomes))


@pytest.mark.parametrize("spoil", SPOILS, ids=[repr(spoil) for spoil in SPOILS])
@pytest.mark.parametrize("name", ["short", "only_tool"])
def test_bytes_that_do_not_belong_there_do_no_harm(name: str, spoil: bytes, step: int) -> None:
    """Wherever bytes are inserted that damage a line or an event, the message is complete."""
    assert name in TEXTS
    for offset in range(0, size_of(name, USER_TURN_MODEL) + 1, step):
        run = simulate(Plan(text=name, faults=(Insert(at=offset, data=spoil),), delta_size=DELTA_SIZE))
        check(run)
        assert run.seen.message is not None, run.plan
