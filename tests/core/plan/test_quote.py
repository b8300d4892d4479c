"""The fragment that is asked to be repeated."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.plan.quote import LONGEST as LIMIT
from resilient_stream._core.plan.quote import SHORTEST, SPREAD, USUAL, enough, marked, quote

LONGEST = USUAL + SPREAD

WORDS = st.text(st.characters(codec="utf-8") | st.sampled_from(" \n潮é👨‍👩‍👧🇫🇷ัे<>«»[]{}"), max_size=400)


@given(WORDS, st.integers(0, 200))
def test_a_quote_marks_the_end(text: str, at_least: int) -> None:
    """It is the end of the text, begins with a character that is not blank, and is long enough."""
    text = text.rstrip()
    found = quote(text, at_least)
    assert text.endswith(found)
    assert found == found.lstrip()
    if enough(text):
        assert len(found) >= SHORTEST
        assert len(found) >= min(at_least, len(text))
    else:
        assert found == text.lstrip()


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=40, max_size=80), st.integers(0, 100))
def test_a_quote_of_words_begins_with_one(words: list[str], at_least: int) -> None:
    """Where there are words it starts at one, has 40 to 120 characters, and covers the longest stop sequence."""
    text = " ".join(words)
    found = quote(text, at_least)
    assert max(SHORTEST, at_least) <= len(found) <= LONGEST
    assert text[: -len(found)].endswith((" ", "")) and (
        len(found) == len(text) or text[-len(found) - 1] == " "
    )


@pytest.mark.parametrize(
    "letter", ["潮", "👨‍👩‍👧", "é", "กำ", "हि", "각", "👍🏽", "🏴\U000e0067\U000e007f", "🇫🇷", "☂️"]
)
def test_a_quote_never_begins_inside_a_character(letter: str) -> None:
    """Text without spaces is cut between characters as the eye sees them."""
    found = quote("a" + letter * 200)
    assert len(found) <= LONGEST or letter == "🇫🇷"
    assert not unicodedata.category(found[0]).startswith("M")
    if letter != "🇫🇷":  # which half a flag begins with can't be seen from one
        assert found.startswith(letter)


def test_a_very_long_stop_sequence_is_covered() -> None:
    """Even beyond 120 characters, up to a character's beginning."""
    text = ("e\u0301" * 400) + "end"
    for at_least in (119, 120, 150, 300):
        found = quote(text, at_least)
        assert at_least <= len(found) <= at_least + 2 * LONGEST
        assert found.startswith("e\u0301")


def test_where_no_character_begins_any_place_will_do() -> None:
    """A text of combining marks alone still has a quote."""
    assert len(quote("e" + "\u0301" * 900)) == 80


@pytest.mark.parametrize(
    ("text", "is_enough"), [("a" * 40, True), ("a " * 39, False), ("a " * 40, True), ("", False)]
)
def test_forty_visible_characters_are_enough(text: str, *, is_enough: bool) -> None:
    """White space marks no place."""
    assert enough(text) is is_enough


@pytest.mark.parametrize("gap", [LIMIT, 50 * LIMIT])
def test_a_text_of_little_but_white_space_is_not_quoted_whole(gap: int) -> None:
    """Nobody repeats thousands of blanks: where it is too long to be a quote, its last words are one."""
    text = "a" + " " * gap + "b"
    assert enough(text)
    assert quote(text) == "b"
    assert len(quote("a" + "\n \n" * gap + "word " * 12 + "end")) <= LONGEST


def test_a_long_stop_sequence_does_not_make_a_long_quote() -> None:
    """Nothing streams while a model repeats it."""
    assert len(quote("word " * 5000 + "end", 20_000)) <= LIMIT + 2 * LONGEST


@given(st.text(st.sampled_from("<>«»[]{}part-12/a "), max_size=60))
def test_the_markers_do_not_occur_in_the_fragment(fragment: str) -> None:
    """Whatever is quoted, the markers around it are not in it."""
    opening, inner, closing = marked(fragment).partition(f"\n{fragment}\n")[0::1]
    assert opening
    assert closing
    assert opening not in fragment
    assert closing not in fragment
    assert fragment in inner


def test_markers_never_run_out() -> None:
    """Not even for a fragment with all of them."""
    said = marked("<<< « [[[ {{{ <part-1> </part-2>")
    assert said.startswith("<part-3>\n")
    assert said.endswith("\n</part-3>")


@given(WORDS, st.integers(40, 400))
def test_a_length_of_the_quote_is_kept_to(text: str, usual: int) -> None:
    """A quote is about as long as it was wanted, never shorter than 40, and all of a text that is short."""
    text = text.rstrip()
    found = quote(text, 0, usual)
    assert text.endswith(found)
    if enough(text) and len(text) > usual + SPREAD:
        assert max(SHORTEST, usual - SPREAD) <= len(found) <= 2 * (usual + SPREAD)


@given(WORDS)
def test_forty_visible_characters_are_counted(text: str) -> None:
    """Wherever they stand."""
    assert enough(text) is (sum(not character.isspace() for character in text) >= SHORTEST)
