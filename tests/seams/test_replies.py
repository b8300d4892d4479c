"""What two small models really replied to a continuation, joined again.

Each row has what a model was shown and said, what was handed over before the rules for it were made (``before``),
how a reader judged that (``judged``), and what is handed over now (``expected``).
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from resilient_stream._core.plan.prompts import CONTINUE, all_words
from resilient_stream._core.plan.quote import enough
from resilient_stream._core.seam.buffer import Splice
from resilient_stream._core.seam.joined import Asked, Diverged

REPLIES: Final = Path(__file__).with_name("replies") / "replies.jsonl"
SIZES: Final = (1, 4, 100, 100_000)
"""Characters of a delta."""
LOOPS: Final = frozenset({39, 45, 46, 94})
"""Replies that were joined rightly and then say the same again: that is the model's text."""
UNCLEAN: Final = ("only the echo", "the request's", "marker", "apology", "line repeated", "text repeated")
"""What was wrong with a join, by the first words of the judgement."""


@cache
def replies() -> tuple[dict[str, Any], ...]:
    """All of them."""
    return tuple(json.loads(line) for line in REPLIES.read_text("utf-8").splitlines())


def joined(row: dict[str, Any], piece: int) -> list[Any]:
    """How, whether verified, and what is handed over."""
    text = row["prefix"].rstrip()
    asked = Asked(row["quote"], row["prefix"][len(text) :], not enough(text), text, all_words(CONTINUE))
    splice, came, decided = Splice(asked), 0, None
    while decided is None and came < len(row["reply"]):
        splice.grow(row["reply"][came : came + piece])
        came += piece
        decided = splice.decide(final=came >= len(row["reply"]))
    if decided is None or isinstance(decided, Diverged):
        return ["diverged", None, None]
    return [decided.how, decided.verified, splice.rest(decided) + row["reply"][came:]]


@pytest.mark.parametrize("piece", SIZES)
def test_every_reply_joins_as_it_should_in_whatever_deltas(piece: int) -> None:
    """To the letter."""
    wrong = [row["number"] for row in replies() if joined(row, piece) != row["expected"]]
    assert wrong == []


def test_what_was_joined_rightly_is_handed_over_to_the_letter() -> None:
    """And what was proved is proved, but for four poems whose refrain comes again behind the echo, and an item
    that begins again in bold."""
    right = [row for row in replies() if row["judged"] == "right"]
    assert len(right) == 93
    assert [row["number"] for row in right if row["expected"][2] != row["before"][2]] == []
    lost = [row["number"] for row in right if row["before"][1] and not row["expected"][1]]
    assert lost == [71, 159, 242, 308, 313]


def test_no_echo_alone_of_an_unfinished_text_is_verified() -> None:
    """None of those that were taken for the ending."""
    alone = [row for row in replies() if row["judged"] == "only the echo, text unfinished"]
    assert Counter(tuple(row["expected"]) for row in alone) == {("echo_only", False, ""): 41}


def test_what_is_verified_is_clean() -> None:
    """Nothing of the request, no marker, no apology, nothing told again: unless it goes on with something new."""
    unclean = [row for row in replies() if row["judged"].startswith(UNCLEAN) and row["expected"][1]]
    doubtful = [row["number"] for row in unclean if row["number"] not in LOOPS]
    for number in doubtful:
        (row,) = (row for row in replies() if row["number"] == number)
        handed = row["expected"][2].strip()
        assert handed, number
        assert not handed.startswith((">", "<", "```", "Please start", "I apolog", "I'm sorry")), number
        assert len(handed) < 24 or handed[:24] not in row["prefix"], number
