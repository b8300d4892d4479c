"""Places in a stream."""

from __future__ import annotations

import re

import pytest

from resilient_stream._journal.cursor import cursor, new_tag, number_of
from resilient_stream.errors import BadCursor, ForeignCursor

TAG = "0123456789ab"


def test_a_tag_is_by_chance() -> None:
    """Twelve hexadecimal digits."""
    assert re.fullmatch(r"[0-9a-f]{12}", new_tag())
    assert new_tag() != new_tag()


@pytest.mark.parametrize("number", [0, 1, 9, 10])
def test_a_cursor_names_the_place_behind_a_frame(number: int) -> None:
    """As text or as a number; nothing is the beginning."""
    assert number_of(cursor(TAG, number), TAG, 10) == number
    assert number_of(number, TAG, 10) == number
    assert number_of(None, TAG, 10) == 0


@pytest.mark.parametrize(
    "after",
    [
        "",
        "7",
        "x",
        f"{TAG}-",
        f"{TAG}-07",
        f"{TAG}-11",
        f"{TAG}--1",
        f"{TAG}-1\n",
        f"{TAG}-٣",
        "null",
        11,
        -1,
        f"{TAG}-{'9' * 40}",
        TAG.upper() + "-1",
        " " + TAG + "-1",
    ],
)
def test_what_is_no_cursor_is_refused(after: str | int) -> None:
    """It is never taken for the beginning; nor is one behind the end."""
    with pytest.raises(BadCursor):
        number_of(after, TAG, 10)


def test_a_cursor_of_another_stream_is_told_from_a_bad_one() -> None:
    """By its tag."""
    with pytest.raises(ForeignCursor):
        number_of(cursor("ba9876543210", 1), TAG, 10)
