"""Whether the text is told once more behind a repetition."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.delivered import Had
from resilient_stream._core.seam.joined import Asked, Diverged, Joined
from resilient_stream._core.seam.repeated_again import Behind, RepeatedAgain, Sign

TEXT = (
    "The keeper climbed the stairs every night, and nobody knew what he looked for.\n\n"
    "He spent hours searching the island and the waters around it, but he never found the"
)
QUOTE = TEXT[-40:].lstrip()
REST = " ship."


def look(behind: str, *, marked: bool, final: bool = True, text: str = TEXT) -> object:
    """What is said of a reply that has echoed the end of ``text`` and then says ``behind``."""
    quote = text[-40:].lstrip()
    asked = Asked(quote, "", text=text)
    head = quote + behind
    return RepeatedAgain(asked, Had(asked, 600), 600).look(
        head, len(quote), Joined.ECHO, marked=marked, final=final
    )


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("behind", ["", " ", "\n\n"])
def test_of_nothing_there_is_nothing_to_say(behind: str, *, final: bool) -> None:
    """Blanks tell no text again."""
    assert look(behind, marked=False, final=final) is Sign.NOTHING


def test_behind_a_marker_the_fragment_may_come_once_more() -> None:
    """It ends where the new text begins."""
    said = f"\n{QUOTE}"
    assert look(said + REST, marked=True) == Behind(len(QUOTE + said), "")


@pytest.mark.parametrize("behind", ["\n\nThe", " the"])
def test_a_word_of_the_text_may_be_new_text(behind: str) -> None:
    """A reply that ends with one has not begun again."""
    assert look(behind, marked=False) is Sign.NOTHING


def test_a_short_text_may_say_the_same_again() -> None:
    """Nothing is cut of what a song may say twice; behind a stop nobody knows."""
    short = "He never found the ship and he never"
    assert look(f" {short} ship.", marked=False, text=short) is Sign.NOTHING
    assert look(f". {short} ship.", marked=False, text=short) is Sign.DOUBT


def test_new_text_is_not_repeated() -> None:
    """However it begins: apart, or behind a marker."""
    for behind in (REST, "\n\nThe next morning the sea lay still.", " ship, and he went home."):
        for marked in (True, False):
            assert look(behind, marked=marked) is Sign.NOTHING


def test_while_all_that_came_agrees_more_is_needed() -> None:
    """The beginning of the last paragraph, told as far as it came."""
    assert look("\nHe spent hours searching", marked=True, final=False) is Sign.MORE


def test_behind_a_marker_what_leaves_the_text_is_another_answer_or_doubted() -> None:
    """Another answer from the text's beginning on; from elsewhere nobody knows."""
    another = "\nThe keeper climbed the stairs every night, and so did she."
    assert look(another, marked=True) == Diverged()
    assert look("\nHe spent hours searching the island and the sky.", marked=True) is Sign.DOUBT
    assert look(another, marked=False) is Sign.NOTHING
