"""Repeating the fragment."""

from __future__ import annotations

import pytest

from resilient_stream.testing import MANNERS

from .said import ANSWER, QUOTE, RECEIVED, REST

SAID = {
    "echo": QUOTE + REST,
    "no_echo": REST,
    "composed_echo": QUOTE + REST,
    "decomposed_echo": QUOTE + REST,
    "wide_echo": "\uff54\uff49\uff44\uff45\n\uff52\uff49\uff53\uff45\uff53 \uff53\uff4c\uff4f\uff57\uff4c\uff59 \uff41\uff4e\uff44"
    + REST,
    "narrow_echo": QUOTE + REST,
    "straight_echo": QUOTE + REST,
    "curly_echo": QUOTE + REST,
    "respaced_echo": "tide rises slowly and" + REST,
    "broken_echo": "tide rises slowly\nand" + REST,
    "lowered_echo": QUOTE + REST,
    "slipped_echo": "tide\nsomething slowly and" + REST,
    "quoted_echo": f"\u201c\u2026{QUOTE}\u201d\n{REST}",
    "bracketed_echo": f"\u3010{QUOTE}\u3011{REST}",
    "marked_echo": f"<<<\n{QUOTE}\n>>>\n{REST}",
    "fenced_echo": f"```\n{QUOTE}\n```\n{REST}",
    "bold_echo": f"**{QUOTE}**{REST}",
    "spaced_echo": f"\n\n{QUOTE}{REST}",
    "partial_echo": "slowly and" + REST,
    "long_echo": ANSWER,
}


@pytest.mark.parametrize("name", SAID)
def test_each_says_what_it_says(name: str) -> None:
    """The answer, what was received and the quote decide every word."""
    assert MANNERS[name](ANSWER, RECEIVED, QUOTE) == SAID[name]


@pytest.mark.parametrize("name", ["echo", "no_echo", "partial_echo"])
def test_without_a_quote_the_faithful_manners_go_on(name: str) -> None:
    """Nothing to repeat: exactly the rest."""
    assert MANNERS[name](ANSWER, RECEIVED, "") == REST


def test_half_a_quote_of_one_word_is_half_the_word() -> None:
    """With no space after its middle, the quote is cut in its middle."""
    assert MANNERS["partial_echo"]("abcdefgh!", "abcdefgh", "abcdefgh") == "efgh!"


def test_a_long_echo_begins_before_the_quote() -> None:
    """It starts at a word, about twice the quote back."""
    assert MANNERS["long_echo"]("One two three four", "One two three", "two three") == "One two three four"
    assert MANNERS["long_echo"]("One two three four", "One two three", "hree") == "two three four"


@pytest.mark.parametrize(
    ("name", "answer", "received", "quote", "said"),
    [
        ("composed_echo", "cafe\u0301 noir", "cafe\u0301", "cafe\u0301", "caf\u00e9 noir"),
        ("decomposed_echo", "caf\u00e9 noir", "caf\u00e9", "caf\u00e9", "cafe\u0301 noir"),
        ("narrow_echo", "\uff21\uff22 c", "\uff21\uff22", "\uff21\uff22", "AB c"),
        (
            "straight_echo",
            "\u201cA\u201d \u2014 b",
            "\u201cA\u201d \u2014",
            "\u201cA\u201d \u2014",
            '"A" - b',
        ),
        (
            "curly_echo",
            '"A" isn\'t - b',
            '"A" isn\'t - ',
            '"A" isn\'t - ',
            "\u201cA\u201d isn\u2019t \u2013 b",
        ),
        ("lowered_echo", "AB c", "AB", "AB", "ab c"),
    ],
)
def test_other_letters_are_other_letters(
    name: str, answer: str, received: str, quote: str, said: str
) -> None:
    """Where there is something to change, it is changed."""
    assert MANNERS[name](answer, received, quote) == said
