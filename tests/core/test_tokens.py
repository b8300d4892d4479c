"""How many tokens something is, where nobody has told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from resilient_stream._core.tokens import (
    MOST,
    at_least,
    at_most,
    estimated,
    is_count,
    of_characters,
    of_request,
)

TEXTS = {
    "nothing": ("", 0, 0, 0),
    "English": ("x" * 63, 14, 18, 26),
    "Chinese": ("潮" * 21, 14, 18, 26),
    "a half of a pair": ("\ud83d" * 21, 14, 18, 26),
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_estimates_stand_around_each_other(name: str) -> None:
    """By bytes: low, middle and high."""
    text, low, middle, high = TEXTS[name]
    assert (at_least(text), estimated(text), at_most(text)) == (low, middle, high)


def test_characters_will_do_for_a_middle_estimate() -> None:
    """Where the text itself is not at hand."""
    assert of_characters(35) == 10


@dataclass
class Made:
    """A block as a class of the SDK's."""

    type: str
    text: str


@pytest.mark.parametrize(
    "content",
    [
        "word " * 700,
        [{"type": "text", "text": "word " * 700}],
        ({"type": "text", "text": "word " * 700},),
        [Made("text", "word " * 700)],
    ],
)
def test_a_request_has_the_tokens_of_all_its_words(content: Any) -> None:
    """However they are put in it."""
    estimate = of_request({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": content}]})
    assert 1000 <= estimate <= 1020


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        *((0, True), (1, True), (MOST, True), (MOST + 1, False), (10**400, False), (-1, False)),
        *((True, False), (1.0, False), (float("inf"), False), ("1", False), (None, False), ([1], False)),
    ],
)
def test_a_number_of_tokens_is_whole_and_possible(value: object, is_one: bool) -> None:
    """Nothing else is believed."""
    assert is_count(value) is is_one


def test_what_is_sent_as_base64_counts_as_an_image() -> None:
    """Its bytes say nothing of its tokens."""
    source = {"type": "base64", "media_type": "image/png", "data": "A" * 1_000_000}
    assert 1600 <= of_request([{"type": "image", "source": source}]) <= 1610


def test_other_values_are_small_and_depth_is_no_matter() -> None:
    """Numbers, nulls and what is no JSON count next to nothing; nothing recurses."""
    assert of_request([None, True, 1, 2.5, object()]) == 1
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert of_request(deep) == 0
