"""Usage: the last number counts, unless it says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._core.wire.usage import LONGEST_VALUE, MOST_NAMES, bounded, kept, shown


@pytest.mark.parametrize(
    ("before", "told", "now"),
    [
        ({"a": 5}, {"a": 7}, {"a": 7}),
        ({"a": 5}, {"a": 0}, {"a": 5}),
        ({"a": 5}, {"a": None}, {"a": 5}),
        ({"a": 0}, {"a": None}, {"a": None}),
        ({}, {"a": 0, "b": None}, {"a": 0, "b": None}),
        ({"a": 5}, {"b": 1}, {"b": 1}),
        ({"c": {"x": 1, "y": 2}}, {"c": {"x": 0, "y": 3, "z": 0}}, {"c": {"x": 1, "y": 3, "z": 0}}),
        ({"c": {"x": 1}}, {"c": None}, {"c": {"x": 1}}),
        ({"a": 5}, {"a": "x"}, {"a": "x"}),
        ({"a": None}, {"a": {"x": 0}}, {"a": {"x": 0}}),
    ],
)
def test_a_number_once_told_stays(before: dict[str, Any], told: dict[str, Any], now: dict[str, Any]) -> None:
    """No zero and no null overwrites it, at any depth."""
    assert kept(before, told) == now


@pytest.mark.parametrize("told", [None, "x", 7, [], {}, {"output_tokens": None}, {"output_tokens": 0}])
def test_output_is_always_shown(told: Any) -> None:
    """The SDK can't do without: what was told so far stands for what is not told, and nothing for nothing."""
    assert shown({"output_tokens": 4, "input_tokens": 9}, told) == {"output_tokens": 4}
    assert shown({}, told) == {"output_tokens": 0}


def test_what_is_told_is_shown() -> None:
    """As it came."""
    assert shown({"output_tokens": 4}, {"output_tokens": 9, "novel": 1}) == {"output_tokens": 9, "novel": 1}


def test_what_is_kept_has_bounds() -> None:
    """So many names, the first of them, those that are known apart; no value beyond a length, and no name."""
    many = {f"n{at}": at for at in range(2 * MOST_NAMES)}
    assert list(bounded(many, {})) == list(many)[:MOST_NAMES]
    known = dict(list(many.items())[-MOST_NAMES:])
    assert bounded(many, known) == known
    assert bounded({"n" * 1000: 1, "a": [0] * LONGEST_VALUE, "b": "x" * LONGEST_VALUE, "c": 1.5}, {}) == {
        "c": 1.5
    }


def test_what_is_kept_can_be_written() -> None:
    """A name with half of a surrogate pair gets U+FFFD in its place."""
    assert bounded({"a\ud83d": 1}, {}) == {"a\ufffd": 1}
