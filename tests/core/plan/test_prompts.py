"""The words that ask for the rest of a reply."""

from __future__ import annotations

import pytest

from resilient_stream._core.plan.prompts import CONTINUE, PLACE, WORDINGS, Wording, prompt, wording

TEXTS = ("continued", "whole", "again")
ALL = pytest.mark.parametrize("asked", WORDINGS.values(), ids=WORDINGS)


@ALL
def test_each_text_quotes_once(asked: Wording) -> None:
    """Every text has one place for the quote, but for the one that has nothing to quote."""
    assert [getattr(asked, name).count(PLACE) for name in TEXTS] == [1, 1, 1]
    assert PLACE not in asked.unquoted


@ALL
def test_a_second_request_uses_other_words(asked: Wording) -> None:
    """What is asked again shares no text with what was asked before."""
    assert len({asked.continued, asked.whole, asked.again, asked.unquoted}) == 4


def test_the_built_in_wording_allows_no_stop_and_has_no_markers() -> None:
    """It asks for one thing; the quote stands bare, on lines of its own."""
    said = prompt(CONTINUE, "the last words", whole=False, again=False)
    assert "\n\nthe last words\n\n" in said
    assert not {"stop.", "complete", "marker"} & set(said.replace(",", "").split())


@pytest.mark.parametrize(
    ("whole", "again", "text"),
    [(False, False, "continued"), (True, False, "whole"), (False, True, "again"), (True, True, "again")],
)
def test_which_text_is_used(whole: bool, again: bool, text: str) -> None:
    """By how much was received, unless it is asked again."""
    for asked in WORDINGS.values():
        said = prompt(asked, "quoted", whole=whole, again=again)
        opening, _, closing = getattr(asked, text).partition(PLACE)
        assert said.startswith(opening)
        assert said.endswith(closing)
        assert ("<<<\nquoted\n>>>" in said) is (asked.markers and not again)


def test_without_text_there_is_nothing_to_quote() -> None:
    """A reply that ends in another block is continued from where it stops."""
    assert prompt(CONTINUE, "", whole=False, again=True) == CONTINUE.unquoted


def test_a_wording_is_chosen_by_name_or_written() -> None:
    """None is the built-in one; a text of the user's is used for both, and asked again in built-in words."""
    assert wording(None) is wording("continue") is CONTINUE
    assert wording("repeat") is WORDINGS["repeat"]
    own = wording("Weiter: {quote}")
    assert (own.continued, own.whole, own.markers) == ("Weiter: {quote}", "Weiter: {quote}", True)
    assert own.again == CONTINUE.again
