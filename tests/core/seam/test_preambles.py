"""Sentences that announce a continuation."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.preambles import ANNOUNCEMENTS, COURTESIES, announces, greets
from resilient_stream.testing.manners.openings import PREAMBLE, PREAMBLES


def test_both_tables_speak_the_same_languages() -> None:
    """A row each."""
    assert list(ANNOUNCEMENTS) == list(COURTESIES)
    assert {name[:2] for name in PREAMBLES} == set(ANNOUNCEMENTS)


@pytest.mark.parametrize(
    "sentence",
    [
        PREAMBLE.strip(),
        "Certainly, let me continue from where my previous response was cut off.",
        "I'll pick up right where we left off:",
        "(Continuing my response...)",
        "**Continuing from that point:**",
        "Resuming from the point where the connection dropped:",
        "Here's the remainder of the answer:",
        "Hier ist die Fortsetzung:",
        "Je continue là où la réponse s'est interrompue :",
        "Aquí tienes la continuación:",
    ],
)
def test_an_announcement_is_known(sentence: str) -> None:
    """Whatever courtesy stands before it."""
    assert announces(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Continuing north, one sees a light.",
        "The rest is silence.",
        "Continue.",
        "Sure!",
        "He continued where the road was better.",
        "Then let's pick up where we left off and look it up together.",
        "Here is the list of tides:",
        "Fortsetzung folgt.",
        "Der Rest ist Schweigen.",
        "Sigo a mi padre hasta el puerto.",
        "\u5b83\u7ee7\u7eed\u5f80\u524d\u8d70\u3002",
        "\u6f6e\u306e\u8a18\u9332\u306f\u7d9a\u304f\u3002",
        "Voici la suite de l'histoire, telle qu'on me l'a racontée au port un soir d'hiver.",
        "",
    ],
)
def test_a_sentence_of_an_answer_is_none(sentence: str) -> None:
    """It speaks of something else than the reply."""
    assert not announces(sentence)


@pytest.mark.parametrize(
    "sentence", ["Sure!", "Sorry about the interruption.", "Natürlich!", "\u597d\u7684\uff0c", "Of course."]
)
def test_a_courtesy_is_known(sentence: str) -> None:
    """And is no announcement."""
    assert greets(sentence)
    assert not announces(sentence)
    assert not greets(sentence + " The tide rises")
