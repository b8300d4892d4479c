"""The words of the request in a reply."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.wording import says

SAID = (
    "My connection dropped, so I only received this:\n\n{quote}\n\nPlease start your next message with it. "
    "If your reply was already complete, just stop."
)
WORDINGS = (SAID,)


@pytest.mark.parametrize(
    ("rest", "says_it"),
    [
        ("\n\nPlease start your next message with it.", True),
        ("Please start your next message, and", True),
        ("if your reply was already complete", True),
        ("Please start your next", None),
        ("Please", None),
        ("Please start the engine.", False),
        ("connection dropped, so I only received", False),
        ("", False),
    ],
)
def test_a_sentence_of_the_request_is_known(rest: str, says_it: bool | None) -> None:
    """From its beginning on, in any letters."""
    assert says(rest, WORDINGS, apart=True, final=False) is says_it


@pytest.mark.parametrize(
    ("rest", "apart", "says_it"), [("Please", True, True), ("Please", False, False), ("Pl", True, False)]
)
def test_half_a_sentence_at_the_end_counts_behind_a_marker(rest: str, *, apart: bool, says_it: bool) -> None:
    """Four letters of it."""
    assert says(rest, WORDINGS, apart=apart, final=True) is says_it


def test_short_sentences_say_nothing() -> None:
    """They may be anybody's."""
    assert says("Go on.", ("Go on: {quote}",), apart=True, final=True) is False
