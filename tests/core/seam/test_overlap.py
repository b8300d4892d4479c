"""Passages that agree, and whether that is proof."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.seam.normalize import shared, weight
from resilient_stream._core.seam.overlap import SEED, Overlaps, Places, proved

FEW = st.text("ab", max_size=30)


def found_in(text: str, *told: str) -> Overlaps:
    """Where a reply tells ``text`` that comes in these pieces."""
    found = Overlaps(Places(text))
    for end in range(len(told)):
        found.compare("".join(told[: end + 1]))
    return found


def places(bits: int) -> list[int]:
    """A set of places, as a list."""
    return [at for at in range(bits.bit_length()) if bits >> at & 1]


@given(FEW, st.lists(FEW, max_size=4))
def test_every_place_is_found_and_told_apart(text: str, pieces: list[str]) -> None:
    """By trying each: told to the end, still told, or left; in whatever pieces the reply comes."""
    head = "".join(pieces)
    found = found_in(text, *pieces)
    tried = [at for at in range(len(text)) if len(head) >= SEED and text[at : at + SEED] == head[:SEED]]
    complete = [at for at in tried if head.startswith(text[at:])]
    alive = [at for at in tried if text[at:].startswith(head) and at not in complete]
    left = {at: shared(text[at:], head) for at in tried if at not in (*alive, *complete)}
    assert found.complete == sorted(len(text) - at for at in complete)
    assert places(found.alive) == alive
    assert places(found.left()) == sorted(left)
    assert found.longest_left == max(left.values(), default=0)
    for least in range(9):
        assert places(found.left(least)) == [at for at in sorted(left) if weight(head[: left[at]]) >= least]


def test_nothing_is_looked_for_that_is_too_short() -> None:
    """Four letters are anywhere."""
    found = found_in("abcdabcd", "abcd")
    assert (found.complete, found.alive, found.left()) == ([], 0, 0)


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
    assert proved(text, [*others, size], 16) is proof
