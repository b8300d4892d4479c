"""Saying a sentence of its own first."""

from __future__ import annotations

import pytest

from resilient_stream.testing import MANNERS
from resilient_stream.testing.manners.openings import PREAMBLE, PREAMBLES

from .said import ANSWER, QUOTE, RECEIVED, REST

SAID = {
    "preamble": PREAMBLE + QUOTE + REST,
    "preamble_no_echo": PREAMBLE + REST,
    "preamble_and_fence": f"{PREAMBLE}```\n{QUOTE}\n```\n{REST}",
    "unknown_preamble": f"Oh dear, that was rude of the network! On with the show:\n\n{QUOTE}{REST}",
    "unknown_preamble_restart": f"Oh dear, that was rude of the network! From the top:\n\n{ANSWER}",
    "marker_no_echo": f"<<<\n{REST}",
    "dots_no_echo": f"\u2026{REST}",
    **{f"preamble_{name}": said + QUOTE + REST for name, said in PREAMBLES.items()},
    **{f"preamble_{name}_no_echo": said + REST for name, said in PREAMBLES.items()},
}


@pytest.mark.parametrize("name", SAID)
def test_each_says_what_it_says(name: str) -> None:
    """The answer, what was received and the quote decide every word."""
    assert MANNERS[name](ANSWER, RECEIVED, QUOTE) == SAID[name]


def test_every_language_is_tried() -> None:
    """With the echo and without."""
    assert len([name for name in SAID if name.startswith("preamble_")]) == 2 * len(PREAMBLES) + 2
