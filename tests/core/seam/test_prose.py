"""Does a sentence of prose run on?"""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.prose import is_prose, joins_without_space, runs_on

LINE = "When the horn sounded at last, the old man, slowly, walked to the rail"
CHINESE = "\u8001\u8857\u7684\u5c3d\u5934\u6709\u4e00\u5bb6\u4fee\u8868\u94fa\uff0c\u95e8\u9762\u53ea\u6709\u4e00\u6b65\u5bbd\u5e08\u5085\u59d3\u9648"
HEBREW = (
    "\u05d1\u05d1\u05d5\u05e7\u05e8 \u05e9\u05d1\u05d5 \u05e0\u05e4\u05ea\u05d7\u05d4 "
    "\u05d4\u05e1\u05e4\u05e8\u05d9\u05d9\u05d4, \u05de\u05d7\u05d3\u05e9 \u05e2\u05de\u05d3\u05d5 "
    "\u05d1\u05ea\u05d5\u05e8 \u05e9\u05dc\u05d5\u05e9\u05d9\u05dd"
)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (LINE, "and looked"),
        (LINE + ",", "and looked"),
        ("Title\n\n" + LINE, "and"),
        (CHINESE, "\u9648"),
        (HEBREW, "\u05d9\u05dc\u05d3\u05d9\u05dd"),
    ],
)
def test_a_long_line_without_a_stop_runs_on(text: str, word: str) -> None:
    """With or without capitals."""
    assert runs_on(text, word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (LINE, "And looked"),
        (LINE + ".", "and looked"),
        (LINE + " 12", "and"),
        (LINE, "12 men"),
        ("  " + LINE, "and"),
        (LINE.lower(), "and"),
        (LINE[:30], "and"),
        (LINE + " `a", "b`"),
        (LINE + "\n\nand so on\n\n" + LINE, "and"),
        ("Return x if y == z else w or v[0] and f(x) or None", "and"),
        (CHINESE[:10], "\u9648"),
        (CHINESE.replace("\uff0c", ""), "\u9648"),
        (HEBREW[:30], "\u05d9"),
        (HEBREW.replace(",", ""), "\u05d9"),
        ("THE SIGN SAYS THAT NOBODY IS TO STAND HERE AT NIGHT", "and"),
    ],
)
def test_what_may_be_whole_does_not(text: str, word: str) -> None:
    """A heading, code, verse, a list, or the next sentence."""
    assert not runs_on(text, word)


def test_some_writing_systems_put_no_space_between_words() -> None:
    """Both sides must be of one."""
    assert joins_without_space("\u8001", "\u8857")
    assert joins_without_space("\u0e01", "\u0e02")
    assert not joins_without_space("\u8001", "a")
    assert not joins_without_space("\ud55c", "\ud55c")


def test_prose_is_long_and_nearly_all_words() -> None:
    """Or ideographs, of which fewer are a line."""
    assert is_prose(LINE)
    assert is_prose(CHINESE)
    assert not is_prose(CHINESE[:10])
    assert not is_prose("x = 1; y = 2; z = 3; x = 1; y = 2; z = 3; \u9648")
    assert not is_prose(LINE[:30])
