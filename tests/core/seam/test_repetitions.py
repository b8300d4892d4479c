"""Passages of the text that a reply tells again: what is cut, followed or refused, and what is the text's own."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.joined import Diverged, Follow, Join, Joined
from tests.support.joins import FRAGMENT, REST, TEXT, asked, decided, told


@pytest.mark.parametrize("size", [23, 26, 31, *range(33, 79, 3), *range(82, 160, 7)])
def test_more_or_less_than_the_fragment_is_an_overlap(size: int) -> None:
    """From anywhere in the last paragraphs on, up to the text's end; a short passage from a word on."""
    rest, how, verified = told(asked(), TEXT[-size:].lstrip() + REST)
    assert (rest, verified) == (REST, True)
    assert how is Joined.OVERLAP


def test_a_sentence_repeated_from_its_middle_is_an_overlap() -> None:
    """Eight letters are enough there."""
    text = TEXT + " thinks. The book is"
    assert told(asked(text), "The book is blue.") == (" blue.", Joined.OVERLAP, True)


def test_a_word_that_begins_again_inside_itself_is_an_overlap() -> None:
    """``temptemperature`` is no word."""
    text = TEXT + " thinks of the tempe"
    assert told(asked(text), "temperature.") == ("rature.", Joined.OVERLAP, True)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ('"Ha ha ha', " ha ha!"),
        ("It was very", " very late."),
        ("| 0 | 0 |\n| 0 | 0 |\n| 0 | 0 |", "\n| 0 | 0 |\n| 0 | 0 |\n\nEnd."),
        ("Row till the morning is here,\nrow till the morning is here,", "\nrow till the morning is here."),
        ("He said so", " so often that nobody heard him."),
        ("-----------------------------------", "-----------------------------------\nnext"),
        ("1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,", " 0, 0, 0, 0, 0, 0, 0, 1"),
    ],
)
def test_text_that_repeats_itself_is_not_trimmed(text: str, rest: str) -> None:
    """A coincidence is no proof, however long, where the text says things twice."""
    assert told(asked(TEXT + "\n\n" + text), rest) == (rest, Joined.AS_IS, False)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("He knew that", " he knew that she knew."),
        ("Boys and girls", " boys and girls, all of them, came."),
        ("Boys and girls come to play,", " boys and men come to play, and"),
        ("What we want is", " what we want is what you want."),
        ("# The tide\n\nthe tide", " The tide rises."),
        ("Boys", " boys, all of them."),
        ("Ha", "ha, he said."),
    ],
)
@pytest.mark.parametrize("before", ["", TEXT + " thinks.\n\n"], ids=["whole", "quoted"])
def test_a_small_letter_for_a_capital_is_no_repetition(before: str, text: str, rest: str) -> None:
    """The fragment that was asked for, with a slip or without, and any passage: nothing is cut of a sentence
    that says its first words again."""
    assert told(asked(before + text, whole=not before), rest) == (rest, Joined.AS_IS, False)


@pytest.mark.parametrize(("text", "whole"), [("Those who look for long enough learn", True), (TEXT, False)])
def test_a_long_fragment_is_known_in_small_letters(text: str, *, whole: bool) -> None:
    """Nobody says so much again."""
    of = asked(text, whole=whole)
    assert told(of, f"{of.quote.lower()} {REST}") == (f" {REST}", Joined.ECHO, True)
    of = asked(text, " ", whole=whole)
    assert told(of, f"{of.quote.lower()} {REST}")[1:] == (Joined.ECHO, True)


def test_a_quotation_mark_of_the_text_is_no_wrapper() -> None:
    """Nothing behind the passage closes it."""
    text = TEXT + '.\n\n{"at": 1, "level_cm": 240,'
    rest = ' "wind": 3}'
    found, _, _ = told(asked(text), '"level_cm": 240,' + rest)
    assert found.endswith(rest)


def test_a_fragment_that_stands_in_many_places_is_cut_once() -> None:
    """What is asked for is cut, and no more."""
    text = TEXT[:100] + "\n\n" + "| 0 | 0 | 0 |\n" * 20
    text = text.rstrip()
    rest = "\n| 0 | 0 | 0 |\n| 1 | 0 | 0 |"
    assert told(asked(text), text[-80:] + rest) == (rest, Joined.ECHO, True)


# -- beginning again -----------------------------------------------------------------------------


def test_a_short_text_that_is_repeated_is_skipped() -> None:
    """All of it, however it is spelled."""
    assert told(asked(), TEXT + REST) == (REST, Joined.RESTART, True)
    assert told(asked(), TEXT.upper() + REST) == (REST, Joined.RESTART, True)


def test_a_long_text_that_is_repeated_is_followed() -> None:
    """Little of it is held; where it stands is told."""
    text = "".join(f"Sentence {number} tells of tide {number * 7}.\n" for number in range(400)).rstrip()
    assert decided(asked(text), text) == Follow(0, 0, Joined.RESTART)
    assert decided(asked(text), f"Sure!\n\n{text}") == Follow(0, 7, Joined.RESTART)
    start = "\n\nSorry about that. Here is the rest:\n\n"
    assert decided(asked(text), start + text) == Follow(0, len(start), Joined.RESTART)
    paragraph = text[-600:].lstrip()
    assert decided(asked(f"{TEXT}\n\n{paragraph}"), paragraph) == Follow(len(TEXT) + 2, 0, Joined.OVERLAP)


@pytest.mark.parametrize("at", [45, 60, 120, 170, 230])
def test_a_text_that_is_begun_again_and_left_is_another_answer(at: int) -> None:
    """Never glued to this one."""
    assert decided(asked(), TEXT[:at] + "something else altogether, and at length.") == Diverged()


def test_an_echo_that_is_left_is_another_answer() -> None:
    """The fragment was begun, so the reply belongs there and not behind it."""
    assert decided(asked(), FRAGMENT[:50] + "something else altogether, and at length.") == Diverged()


def test_a_reply_that_ends_in_a_repetition_is_another() -> None:
    """It ended inside what it told again, so its author cut it short."""
    assert decided(asked(), TEXT[:150]) == Diverged()


def test_rows_that_begin_alike_are_no_other_answer() -> None:
    """The next record repeats most of those before it."""
    record = '{{"station": "North pier", "wind": {{"from": "west"}}, "level": {}}},\n'
    text = "".join(record.format(level) for level in (12, 27, 31)).rstrip()
    rest = "\n" + record.format(44) + record.format(12)
    assert told(asked(text), rest) == (rest, Joined.AS_IS, False)


@pytest.mark.parametrize(
    ("text", "reply", "rest"),
    [
        ("Sure, I can", "Certainly! Here is how.", None),
        ("Sure, I can", "Sure, I can help.", " help."),
        ("Sure, I can", "SURE, I can help.", " help."),
        ("Sure, I can", " help with that.", " help with that."),
        ("Sure, I can", "not.", "not."),
        ("# Tides\n\nBut", "# Tides\n\nBut now", " now"),
        ("It ends.", "The next begins.", "The next begins."),
        ("\u00bf", "Qui\u00e9n?", "Qui\u00e9n?"),
    ],
)
def test_another_beginning_is_another_answer(text: str, reply: str, rest: str | None) -> None:
    """Where the whole text was asked for, unless the reply may go on with what there is."""
    found = decided(asked(text, whole=True), reply)
    assert found == Diverged() if rest is None else isinstance(found, Join)
    if isinstance(found, Join):
        assert found.supplied + reply[found.cut :] == rest
