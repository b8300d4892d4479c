"""Following a reply along the text that it tells again."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.seam.restart import SPAN, Followed, follow

TEXT = (
    "\u201cThe sea,\u201d he said, \u201crises twice a day \u2014 and the caf\u00e9 by the pier knows it.\u201d "
    "\u6f6e\u306e\u8a18\u9332\u306f\u7d9a\u304f\u3002\u30ac\u30fc\u30c9\u304c\u898b\u3066\u3044\u308b\u3002 \U0001f30a\n\n"
    "Then the wind   turned, and nothing was left to be written down in the book of tides."
)


def told(text: str, reply: str, piece: int) -> Followed:
    """How a reply in pieces follows the text; what it leaves is brought again with the next piece."""
    at, cut, head = 0, 0, ""
    found = Followed(0, 0)
    for start in range(0, len(reply), piece):
        head += reply[start : start + piece]
        found = follow(text, at, head)
        at, cut, head = found.at, cut + found.cut, head[found.cut :]
        if found.diverged or at == len(text):
            break
    return Followed(at, cut, found.left, diverged=found.diverged)


@given(st.text(min_size=1, max_size=300), st.text(max_size=9), st.integers(1, 90))
def test_the_same_is_followed_to_its_end(text: str, more: str, piece: int) -> None:
    """In any pieces, and not a character further."""
    found = told(text, text + more, piece)
    assert (found.at, found.cut, found.left, found.diverged) == (len(text), len(text), "", False)


@pytest.mark.parametrize("piece", [1, 3, 16, 70, 999])
@pytest.mark.parametrize(
    "spelled",
    [
        TEXT.replace("\u201c", '"').replace("\u201d", '"').replace("\u2014", "-"),
        unicodedata.normalize("NFD", TEXT),
        TEXT.upper(),
        " ".join(TEXT.split()),
        TEXT.replace("turned", "turned" + " " * (2 * SPAN)),
        "\n\n".join(TEXT.split()),
    ],
)
def test_another_spelling_is_followed(spelled: str, piece: int) -> None:
    """Both ways: as the text and as the reply."""
    for text, reply in ((TEXT, spelled), (spelled, TEXT)):
        found = told(text, reply + " More.", piece)
        assert (found.at, found.left, found.diverged) == (len(text), "", False)
        assert reply[found.cut :].strip() == ""
        assert found.cut <= len(reply)


@pytest.mark.parametrize("piece", [1, 7, 999])
@pytest.mark.parametrize("at", [0, 3, 40, 76, 150])
def test_another_way_is_noticed(at: int, piece: int) -> None:
    """Where it begins, or a few characters on."""
    found = told(TEXT, TEXT[:at] + "XYZ is no part of it, and never was. " * 4, piece)
    assert found.diverged
    assert found.at <= at + 2


def test_an_accent_beyond_the_end_is_left() -> None:
    """The text ended inside a character that the reply writes as one."""
    assert follow("at the cafe", 0, "at the caf\u00e9 now") == Followed(11, 11, "\u0301")


def test_blanks_at_the_end_of_the_text_are_told_by_nothing() -> None:
    """What can't be seen need not be repeated."""
    assert follow("a\ufe0f" + "\u200b" * 9, 0, "a tide").at == 11


def test_a_character_that_the_reply_writes_as_two_is_not_split() -> None:
    """Also where the first of the two is the last that is compared at once."""
    begun = "b" * (SPAN - 2)
    text, reply = f"A{begun}\u00e9{begun}{begun}", f"a{begun}e\u0301{begun}{begun} more"
    assert follow(text, 0, reply) == Followed(len(text), len(reply) - len(" more"))
