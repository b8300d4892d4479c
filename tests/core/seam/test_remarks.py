"""What a model remarks around the quote, and what looks alike and is the text's own."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.preambles import NOTES
from resilient_stream._core.seam.remarks import LONGEST, begins, note_ends


def is_remark(rest: str, *, over: bool = False, dotted: bool = False, final: bool = True) -> bool | None:
    """Whether it begins with one, in the middle of a sentence of a text that has no ellipsis."""
    return begins(rest, over=over, dotted=dotted, final=final)


@pytest.mark.parametrize(
    "rest",
    [
        " I apologize for the confusion. ship.",
        " I'm sorry, but I can't continue.",
        "\n\nSorry about that.\nship",
        " Es tut mir leid. Schiff.",
        "Désolé pour l'interruption. navire",
        "抱歉。答案",
        " Continuing from where I left off: ship.",
        " Let me continue.\nship",
        " Certainly!ship",
        " (continued) ship.",
        " [continues]",
        "\n*(to be continued)*\n ship.",
        " **cont'd**\nship",
        " (Note: I went on from the fragment.) ship.",
        " (sorry about that) ship.",
        " -- continued --ship",
        " \u2014 resuming ship",
        "\uff08\u7eed\uff09\u7b54\u6848",
        "\u3010\u7d9a\u304d\u3011 \u7b54\u6848",
        " (wird fortgesetzt) Schiff",
        "\n\n## Continued\n\nship",
        "... ship.",
        " [\u2026] ship.",
        " . . . ship",
        " (...)",
    ],
)
def test_a_remark_is_known(rest: str) -> None:
    """An apology, an announcement, a courtesy, a note in brackets or between dashes, an ellipsis."""
    assert is_remark(rest) is True


@pytest.mark.parametrize("language", sorted(NOTES))
def test_each_language_has_a_note(language: str) -> None:
    """In round or square brackets, in emphasis, behind a dash."""
    word = {"en": "continued", "de": "Fortsetzung", "ru": "далее", "zh": "待续"}.get(language, "")
    word = word or NOTES[language].split("|")[0].split("(?:")[0].rstrip("\\.?")
    for note in (f" ({word}) x", f"\n[{word}]\nx", f" *{word}* x", f" \u2014 {word} \u2014 x"):
        assert is_remark(note) is True, note


@pytest.mark.parametrize(
    "rest",
    [
        "",
        " ship.",
        " 12 ships",
        " (the ship of the line) sank.",
        " (of course) a ship",
        " *Marie* of the North.",
        " - a ship",
        " Marie, who sorry or not went on",
        "\n\n## The end\n\nship",
        ") ship",
        ". Then he slept.",
        " ``code``",
    ],
)
def test_what_goes_on_is_no_remark(rest: str) -> None:
    """Brackets, emphasis, dashes and capitals are the text's own where they say something else."""
    assert is_remark(rest) is False


def test_where_a_sentence_is_over_the_next_may_thank_somebody() -> None:
    """But a whole sentence that does nothing but apologise or announce is a remark there, too."""
    assert is_remark(" Thanks to the wind the whole fleet of the island was home early.", over=True) is False
    assert is_remark(" Thanks to the wind the whole fleet of the island was home early.") is True
    assert is_remark(" I apologize for the confusion.", over=True) is True


def test_an_ellipsis_is_believed_of_a_text_that_has_one() -> None:
    """It is in the text's manner."""
    assert is_remark("... ship.", dotted=True) is False


@pytest.mark.parametrize(
    ("rest", "more"),
    [
        (".", ". ship"),
        (" .", " .. ship"),
        (" Sor", " Sorry. ship"),
        (" (contin", " (continued) ship"),
        (" (", " (a) b"),
    ],
)
def test_a_half_remark_is_waited_for(rest: str, more: str) -> None:
    """Until it is one or is none, and no longer than `LONGEST`."""
    assert is_remark(rest, final=False) is None
    assert is_remark(more, final=False) is not None
    assert is_remark(" The" + "x" * LONGEST, final=False) is False
    assert is_remark(" (" + "x" * LONGEST, final=False) is False


@pytest.mark.parametrize(
    ("head", "behind"),
    [
        ("(continued) The", " The"),
        ("[continues]\n\nThe", "\n\nThe"),
        ("**Fortsetzung**\nDas", "\nDas"),
        ("(a ship) sank", "(a ship) sank"),
        ("(continued)", "(continued)"),
        ("continued The", "continued The"),
    ],
)
def test_a_note_before_the_quote_ends_with_its_bracket(head: str, behind: str) -> None:
    """One that ends the head may yet go on."""
    assert head[note_ends(head, 0) :] == behind
