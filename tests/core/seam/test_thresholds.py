"""How long a passage must be to prove that a reply repeats it."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.delivered import Had
from resilient_stream._core.seam.joined import Asked
from resilient_stream._core.seam.lead_ins import Lead, Start
from resilient_stream._core.seam.normalize import Folded
from resilient_stream._core.seam.thresholds import (
    ACCIDENT,
    BEGUN,
    ONE_WORD,
    OUT_OF_PLACE,
    SET_APART,
    TOUCHING,
    need,
)

BEFORE = "The sea rises twice a day. "


def needed(text: str, passage: str, *, space: str = "", lead: str = "") -> int:
    """The letters that are needed of a passage that ends the text, told again behind a lead."""
    had = Had(Asked(text[-80:], space, text=text), 64)
    start = Start(len(lead), Lead.BARE)
    return need(had, lead + passage, start, len(Folded(passage).key))


@pytest.mark.parametrize(
    ("passage", "space", "lead", "letters"),
    [
        ("He keeps a", " ", "", BEGUN),
        ("He keeps a", "", "", BEGUN),
        ("Hekeepsa", " ", "", OUT_OF_PLACE),
        ("| 4 | 8 |", "", "", OUT_OF_PLACE),
        ("He keeps a.", "", "", BEGUN),
        ("He keeps a.", "", " ", SET_APART),
        ("He keeps a,", "", " ", OUT_OF_PLACE),
        ("he keeps a,", "", " ", ACCIDENT),
        ("He keeps a", "\n", "", SET_APART),
        ("He keeps a\nbook of it", "", " ", BEGUN),
        ("He keeps a\nbook of it.", " ", "", BEGUN),
        ("\u4ed6\u6bcf\u5929\u5199", "", "", BEGUN),
        ("\u4ed6\u6bcf\u5929\u5199\u3002", "", "", SET_APART),
    ],
)
def test_a_sentence_comes_again_where_one_ends(passage: str, space: str, lead: str, letters: int) -> None:
    """In its middle it doesn't; nor does a passage of two lines where a sentence ends."""
    assert needed(BEFORE + passage, passage, space=space, lead=lead) == letters


@pytest.mark.parametrize(
    ("passage", "space", "lead", "letters"),
    [
        ("keeps some book", " ", "", OUT_OF_PLACE),
        ("keeps a book", "", " ", SET_APART),
        ("keeps one book", "", " ", OUT_OF_PLACE),
        ("a book", " ", "", ACCIDENT),
        ("keeps one book,", " ", "", ACCIDENT),
        ("book of\nit and\n more", "\n", "", OUT_OF_PLACE),
        ("keeps one book", "\n", "", ACCIDENT),
        ("keeps one book.", "", " ", OUT_OF_PLACE),
        ("keeps one book)", "", "", OUT_OF_PLACE),
        ("keeps", "", "", ONE_WORD),
    ],
)
def test_the_middle_of_a_sentence_comes_again_nowhere(
    passage: str, space: str, lead: str, letters: int
) -> None:
    """Several words on from there to the middle, or from there to an end."""
    assert needed(BEFORE + "He " + passage, passage, space=space, lead=lead) == letters


@pytest.mark.parametrize(
    ("text", "passage", "letters"),
    [
        ("the tempe", "tempe", ONE_WORD),
        ("the tide of temp", "temp", ONE_WORD),
        ("temperature", "rature", ONE_WORD),
        ("x_1temper a", "mper a", ACCIDENT),
        ("we shall overcome, we shall over", "come, we shall over", ACCIDENT),
        ("<tr><td></td>", "<td></td>", TOUCHING),
        ("<td></td><td></td>", "<td></td>", ACCIDENT),
        ("meant. knock knock knock", ". knock knock knock", ACCIDENT),
        ("\u4ed6\u4e00\u6b65\u4e00\u6b65\u5730\u8d70", "\u5730\u8d70", OUT_OF_PLACE),
    ],
)
def test_a_passage_that_touches(text: str, passage: str, letters: int) -> None:
    """Inside a word, beside a sign, or where the text has begun to repeat itself."""
    whole = "It said: so " + text
    assert needed(whole, passage) == letters


@pytest.mark.parametrize(
    ("passage", "told", "space", "letters"),
    [
        ("He keeps a", "he keeps a", " ", ACCIDENT),
        ("he keeps a", "He keeps a", " ", ACCIDENT),
        ("He keeps a", "HE KEEPS A", " ", BEGUN),
        ('"He keeps a', '"he keeps a', " ", ACCIDENT),
        ("He keeps a.", "he keeps a.", " ", SET_APART),
        ("He keeps a!", "he keeps a!", "", ACCIDENT),
        ("14 | 29", "14 | 29", " ", OUT_OF_PLACE),
        ("He keeps a", "he keeps a", "", BEGUN),
        ("he keeps a", "He keeps a", "", BEGUN),
        ("event", "Event", "", ACCIDENT),
        ("Haha", "haha", "", ACCIDENT),
    ],
)
def test_a_capital_answered_by_a_small_letter_costs_proof(
    passage: str, told: str, space: str, letters: int
) -> None:
    """At the first letter, either way; but not where the repetition would stand inside a word."""
    had = Had(Asked(passage, space, text=BEFORE + passage), 64)
    assert need(had, told, Start(0, Lead.BARE), len(Folded(passage).key)) == letters


def test_behind_a_wrapper_little_is_enough() -> None:
    """Somebody set it apart."""
    had = Had(Asked("keeps a book", "", text="He keeps a book"), 64)
    assert need(had, "**a book", Start(2, Lead.BARE, wrapped=True), 5) == OUT_OF_PLACE
    assert need(had, "**A book", Start(2, Lead.BARE, wrapped=True), 5) == ACCIDENT
    had = Had(Asked("knock knock", "", text="Knock knock knock"), 64)
    assert need(had, "Here is the rest:\n\nknock", Start(19, Lead.ANNOUNCED), 5) == ACCIDENT
