"""A fragment that was repeated with a slip in it."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.delivered import Had
from resilient_stream._core.seam.joined import Asked
from resilient_stream._core.seam.near_match import slipped
from resilient_stream._core.seam.normalize import Folded

BEFORE = "Nobody asks the harbour master what he keeps, and "
FRAGMENT = "he keeps a book of it in which he writes down what he sees and what the gulls"


def found(
    told: str, fragment: str = FRAGMENT, before: str = BEFORE, *, ends: bool = False, final: bool = True
) -> str | None:
    """What follows the repetition; all that was told if it is none, None if more may decide."""
    had = Had(Asked(fragment, "", text=before + fragment), 64)
    key = Folded(told).key
    end = slipped(had, key, ends=ends, final=final)
    return None if end is None else key[end:]


@pytest.mark.parametrize(
    "told",
    [
        FRAGMENT.replace("book", "diary"),
        FRAGMENT.replace("book of it in", "b"),
        FRAGMENT.replace("of it", "of everything it"),
        FRAGMENT.replace("in which he ", ""),
        FRAGMENT.replace("of", "with").replace("down", "into it"),
    ],
)
def test_one_word_or_two_may_be_others(told: str) -> None:
    """Left out, put in, or put for another."""
    assert found(told + " say.") == "say."
    assert found(told, final=False) == ""


def test_a_known_beginning_needs_little_of_the_end() -> None:
    """The beginning marks the place, once all of it could have come."""
    told = FRAGMENT.replace("the gulls", "some gulls")
    assert found(told + " say, and what the wind says.") == "say,andwhatthewindsays."
    assert found(told, final=False) is None


@pytest.mark.parametrize(
    "told",
    [
        "a reply that begins with other words and is long enough to have come to its end, and goes on",
        FRAGMENT[:40] + "and then it is another answer altogether, which goes on and never comes back",
        FRAGMENT[:30] + " gulls and then some gulls and then the next of them",
        FRAGMENT[:40] + " x lls and then it is another answer altogether, and goes on and on and on",
    ],
)
def test_another_answer_is_no_slip(told: str) -> None:
    """Nor is one that comes back to the last letters twice, or to hardly any."""
    assert found(told) == Folded(told).key


def test_the_next_row_is_no_slip() -> None:
    """It begins like the last one, and ends like it."""
    row = "level at the north pier was 212 cm at six and falling with the wind"
    told = row.replace("north", "south")
    assert found(told + " x", row, "Readings:\n", ends=True) == Folded(told + " x").key
    assert found(told + " x", row, "Readings:\n") == "x"
    again = row + " and the " + row + " and the"
    assert found(told + " x", row + " and the", "And the " + again[: len(row) + 9]) == Folded(told + " x").key


def test_what_the_text_says_over_and_over_marks_no_place() -> None:
    """The end may be here or there."""
    bongs = "went bong, bong, bong, bong, bong, bong, bong"
    told = "went bong, bong, bang, bong, bong, bong, bong"
    assert found(told + ", bong", bongs, "The bell ") == Folded(told + ", bong").key
    rows = "| hour | seats |\n| - | 48 | 0 |\n| - | 48 | 0 |\n| - | 48 |"
    told = rows.replace("0", "something", 1)
    assert found(told + " 0 |\n| - | 48 | 1 |", rows, "") == Folded(told + " 0 |\n| - | 48 | 1 |").key


def test_a_repetition_from_the_middle_needs_little() -> None:
    """Nothing else begins there."""
    assert found("import this\nimport sys\nfrom x", "import csv\nimport sys\nfrom", "") == "x"
    assert found("import this\nand sys or so", "import csv\nimport sys\nfrom", "") == "importthisandsysorso"
