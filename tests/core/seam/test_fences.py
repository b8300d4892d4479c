"""Code fences."""

from __future__ import annotations

import re

import pytest

from resilient_stream._core.seam.fences import FENCE_LINE, in_fence, opened_at


@pytest.mark.parametrize(
    ("text", "fenced"),
    [
        ("", False),
        ("a ``` b", False),
        ("```", True),
        ("a\n```py\nb", True),
        ("a\n```py\nb\n```\n", False),
        ("   ```\nb", True),
        ("    ```\nb", True),
        ("> ```sh\n> b", True),
        ("1. ```sh\n   b\n   ```\nc", False),
        ("- ```sh\n  b", True),
        ("```a``` b", False),
        ("```\na\n```py\nb", True),
        ("```py title=1\nb", True),
        ("````\n```\nb", True),
        ("````\n```\n````", False),
        ("~~~\n```\nb", True),
        ("~~~\n```\n~~~\nb", False),
    ],
)
def test_an_open_fence_is_seen(text: str, *, fenced: bool) -> None:
    """In lists and quotes too; closed by its own marks, as many or more, with nothing behind them."""
    assert in_fence(text) is fenced


def test_the_line_that_opens_is_found() -> None:
    """The last one that is not closed."""
    text = "A:\n```sh\nls\n```\nB:\n  ~~~ text\nls"
    assert text[opened_at(text) :].startswith("  ~~~ text")
    assert opened_at("```\nls") == 0
    assert opened_at("A.") == -1


@pytest.mark.parametrize("line", ["```", "~~~~", "```csv", '``` csv title="a" {1,2}', "~~~ a`b"])
def test_a_line_that_opens_a_fence_may_say_anything(line: str) -> None:
    """A language, a title; but no ticks behind ticks."""
    assert re.fullmatch(FENCE_LINE, f"{line}\n")
    assert not re.match(FENCE_LINE, line)
    assert not re.match(FENCE_LINE, "```a``` b\n")
