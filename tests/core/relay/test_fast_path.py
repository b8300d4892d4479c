"""The short way of deltas."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resilient_stream._core.failures import Flaw
from resilient_stream._core.relay import held_block
from resilient_stream._core.relay.fast_path import HELD, LONGEST_CUT, FastPath
from resilient_stream._core.relay.held_block import HeldBlock
from resilient_stream._core.turn.transcript import Block
from resilient_stream._core.wire.events import read
from resilient_stream._core.wire.sse import Framer
from resilient_stream._core.wire.tool_input import ToolInput
from tests.support.contents import CALL, text
from tests.support.streams import block_start, delta, frame, text_delta


def test_a_delta_of_the_live_block_passes_and_is_kept() -> None:
    """Learned from the first, the rest pass unread, and their strings are the block's."""
    block, steady = Block(text("")), FastPath(Framer())
    steady.follow(block, 2, 0)
    first, second = text_delta(2, 'a"\n'), text_delta(2, "é")
    assert steady.quick(first) is None
    assert steady.whole(first) == first
    assert steady.quick(second) == second
    assert block.written == 'a"\né'
    assert steady.passed == 2


def test_a_shifted_block_gets_its_index() -> None:
    """The consumer's index is written in place of upstream's."""
    block, steady = Block(text("")), FastPath(Framer())
    steady.follow(block, 9, 3)
    assert steady.whole(text_delta(9, "a")) == text_delta(12, "a")
    assert steady.quick(text_delta(9, "b")) == text_delta(12, "b")
    assert block.written == "ab"


def test_another_spelling_is_learned_anew() -> None:
    """A host that changes its spelling in the middle is understood."""
    block, steady = Block(text("")), FastPath(Framer())
    steady.follow(block, 0, 0)
    compact = frame(json.loads(text_delta(0, "b").split(b"data: ")[1]), spaced=False)
    assert steady.whole(text_delta(0, "a"))
    assert steady.quick(compact) is None
    assert steady.whole(compact) == compact
    assert block.written == "ab"


def test_everything_else_goes_the_long_way() -> None:
    """Another block, another kind of delta, bad UTF-8, half a pair, and all once nothing is followed."""
    block, steady = Block(text("")), FastPath(Framer())
    strange = [
        text_delta(1, "a"),
        delta(0, type="thinking_delta", thinking="a"),
        text_delta(0, "a").replace(b'"a"', b'"\xff"'),
        text_delta(0, "a\ud83d"),
        delta(0, type="citations_delta", citation={}),
    ]
    steady.follow(block, 0, 0)
    assert steady.whole(text_delta(0, "a"))
    for one in strange:
        assert (steady.quick(one), steady.whole(one)) == (None, None)
    steady.rest()
    assert (steady.quick(text_delta(0, "a")), steady.whole(text_delta(0, "a"))) == (None, None)
    steady.follow(Block({"type": "novel"}), 0, 0)
    assert (steady.quick(text_delta(0, "a")), steady.whole(text_delta(0, "a"))) == (None, None)
    assert (block.written, steady.passed) == ("a", 1)


def following(shift: int = 0) -> tuple[Block, Framer, FastPath]:
    """A short way that has learned its spelling."""
    block, framer = Block(text("")), Framer()
    steady = FastPath(framer)
    steady.follow(block, 1, shift)
    assert steady.whole(text_delta(1, "")) == text_delta(1 + shift, "")
    return block, framer, steady


PIECES = ["a", "", 'q"\n\\', "é", "\U0001f30a", "}}", "\u2028", '"}}', "event: content_block_delta"]


