"""Passages that agree, and whether that is proof."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.seam.overlap import SEED, Overlaps, overlaps, proved

FEW = st.text("ab", max_size=30)


@given(FEW, FEW)
def test_every_place_is_found_and_told_apart(text: str, head: str) -> None:
    """By trying each: told to the end, still told, or left."""
    found = overlaps(text, head)
    places = [at for at in range(len(text)) if len(head) >= SEED and text[at : at + SEED] == head[:SEED]]
    complete = [len(text) - at for at in places if head.startswith(text[at:])]
    assert found.complete == complete
    assert found.alive == [
        at for at in places if text[at:].startswith(head) and len(text) - at not in complete
    ]
    assert sorted(found.broken) == [
        at for at in places if at not in found.alive and len(text) - at not in complete
    ]
    for at, size in found.broken.items():
        assert text[at : at + size] == head[:size]
        assert text[at + size] != head[size]


def test_nothing_is_looked_for_that_is_too_short() -> None:
    """Four letters are anywhere."""
    assert overlaps("abcdabcd", "abcd") == Overlaps()


@pytest.mark.parametrize(
    ("text", "size", "others", "proof"),
    [
        ("..thetidethatrisesatnoon", 22, (), True),
        ("..thetidethatrisesatnoon", 9, (), False),
        ("thetidethatrisesatnoon" * 2, 22, (), False),
        ("..thetidethatrisesatnoon", 22, (12,), False),
        ("..thetidethatrisesatnoon", 22, (5,), True),
        ("." + "0" * 50, 50, (), False),
    ],
)
def test_proof_is_heavy_single_and_of_one_place(
    text: str, size: int, others: tuple[int, ...], *, proof: bool
) -> None:
    """Not too light, not said twice in a row before, not to be cut at two places."""
    assert proved(text, [size, *others], 16) is proof
