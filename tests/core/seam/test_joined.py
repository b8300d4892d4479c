"""What is asked of a continuation, and what may be answered."""

from __future__ import annotations

import re
from pathlib import Path

from resilient_stream._core.seam.joined import Asked, Join, Joined

PAGE = Path(__file__).parents[3] / "docs" / "seams.md"


def test_every_way_to_join_is_documented() -> None:
    """The table of the page has exactly the values that reports have."""
    listed = re.findall(r"^\| `(\w+)` \| (?:yes|no) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert listed == [joined.value for joined in Joined]


def test_no_text_is_shown() -> None:
    """A question and an answer can be printed without telling what was said."""
    asked = Asked("the fragment", "", text="all that was said, and the fragment")
    assert "fragment" not in repr(asked)
    assert "secret" not in repr(Join(0, Joined.ECHO, verified=True, supplied="secret"))