@given(st.lists(st.sampled_from(PIECES), min_size=1), st.data(), st.integers(0, 2))
def test_however_chunks_cut_them_all_deltas_pass(pieces: list[str], data: st.DataObject, shift: int) -> None:
    """Many in a chunk, or one in many: the bytes are handed on, under the consumer's index, and counted."""
    block, framer, steady = following(shift)
    wire = b"".join(text_delta(1, piece) for piece in pieces)
    cuts = sorted({0, len(wire), *data.draw(st.lists(st.integers(0, len(wire)), max_size=8))})
    out = b""
    for start, end in itertools.pairwise(cuts):
        passed = steady.quick(wire[start:end])
        assert passed is not None
        out += passed
    assert out == b"".join(text_delta(1 + shift, piece) for piece in pieces)
    assert block.written == "".join(pieces)
    assert (steady.passed, steady.drop(), bytes(framer.rest)) == (1 + len(pieces), b"", b"")


@pytest.mark.parametrize(
    "strange",
    [
        delta(1, type="citations_delta", citation={}),
        text_delta(1, "a").replace(b'"a"', b'"\xff"'),
        text_delta(1, "a").replace(b'"a"', b'"\\ud83d"'),
        text_delta(1, "a").replace(b'"a"', b'"\0"'),
        text_delta(1, "a").replace(b'a"}}\n\n', b""),
        text_delta(1, "a").replace(b"\n\n", b"\r\n\r\n"),
        b": c\n\n",
        b"event: ping\r\r",
    ],
)
def test_one_strange_frame_sends_the_whole_chunk_the_long_way(strange: bytes) -> None:
    """Nothing of it has been taken by then."""
    for chunk in (text_delta(1, "b") + strange + text_delta(1, "c"), strange + text_delta(1, "b")):
        block, framer, steady = following()
        assert steady.quick(chunk) is None
        assert (block.written, steady.passed, bytes(framer.rest)) == ("", 1, b"")


@pytest.mark.parametrize("shift", [0, 2])
@given(st.lists(st.sampled_from(["a", '"', '\\\\"', "é", "}}", '", "b": "', "\\\\"]), min_size=1), st.data())
def test_the_pieces_of_a_call_are_checked_and_held_or_delivered(
    shift: int, pieces: list[str], data: st.DataObject
) -> None:
    """However chunks cut them: a held block gets the frames with the consumer's index, a live one's are
    delivered. From the first chunk on that makes no JSON the rest takes the slow path."""
    wire = b"".join(delta(1, type="input_json_delta", partial_json=piece) for piece in pieces)
    shown = b"".join(delta(1 + shift, type="input_json_delta", partial_json=piece) for piece in pieces)
    cuts = sorted({0, len(wire), *data.draw(st.lists(st.integers(0, len(wire)), max_size=8))})
    for held in (True, False):
        written, kept = ToolInput(), HeldBlock(read(block_start(1 + shift, CALL)))
        written.take('{"a": "')
        steady, begun, out = FastPath(Framer()), bytes(kept.frames), b""
        steady.follow(kept.block, 1, shift, written, kept if held else None)
        steady.whole(delta(1, type="input_json_delta", partial_json="x"))
        for start, end in itertools.pairwise(cuts):
            before = steady.passed
            passed = steady.quick(wire[start:end])
            if passed is None:
                break
            assert (passed is HELD) == (held and steady.passed > before)
            out += passed
        else:
            first = delta(1 + shift, type="input_json_delta", partial_json="x")
            assert kept.block.written == "x" + "".join(pieces)
            assert (bytes(kept.frames), out) == ((begun + first + shown, b"") if held else (begun, shown))
            assert steady.passed == 1 + len(pieces)
            continue
        with pytest.raises(Flaw):
            ToolInput().take('{"a": "x' + "".join(pieces))


_SCRAPS = st.lists(
    st.sampled_from([b'"', b"\\", b"\n", b"a", b",", b'\\"', rb"\ud83d", rb"\ude00", b"\xff", b"\x01"])
)


