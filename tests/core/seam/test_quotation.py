"""Signs that set a quotation apart."""

from __future__ import annotations

import unicodedata

import pytest

from resilient_stream._core.seam.quotation import closers_of, is_bracket


@pytest.mark.parametrize(
    "pair",
    ["()", "[]", "{}", "<>", "\u300c\u300d", "\u3010\u3011", "\u27e6\u27e7", "\uff08\uff09", "\u301d\u301e"],
)
def test_a_bracket_is_closed_by_its_other_side(pair: str) -> None:
    """Unicode's names tell which that is."""
    assert closers_of(pair[0]) == pair[1]
    assert closers_of(pair[1]) == ""
    assert is_bracket(pair[0])


@pytest.mark.parametrize("sign", ["**", "*", "_", "`", '"', "'"])
def test_what_is_alike_on_both_sides_closes_itself(sign: str) -> None:
    """Emphasis and straight quotation marks."""
    assert closers_of(sign) == sign
    assert not is_bracket(sign)


@pytest.mark.parametrize(
    "pair", ["\u201c\u201d", "\u201e\u201c", "\u00bb\u00ab", "\u201d\u201d", "\u2039\u203a", "\u201a\u2018"]
)
def test_any_quotation_mark_closes_one(pair: str) -> None:
    """Languages differ in which of them opens."""
    assert pair[1] in closers_of(pair[0])
    assert not is_bracket(pair[0])


@pytest.mark.parametrize("sign", ["a", ".", "-", "#", "|", "\u2e42"])
def test_other_signs_open_nothing(sign: str) -> None:
    """Nor does a bracket of which no other side is known."""
    assert closers_of(sign) == ""


def test_nearly_every_bracket_of_unicode_has_its_other_side() -> None:
    """All but the half brackets, which have none of their own name."""
    opening = [chr(code) for code in range(0x3100) if unicodedata.category(chr(code)) == "Ps"]
    lacking = [sign for sign in opening if not closers_of(sign)]
    assert len(opening) > 40
    assert len(lacking) < 8
