"""What two spellings of a passage have in common."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.seam.normalize import Folded, shared, weight

ANY = st.text(
    st.characters(codec="utf-8") | st.sampled_from(" \n\u201c\u201d\u2019-e\u0301\uff21\u212b\u200d\ufe0f")
)


@given(ANY)
def test_normal_forms_have_one_key(text: str) -> None:
    """Composed, decomposed, compatible: the same passage."""
    key = sorted(Folded(text).key)  # marks may change places among themselves
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert sorted(Folded(unicodedata.normalize(form, text)).key) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u201cTide\u201d", '"tide"'),
        ("\u00abTide\u00bb", "\u300ctide\u300d"),
        ("isn\u2019t", "isn't"),
        ("1\u20132 \u2014 3", "1-2-3"),
        ("\uff34\uff49\uff44\uff45\uff01", "tide!"),
        ("\uff83\uff72\uff84\uff9e", "\u30c6\u30a4\u30c9"),
        ("a\u2026", "A..."),
        ("two\nlines\u3000here", "twolineshere"),
        ("\u2764\ufe0f\u200d", "\u2764"),
    ],
)
def test_other_spellings_have_one_key(one: str, other: str) -> None:
    """Quotes, dashes, widths, dots, case, white space, what can't be seen."""
    assert Folded(one).key == Folded(other).key


@given(ANY)
def test_every_character_of_a_key_leads_back(text: str) -> None:
    """To a character whose key it is part of, in order; what is left of it is at most the rest of that key."""
    folded = Folded(text)
    assert len(folded.at) == len(folded.key)
    assert folded.at == sorted(folded.at)
    for count in range(len(folded.key) + 1):
        left = folded.left(count)
        assert Folded(text[: folded.end(count)]).key == folded.key[: count + len(left)]
    assert folded.end(0) == 0


@given(ANY, ANY)
def test_what_is_shared_is_the_longest_prefix(one: str, other: str) -> None:
    """And nothing longer is."""
    size = shared(one, other)
    assert one[:size] == other[:size]
    assert one[size : size + 1] != other[size : size + 1] or size == min(len(one), len(other))


@pytest.mark.parametrize(
    ("key", "weighs"), [("", 0), ("tides", 5), ("-" * 99, 4), ("\u6f6e\u6c50", 4), ("0,0,0,0,0,", 8)]
)
def test_a_passage_weighs_what_it_says(key: str, weighs: int) -> None:
    """Letters once, ideographs twice, and no more than four for each different sign."""
    assert weight(key) == weighs
