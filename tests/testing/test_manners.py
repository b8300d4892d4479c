"""The manners of a model that goes on."""

from __future__ import annotations

import pytest

from resilient_stream.testing import MANNERS
from resilient_stream.testing.manners import PREAMBLE, echo, manner_of

ANSWER = "The tide rises slowly and it falls again at noon."
RECEIVED = "The tide rises slowly and"
QUOTE = "rises slowly and"
REST = " it falls again at noon."

SAID = {
    "echo": QUOTE + REST,
    "long_echo": ANSWER,
    "lost_space": QUOTE + REST.lstrip(),
    "lost_space_no_echo": REST.lstrip(),
    "no_echo": REST,
    "partial_echo": "and" + REST,
    "preamble": PREAMBLE + QUOTE + REST,
    "preamble_no_echo": PREAMBLE + REST,
    "quoted_echo": "“…rises slowly and”\n" + REST,
    "restart": ANSWER,
}


@pytest.mark.parametrize("name", MANNERS)
def test_each_manner_says_what_it_says(name: str) -> None:
    """The answer, what was received and the quote decide every word."""
    assert MANNERS[name](ANSWER, RECEIVED, QUOTE) == SAID[name]


@pytest.mark.parametrize("name", MANNERS)
def test_each_manner_ends_the_answer(name: str) -> None:
    """However it begins, it ends as the script ends."""
    assert MANNERS[name](ANSWER, RECEIVED, QUOTE).endswith(REST.lstrip())


@pytest.mark.parametrize("name", ["echo", "no_echo", "partial_echo"])
def test_without_a_quote_the_faithful_manners_go_on(name: str) -> None:
    """Nothing to repeat: exactly the rest."""
    assert MANNERS[name](ANSWER, RECEIVED, "") == REST


def test_half_a_quote_of_one_word_is_half_the_word() -> None:
    """With no space after its middle, the quote is cut in its middle."""
    assert MANNERS["partial_echo"]("abcdefgh!", "abcdefgh", "abcdefgh") == "efgh!"


def test_a_long_echo_begins_before_the_quote() -> None:
    """It starts at a word, about twice the quote back."""
    assert MANNERS["long_echo"](ANSWER, RECEIVED, "slowly and") == "tide rises slowly and" + REST


def test_a_manner_is_named_or_given() -> None:
    """A name is looked up, a function is taken; an unknown name is refused."""
    assert manner_of("echo") is echo
    assert manner_of(echo) is echo
    with pytest.raises(KeyError):
        manner_of("politely")
