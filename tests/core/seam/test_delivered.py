"""What the consumer has, made ready to compare."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.delivered import Had
from resilient_stream._core.seam.joined import Asked


def had(text: str, space: str = "", size: int = 80) -> Had:
    """A text of which the last characters are the fragment."""
    return Had(Asked(text[-size:], space, text=text), 64)


@pytest.mark.parametrize(
    ("text", "space", "fenced", "opener"),
    [
        ("Text.", "", False, ""),
        ("Text:\n\n```pyth", "", False, "```pyth"),
        ("Text:\n\n```python", "\n", True, ""),
        ("Text:\n\n```python\nx", "", True, ""),
        ("Text:\n\n```python\nx\n```", "", False, ""),
    ],
)
def test_a_fence_is_open_when_the_line_that_opens_it_is_over(
    text: str, space: str, opener: str, *, fenced: bool
) -> None:
    """Before, its language may be incomplete."""
    assert (had(text, space).fenced, had(text, space).opener) == (fenced, opener)


@pytest.mark.parametrize(
    ("before", "border"),
    [
        ("", True),
        ("A line\n", True),
        ("It ends. ", True),
        ("\u5b8c\u3002", True),
        ("a word ", False),
        ("a, ", False),
    ],
)
def test_a_line_or_a_sentence_begins_at_a_border(before: str, *, border: bool) -> None:
    """Not a word, nor a part of a sentence."""
    assert had(before + "and on").is_border(len(before)) is border


@pytest.mark.parametrize(
    "text",
    [
        "  It ends. It begins:\n\n# Again! \u5b8c\u3002\u5b8c\uff01 and, on",
        "\u200dIt ends. \u200dIt begins.\n\ufb01ne",
        "It ends. " * 300 + "It begins",
        "One line",
    ],
)
def test_all_borders_are_those_that_single_places_have(text: str) -> None:
    """Also those that the beginning of the tail cuts in two, and not those inside a character."""
    of = had(text)
    places = [of.place(at) for at in range(len(of.tail.key))]
    begun = [at for at in range(len(places)) if at == 0 or of.tail.at[at] != of.tail.at[at - 1]]
    assert of.borders == [at for at in begun if of.is_border(places[at])]


def test_places_are_places_of_the_text() -> None:
    """Not of its key; the first character that is not blank is the beginning."""
    of = had("  A b\n c d", size=3)
    assert of.tail.key == "abcd"
    assert [of.place(at) for at in range(5)] == [0, 4, 7, 9, 10]
    assert of.begins(2) == 7
    assert of.fragment == 2


def test_rows_go_on_as_they_went_on_before() -> None:
    """Whatever their numbers."""
    of = had("At 06:14 the tide was low. At 07:15 ")
    key = of.tail.key
    assert of.goes_on_as_at(key.index("the"))
    assert not of.goes_on_as_at(key.index("was"))
    assert not of.goes_on_as_at(2)


def test_landmarks_are_where_a_text_may_be_begun_again() -> None:
    """The last heading of either kind, the last paragraph, an open fence, what leads to it and what is in
    it; bold text in a line is none."""
    text = "One.\n\n# Two\n\n## Three\n\n**Four**\n\n**Five** six.\n\nSo:\n\n```sh\n#comment\necho\n\nls"
    found = [text[at:].partition("\n")[0] for at in had(text).landmarks]
    assert found == ["One.", "## Three", "**Four**", "So:", "```sh", "#comment", "ls"]
    assert had("word " * 100).landmarks == [0]
    assert had("\n#" * 100 + "word").landmarks == [0]


def test_what_a_text_says_once_is_counted_once() -> None:
    """A head grows, and begins as it began."""
    text = had("The tide rises. The tide falls. The moon shines.")
    for _ in range(2):
        assert text.says_once("themoon", "The moon")
        assert not text.says_once("thetide", "The tide")
