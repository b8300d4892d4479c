"""Markers around a quote."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.markers import closing, closing_fence, is_own, passed

TEXT = "The keeper climbed the stairs, and never found the"


@pytest.mark.parametrize(
    ("rest", "behind"),
    [
        ("\n>>>\n\n ship.", "\n ship."),
        (">>>\n ship.", " ship."),
        ("\n>>>> \nship.", "ship."),
        ("\n<<<\n>>>\nship.", "ship."),
        ("\n]]]\nship.", "ship."),
        ("\n</part-12>\nship.", "ship."),
        ("\n</Fragment>\nship.", "ship."),
        ("\n\u00bb\nship.", "ship."),
        ("\n>>> ship.", " ship."),
        ("\n>>>ship.", "ship."),
        (" >>> 2", " >>> 2"),
        (" >>>\nship.", " >>>\nship."),
        ("\n]]] ship.", "\n]]] ship."),
        ("\n<div>\nship.", "\n<div>\nship."),
        ("\n>> ship.", "\n>> ship."),
        (" ship.", " ship."),
    ],
)
def test_markers_are_passed_with_the_ends_of_their_lines(rest: str, behind: str) -> None:
    """One line break is the marker's; the next, and a space, are the text's. In the middle of a line it is no
    marker."""
    for final in (True, False):
        cut = passed(rest, TEXT, opened=False, final=final)
        assert cut is not None
        assert rest[cut:] == behind


@pytest.mark.parametrize("rest", ["", "\n", "\n>", "\n>>>", "\n<frag", "\n\u00bb", "\n>>>\n", "\n{{"])
def test_what_may_become_a_marker_is_waited_for(rest: str) -> None:
    """Its line may go on, and another may follow."""
    assert passed(rest, TEXT, opened=False, final=False) is None
    assert passed(rest, TEXT, opened=False, final=True) is not None


def test_half_a_marker_at_the_end_counts_where_one_was_opened() -> None:
    """Two signs of three."""
    assert passed("\n>>", TEXT, opened=True, final=True) == 3
    assert passed("\n>>", TEXT, opened=False, final=True) == 0


@pytest.mark.parametrize(
    ("marker", "text", "own"),
    [
        (">>>", ">>> x = 1\n", True),
        (">>>>", "a >> b", False),
        ("<text>", "<svg>\n<g></g>", True),
        ("</text>", "the <text>", True),
        ("<text>", "a text", False),
    ],
)
def test_a_sign_that_the_text_has_is_no_marker(marker: str, text: str, *, own: bool) -> None:
    """A session of Python, a document of markup."""
    assert is_own(marker, text) is own
    cut = passed(f"\n{marker}\nx", text, opened=True, final=True)
    assert (cut == 0) is own


def test_a_marker_may_be_closed_behind_something_new() -> None:
    """At the end of a line; a fence only on a line of its own."""
    assert closing("tter\n>>>\n\nunder", TEXT, opened="marker", final=False) == (4, 9)
    assert closing("tter>>>\nunder", TEXT, opened="marker", final=False) == (4, 8)
    assert closing("tter\n>>>", TEXT, opened="marker", final=False) is None
    assert closing("tter\n>>>", TEXT, opened="marker", final=True) == (4, 8)
    assert closing("tter\n>>>\n", ">>> 1", opened="marker", final=True) is None
    assert closing("tter\n</rest>\nunder", TEXT, opened="</rest>", final=False) == (4, 13)


def test_a_fence_is_closed_behind_those_that_open_in_it() -> None:
    """The fence of an answer that is told in a fence is not its end."""
    assert closing_fence("tter\n```\nunder", inside=False, final=False) == (4, 9)
    assert closing_fence("tter\n```", inside=False, final=False) is None
    assert closing_fence("tter\n```", inside=False, final=True) == (4, 8)
    assert closing_fence("tter ```\nunder", inside=False, final=True) is None
    assert closing_fence("tter:\n```js\n1\n```\nx", inside=False, final=True) is None
    assert closing_fence("tter:\n```js\n1\n```\n```\nx", inside=False, final=True) == (17, 22)
    assert closing_fence("\n1\n```\nx", inside=True, final=True) is None
