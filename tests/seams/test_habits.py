"""Each habit that was seen is joined as it should be, however it arrives."""

from __future__ import annotations

import pytest

from resilient_stream._core.plan.prompts import CONTINUE, all_words
from resilient_stream._core.plan.quote import enough, quote
from resilient_stream._core.seam.buffer import Splice
from resilient_stream._core.seam.joined import Asked, Diverged

from .habits import HABITS, Habit

SIZES = (1, 4, 100, 10_000)
"""Characters of a delta."""


def joined(habit: Habit, piece: int) -> tuple[str | None, bool | None]:
    """What is handed over, and whether it is verified; Nones if the reply is refused."""
    text = habit.text
    splice = Splice(Asked(quote(text), "", not enough(text), text, all_words(CONTINUE)))
    came, decided = 0, None
    while decided is None:
        splice.grow(habit.reply[came : came + piece])
        came += piece
        decided = splice.decide(final=came >= len(habit.reply))
    if isinstance(decided, Diverged):
        return None, None
    return splice.rest(decided) + habit.reply[came:], decided.verified


@pytest.mark.parametrize("piece", SIZES)
@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.name)
def test_a_habit_is_joined_as_it_should_be(habit: Habit, piece: int) -> None:
    """To the letter, and verified only where it is proved and clean."""
    assert joined(habit, piece) == (habit.rest, habit.verified)
