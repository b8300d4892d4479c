"""Repeating what was not asked for."""

from __future__ import annotations

import pytest

from resilient_stream.testing import MANNERS
from resilient_stream.testing.manners.repeats import DIVERGENCE

from .said import ANSWER, QUOTE, RECEIVED, REST

SAID = {
    "repeated_word": "and" + REST,
    "repeated_line": "rises slowly and" + REST,
    "repeated_sentence": "rises slowly and" + REST,
    "repeated_paragraph": "The tide\nrises slowly and" + REST,
    "restart": ANSWER,
    "diverging_restart": "It is said.\n\nThe tide\nrises " + DIVERGENCE + REST,
}


@pytest.mark.parametrize("name", SAID)
def test_each_says_what_it_says(name: str) -> None:
    """The answer, what was received and the quote decide every word."""
    assert MANNERS[name](ANSWER, RECEIVED, QUOTE) == SAID[name]


@pytest.mark.parametrize(
    ("name", "answer", "received", "said"),
    [
        ("repeated_sentence", "\u4e00\u3002\u4e8c\u4e09", "\u4e00\u3002\u4e8c", "\u4e8c\u4e09"),
        ("repeated_line", "a\nb", "a", "a\nb"),
        ("repeated_line", "a\nb", "a\n", "a\nb"),
        ("repeated_word", "a bc", "a b", "bc"),
        ("diverging_restart", "abcd", "ab", "aNo, let me put this differently. cd"),
    ],
)
def test_it_begins_where_the_last_part_began(name: str, answer: str, received: str, said: str) -> None:
    """Or at the beginning, where there is only one."""
    assert MANNERS[name](answer, received, "") == said
