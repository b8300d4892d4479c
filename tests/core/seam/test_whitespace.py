"""The white space at a seam."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.seam.whitespace import is_settled, mend

PROSE = (
    "The ferry was late again, and nobody on the pier seemed to mind, or so it seemed, to me.\n\n"
    "It was an afternoon on which one forgets what one came for. The harbour smelled of diesel, and "
    "somewhere a radio was playing.\n\nWhen the horn sounded at last, the old man, slowly, walked to the rail"
)


def mended(text: str, rest: str, *, space: str = "", fenced: bool = False, proved: bool = False) -> str:
    """The rest as the consumer gets it."""
    found = mend(text, space, rest, fenced=lambda: fenced, proved=proved)
    return found.supply + rest[found.drop :]


@given(st.text("aB ,.\n-|`1#", max_size=40), st.text(" \n", max_size=3), st.text("aB ,.\n-|`1#", max_size=20))
def test_white_space_is_all_that_is_touched(text: str, space: str, rest: str) -> None:
    """Nothing but white space is dropped, and nothing else is supplied."""
    found = mend(text.rstrip() or "a", space, rest, fenced=lambda: False, proved=False)
    assert rest[: found.drop].strip() == found.supply.strip() == ""


@given(st.text(" \n", max_size=3), st.text(" \n", max_size=3), st.text("ab", min_size=1, max_size=5))
def test_white_space_that_the_consumer_has_is_not_doubled(space: str, more: str, word: str) -> None:
    """A reply that goes on exactly is joined exactly."""
    assert mended("A text.", space + more + word, space=space, proved=True) == more + word


@pytest.mark.parametrize(
    ("text", "rest", "then"),
    [
        (PROSE, "\n\nand looked at the water.", " and looked at the water."),
        (PROSE, "\nand looked at the water.", " and looked at the water."),
        (PROSE + ",", "\n\nand looked.", " and looked."),
        (PROSE, "\n\nAnd looked.", "\n\nAnd looked."),
        (PROSE, "\n\n- and", "\n\n- and"),
        (PROSE + ".", "\n\nand looked.", "\n\nand looked."),
        (PROSE + ":", "\n\nand looked.", "\n\nand looked."),
        ("- a list item of many words that goes on and on", "\n\nand more", "\n\nand more"),
        (
            "one line that is broken\nwhere the paper ends and not where the sentence does",
            "\nand more",
            "\nand more",
        ),
        ("short", "\n\nand more", "\n\nand more"),
        ("One-long-word-that-goes-on-and-on-and-on and so on", "\nand more", "\nand more"),
    ],
)
def test_a_sentence_runs_on(text: str, rest: str, then: str) -> None:
    """In a long line of prose of a text that breaks no sentences, and nowhere else."""
    assert mended(text, rest) == then


def test_only_a_text_with_clear_habits_raises_doubt() -> None:
    """One paragraph shows none."""
    assert mended(PROSE, "\n\nand looked.", proved=True) == " and looked."
    last = PROSE.rpartition("\n\n")[2]
    assert mended(last, "\nand looked.", proved=True) == "\nand looked."
    assert mended(last, "\nand looked.") == " and looked."


def test_a_broken_word_is_mended() -> None:
    """Where the text knows the word."""
    assert mended(PROSE + " of the har", "\n\nbour") == "bour"


def test_in_code_a_line_break_is_a_line_break() -> None:
    """Whatever the line looks like."""
    assert mended(PROSE, "\n\nand", fenced=True) == "\n\nand"
    assert mended(PROSE, "  and", fenced=True) == "  and"


@pytest.mark.parametrize(
    ("text", "rest", "then"),
    [
        ("- 500 g flour.", "- 10 g salt", "\n- 10 g salt"),
        ("1. Mix", "2. Knead", "\n2. Knead"),
        ("1. Mix", "3. Knead", "3. Knead"),
        ("- flour", "- ten", "- ten"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| 3 | 4 |", "\n| 3 | 4 |"),
        ("| a | b", "| 3 | 4 |", "| 3 | 4 |"),
        ("It ends.", "## Next", "\n\n## Next"),
        ("#", "## Next", "## Next"),
        (PROSE + ",", "and", " and"),
        (PROSE + ".", "And then", " And then"),
        (PROSE + ".", "and", "and"),
        (PROSE + ", see https://a.example,", "and", "and"),
        ("a,b,c,", "d", "d"),
        (PROSE + " `a,", "b`", "b`"),
        (PROSE + " of Node.", "Or not", "Or not"),
        (PROSE + " 3,", "000", "000"),
    ],
)
def test_a_lost_space_is_supplied(text: str, rest: str, then: str) -> None:
    """Where a line must begin, or the text always has a space; proved or not."""
    for proved in (True, False):
        assert mended(text, rest, proved=proved) == then


def test_the_end_of_a_fence_begins_a_line() -> None:
    """But what begins one is left alone."""
    assert mended("x = 1", "```\n", fenced=True) == "\n```\n"
    assert mended("x = 1", "```\n") == "```\n"
    assert mended("`", "```\n", fenced=True) == "```\n"
    assert mended("- a.", "- b", fenced=True) == "- b"


def test_two_known_words_are_not_one() -> None:
    """Unless the text knows that one, or the reply is proved."""
    text = PROSE + " of the pier. The pier of the radio, the"
    assert mended(text, "pier") == " pier"
    assert mended(text, "pier", proved=True) == "pier"
    assert mended(text, "ory") == "ory"
    assert mended(text + " an", "other. The other an") == "other. The other an"
    assert mended(PROSE + " some", "where a radio") == "where a radio"


@pytest.mark.parametrize(
    ("text", "space", "rest", "then"),
    [
        ("for each in self", " ", "\n\nkept: x", "kept: x"),
        ("for each, other,", " ", "\n(1, 2)", "(1, 2)"),
        ("The end.", " ", "\n\nThen", "\n\nThen"),
        ("as follows", " ", "\n\n- a", "\n\n- a"),
        ("as follows", "  ", "\nThen", "\nThen"),
        ("def f():", "\n    ", "\n\nreturn 1", "return 1"),
        ("def f():", "\n    ", "\n    return 1", "return 1"),
        ("The end.", "\n", "\n\nThen", "\nThen"),
    ],
)
def test_a_line_that_has_begun_is_not_begun_again(text: str, space: str, rest: str, then: str) -> None:
    """Its indent was received, or a space behind a word."""
    assert mended(text, rest, space=space, proved=True) == then


def test_a_move_of_chess_is_no_item() -> None:
    """Nor is what follows a host the next word."""
    assert mended("9. h3 Nb8 10. d4 Nbd7 11. c4 c6 1", "2. cxb5", proved=True) == "2. cxb5"
    text = "From: a. Into: b. Over: c. To host:"
    assert mended(text, "path", proved=True) == "path"
    assert mended(text, "path") == " path"
    assert mended(text.replace("host", "host.example"), "path") == "path"
    code = '  File "/srv/app/tides/reader.py", line 41, in read'
    assert mended(code, "\n    level") == "\n    level"


def test_two_spaces_are_one() -> None:
    """Without proof, between words, in a text that has no two."""
    assert mended(PROSE, "  and") == " and"
    assert mended(PROSE, "  and", space=" ") == "and"
    assert mended(PROSE, "  and", proved=True) == "  and"
    assert mended(PROSE, "  (and)") == " (and)"
    assert mended(PROSE, "  # and") == "  # and"
    assert mended(PROSE, "   and") == "   and"
    assert mended(PROSE + "  and", "  now") == "  now"
    assert mended("few words", "  now") == "  now"


@pytest.mark.parametrize(
    ("space", "rest", "proved", "settled"),
    [
        ("", "", True, False),
        ("", " ", True, False),
        ("", "t", True, True),
        ("", "T", True, False),
        ("", "Th", True, True),
        ("", " t", True, True),
        ("", "-", True, False),
        ("", "- ", True, True),
        ("", "12", True, False),
        ("", "12.", True, False),
        ("", "12. ", True, True),
        ("", "``", True, False),
        ("", "```\n", True, True),
        ("", "##", True, False),
        ("", "## T", True, True),
        ("", "\n\nti", True, False),
        ("", "\n\ntide ", True, True),
        ("", "\n\nTi", True, True),
        (" ", "tid", False, False),
        (" ", "tide,", False, True),
        (" ", '"', False, False),
        ("", "x" * 24, False, True),
    ],
)
def test_it_waits_while_the_next_word_may_change_the_white_space(
    space: str, rest: str, *, proved: bool, settled: bool
) -> None:
    """A marker may be half there, a word may be half of one that the text knows."""
    assert is_settled(space, rest, proved=proved) is settled


def test_a_number_of_any_length_begins_no_item() -> None:
    """Python reads none of five thousand digits."""
    rest = "2" * 5000 + ". two"
    assert mended("1. One.", rest) == rest


def test_what_is_longer_than_words_are_is_none() -> None:
    """It is not looked for, however often the text has it."""
    from resilient_stream._core.seam.whitespace import LONGEST_WORD, _known

    word = "a" * LONGEST_WORD
    assert _known(f"{word} {word}", word)
    assert not _known(f"{word}a {word}a", f"{word}a")
