"""The short way of deltas."""

from __future__ import annotations

import json

from resilient_stream._core.steady import Steady
from resilient_stream._core.transcript import Block

from .support import delta, frame, text, text_delta


def test_a_delta_of_the_live_block_passes_and_is_kept() -> None:
    """Learned from the first, the rest pass unread, and their strings are the block's."""
    block, steady = Block(text("")), Steady()
    steady.follow(block, 2, 0)
    first, second = text_delta(2, 'a"\n'), text_delta(2, "é")
    assert steady.quick(first) is None
    assert steady.learn(first) == first
    assert steady.quick(second) == second
    assert block.written == 'a"\né'
    assert steady.passed == 2


def test_a_shifted_block_gets_its_index() -> None:
    """The consumer's index is written in place of upstream's."""
    block, steady = Block(text("")), Steady()
    steady.follow(block, 9, 3)
    assert steady.learn(text_delta(9, "a")) == text_delta(12, "a")
    assert steady.quick(text_delta(9, "b")) == text_delta(12, "b")
    assert block.written == "ab"


def test_another_spelling_is_learned_anew() -> None:
    """A host that changes its spelling in the middle is understood."""
    block, steady = Block(text("")), Steady()
    steady.follow(block, 0, 0)
    compact = frame(json.loads(text_delta(0, "b").split(b"data: ")[1]), spaced=False)
    assert steady.learn(text_delta(0, "a"))
    assert steady.quick(compact) is None
    assert steady.learn(compact) == compact
    assert block.written == "ab"


def test_everything_else_goes_the_long_way() -> None:
    """Another block, another kind of delta, bad UTF-8, half a pair, and all once nothing is followed."""
    block, steady = Block(text("")), Steady()
    strange = [
        text_delta(1, "a"),
        delta(0, type="thinking_delta", thinking="a"),
        text_delta(0, "a").replace(b'"a"', b'"\xff"'),
        text_delta(0, "a\ud83d"),
        delta(0, type="citations_delta", citation={}),
    ]
    steady.follow(block, 0, 0)
    assert steady.learn(text_delta(0, "a"))
    for one in strange:
        assert (steady.quick(one), steady.learn(one)) == (None, None)
    steady.rest()
    assert (steady.quick(text_delta(0, "a")), steady.learn(text_delta(0, "a"))) == (None, None)
    steady.follow(Block({"type": "novel"}), 0, 0)
    assert (steady.quick(text_delta(0, "a")), steady.learn(text_delta(0, "a"))) == (None, None)
    assert (block.written, steady.passed) == ("a", 1)
