from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from resilient_stream.testing import Cut, Insert, sse_events

from .invariants import check
from .plans import PREFILL_MODEL, USER_TURN_MODEL, Plan
from .simulation import Run, simulate, simulate_async
from .strikes import SPOILS
from .texts import TEXTS

DELTA_SIZE = 48
GOLDEN = ("glyphs", "thinking", "tool", "search")
"""Text, thinking and text, a tool call, a search on the server."""


def size_of(name: str, model: str) -> int:
    """The bytes of a text's stream, a few more than there are."""
    return 100 + sum(map(len, sse_events(TEXTS[name].content, model=model, delta_size=DELTA_SIZE)))


@pytest.mark.parametrize("play", [simulate, simulate_async])
@pytest.mark.parametrize("model", [USER_TURN_MODEL, PREFILL_MODEL])
@pytest.mark.parametrize("how", ["rst", "fin", "clean"])
@pytest.mark.parametrize("name", GOLDEN)
def test_a_cut_at_any_byte_is_healed(
    name: str, how: Any, model: str, play: Callable[[Plan], Run], step: int
) -> None:
    """Wherever a stream is cut, the message comes out whole in at most three requests."""
    for offset in range(0, size_of(name, model) + 1, step):
        plan = Plan(text=name, model=model, faults=(Cut(at=offset, how=how),), delta_size=DELTA_SIZE)
        run = play(plan)
        check(run)
        assert run.seen.message is not None, plan
        assert len(run.received) <= 3, plan


@pytest.mark.parametrize("spoil", SPOILS, ids=[repr(spoil) for spoil in SPOILS])
@pytest.mark.parametrize("name", ["short", "only_tool"])
def test_bytes_that_do_not_belong_there_do_no_harm(name: str, spoil: bytes, step: int) -> None:
    """Wherever bytes are inserted that spoil a line or an event, the message comes out whole."""
    for offset in range(0, size_of(name, USER_TURN_MODEL) + 1, step):
        run = simulate(Plan(text=name, faults=(Insert(at=offset, data=spoil),), delta_size=DELTA_SIZE))
        check(run)
        assert run.seen.message is not None, run.plan