@given(st.lists(_SCRAPS.map(b"".join), min_size=1, max_size=3), st.data())
@example([b'a"b'], None)
@example([b"a", b'", "b": "', b"a"], None)
@example([b'a"\nb', b"\\n"], None)
@example([b"a\nb", b"\\n"], None)
def test_frames_pass_together_only_if_each_would_alone(
    strings: list[bytes], data: st.DataObject | None
) -> None:
    """A string that is not canonical stays so beside others, and cut in two."""
    frames = [text_delta(0, "XX").replace(b"XX", string) for string in strings]

    def steady() -> FastPath:
        made = FastPath(Framer())
        made.follow(Block(text("")), 0, 0)
        assert made.whole(text_delta(0, "a"))
        return made

    alone = all(steady().whole(frame) is not None for frame in frames)
    whole = text_delta(0, "a") + b"".join(frames)
    at = 9 if data is None else data.draw(st.integers(1, len(whole) - 1))
    together = steady()
    taken = [together.quick(part) for part in (whole[:at], whole[at:])]
    assert (None not in taken) == alone


def test_a_block_that_is_held_for_too_long_leaves_the_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow path lets go of it."""
    piece = delta(1, type="input_json_delta", partial_json="x")
    held, written = HeldBlock(read(block_start(1, CALL))), ToolInput()
    written.take('{"a": "')
    steady = FastPath(Framer())
    steady.follow(held.block, 1, 0, written, held)
    assert steady.whole(piece) is HELD
    monkeypatch.setattr(held_block, "LONGEST_HELD", len(held.frames) - 1)
    assert steady.quick(piece) is None
    assert (held.block.written, steady.passed, written.size) == ("x", 1, 8)


def test_a_frame_whose_string_has_no_end_is_no_canonical_one() -> None:
    """The quotation mark before the string is not taken for the one behind it."""
    _, _, steady = following()
    broken = text_delta(1, "")
    broken = broken[: broken.rindex(b'"')] + b"}}\n\n"
    assert steady.quick(broken + text_delta(1, "a")) is None
    assert steady.quick(broken) is None


def test_a_frame_that_is_large_is_left_to_the_framer() -> None:
    """Put together again with each chunk, it would take the square of its length."""
    part = text_delta(1, "a" * LONGEST_CUT)[:-10]
    _, framer, steady = following()
    assert steady.quick(part[:LONGEST_CUT]) == b""
    assert steady.quick(part[LONGEST_CUT:]) is None
    assert steady.drop() == part[:LONGEST_CUT]
    framer.feed(part)
    steady.take_over()
    assert (steady.quick(text_delta(1, "b")), steady.drop(), bytes(framer.rest)) == (None, b"", part)


def test_what_the_framer_has_of_a_frame_is_taken_over() -> None:
    """So that it can go on the short way; not while no spelling is known, and not where lines may end in CR."""
    one, (block, framer, steady) = text_delta(1, "a"), following()
    framer.feed(one[:20])
    steady.take_over()
    assert (steady.quick(one[20:]), block.written, bytes(framer.rest)) == (one, "a", b"")
    framer.feed(b": a\r")
    steady.take_over()
    assert framer.rest == b": a\r"
    framer = Framer()
    FastPath(framer).take_over()
    framer.feed(one[:20])
    assert framer.rest == one[:20]


def test_a_frame_may_end_with_a_chunk_of_its_own() -> None:
    """The second of two line ends completes it."""
    _, _, steady = following()
    assert steady.quick(text_delta(1, "a")[:-1]) == b""
    assert steady.quick(b"\n") == text_delta(1, "a")
    assert steady.drop() == b""


def test_other_line_ends_are_left_to_the_framer() -> None:
    """Behind deltas, too, lines may end in CR."""
    _, framer, steady = following()
    assert steady.quick(text_delta(1, "a") + b"event: ping\r") is None
    assert framer.feed(text_delta(1, "a") + b"event: ping\r") == [text_delta(1, "a")]
    assert steady.quick(b"\n\n") is None


@pytest.mark.parametrize("chunks", [[b"a\r"], [b"a\r", b"\nb"]])
def test_with_cr_line_ends_only_the_framer_buffers(chunks: list[bytes]) -> None:
    """What waits of a large frame is not put together again for each chunk of it."""
    _, framer, steady = following()
    for chunk in chunks:
        assert steady.quick(chunk) is None
        framer.feed(chunk)
    assert framer.rest == b"".join(chunks)
