"""Changing the white space at the seam."""

from __future__ import annotations

import pytest

from resilient_stream.testing import MANNERS

from .said import ANSWER, QUOTE, RECEIVED, REST

SAID = {
    "lost_space": QUOTE + REST.lstrip(),
    "lost_space_no_echo": REST.lstrip(),
    "doubled_space": " " + REST,
    "blank_lines": "\n\n" + REST.lstrip(),
    "echo_blank_lines": f"{QUOTE}\n\n" + REST.lstrip(),
    "reopened_fence": QUOTE + REST,
    "reopened_fence_no_echo": REST,
    "reopened_fence_lost_break": REST,
    "reopened_fence_line": QUOTE + REST,
    "reopened_fence_all": QUOTE + REST,
    "retold_bare_fence": QUOTE + REST,
}


@pytest.mark.parametrize("name", SAID)
def test_each_says_what_it_says(name: str) -> None:
    """The answer, what was received and the quote decide every word."""
    assert MANNERS[name](ANSWER, RECEIVED, QUOTE) == SAID[name]


def test_only_a_space_is_doubled() -> None:
    """A line break is left."""
    assert MANNERS["doubled_space"]("a\nb", "a", "a") == "\nb"


@pytest.mark.parametrize(
    ("received", "opening"),
    [("```py\nx = ", "```py\n"), ("```py\nx\n```\ny", ""), ("```\nx", "```\n"), ("``x", "")],
)
def test_only_an_open_fence_is_opened_again(received: str, opening: str) -> None:
    """In its language."""
    assert MANNERS["reopened_fence"](received + "1", received, received[-2:]) == opening + received[-2:] + "1"
    assert MANNERS["reopened_fence_no_echo"](received + "1", received, "") == opening + "1"


def test_what_is_told_again_behind_a_fence() -> None:
    """Nothing, the last line, or all that is in it."""
    received, rest = "So:\n\n```py\nx = 1\ny", "\n = 2"
    said = {name: MANNERS[name](received + rest, received, "y") for name in SAID if "fence" in name}
    assert said["reopened_fence_lost_break"] == "```py\n = 2"
    assert said["reopened_fence_line"] == "```py\ny\n = 2"
    assert said["reopened_fence_all"] == "```py\nx = 1\ny\n = 2"
    assert said["retold_bare_fence"] == "```\ny\n = 2"
