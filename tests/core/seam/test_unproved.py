"""What is joined without proof."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.delivered import Had
from resilient_stream._core.seam.joined import Asked, Join, Joined
from resilient_stream._core.seam.lead_ins import starts
from resilient_stream._core.seam.unproved import Unproved

STORY = "The keeper climbed the stairs every night, and nobody knew why. He never found the"
ROWS = "So:\n\n```csv\nid,name,port\n1,Gannet,North Pier\n2,Petrel,South Quay"


def behind(text: str, head: str, space: str = "", *, final: bool = True) -> str | Join | None:
    """What is handed over of a reply behind the last opening that may be cut, or where nothing is decided,
    that."""
    asked = Asked(text[-60:], space, text=text)
    unproved = Unproved(asked, Had(asked, 64))
    openings = [
        start
        for start in starts(head, fenced=lambda: unproved.had.fenced)
        if unproved.is_opening(head, start)
    ]
    if not openings:
        return "none"
    found = unproved.behind(head, openings[-1], final=final)
    return found and found.supplied + head[found.cut :]


@pytest.mark.parametrize(
    ("text", "head", "rest"),
    [
        (STORY, "Here is the rest:\n\n ship.", " ship."),
        (STORY, "<<<\n ship.", " ship."),
        (STORY, "<<<\nShip.", "Ship."),
        (STORY, "... ship.", " ship."),
        (STORY, "<rest>\n ship.", " ship."),
        (STORY, "<b>ship</b>", "none"),
        (STORY + " <i>", "<rest>\n ship.", "none"),
        (STORY + " <<<", "<<<\n ship.", "none"),
        (STORY, "... Ship.", "none"),
        (STORY, "\u201cship", "none"),
        (STORY, "Righto!\n\n<<<\n ship.", "none"),
        (STORY + " ship.", "... and then", "none"),
        (STORY, "```\nship", "none"),
        (ROWS, "```csv\n3,Skua,East Pier\n", "\n3,Skua,East Pier\n"),
        (ROWS, "```\n3,Skua,East Pier\n", "\n3,Skua,East Pier\n"),
        (ROWS, "```\nThat is all.\n", "\n```\nThat is all.\n"),
        (ROWS, "\n```\n3,Skua,East Pier\n", "none"),
        (ROWS, "<<<\n3,Skua,East Pier\n", "\n3,Skua,East Pier\n"),
        (ROWS, "... 3", "none"),
    ],
)
def test_only_what_can_not_be_the_texts_is_cut(text: str, head: str, rest: str) -> None:
    """An announcement, a marker, a fence that is open, an ellipsis in a sentence."""
    assert behind(text, head) == rest


def test_a_line_that_was_received_is_not_broken_again() -> None:
    """The consumer has the line break, or half of the indent."""
    assert behind(ROWS, "```csv\n3,Skua,East Pier\n", "\n") == "3,Skua,East Pier\n"
    assert behind(ROWS, "```csv\n   3,Skua,East Pier\n", "\n  ") == " 3,Skua,East Pier\n"


@pytest.mark.parametrize(
    "head", ["Here is the rest:\n\n", "<<<\n", "<<<\nshi", "```csv\n", "```csv\n3,Skua", "...shi"]
)
def test_more_is_waited_for_where_it_may_tell(head: str) -> None:
    """Half a word, half a row."""
    text = ROWS if head.startswith("```") else STORY
    assert behind(text, head, final=False) is None
    assert behind(text, head) is not None


def test_nothing_of_it_is_verified() -> None:
    """Where the text belongs is not proved."""
    asked = Asked(STORY[-60:], "", text=STORY)
    assert Unproved(asked, Had(asked, 64)).join(" ship.", 0, Joined.AS_IS, final=True) == Join(
        0, Joined.AS_IS, verified=False
    )
