"""What the consumer has."""

from __future__ import annotations

import json
import sys
import tracemalloc
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resilient_stream._core.turn import transcript
from resilient_stream._core.turn.transcript import Block, Turn
from resilient_stream._core.wire.events import Event, read
from tests.support.consumer import consume
from tests.support.contents import CALL, CITED, FOUND, MCP, REDACTED, SEARCH, THOUGHT, text
from tests.support.golden import GOLDEN


def turn_of(stream: bytes) -> Turn:
    """The turn of a stream that was handed over."""
    turn = Turn()
    for one in stream.split(b"\n\n")[:-1]:
        event = read(one + b"\n\n")
        if event.data:
            turn.apply(event)
    return turn


def made(start: dict[str, Any], *deltas: dict[str, Any], closed: bool = True) -> Block:
    """A block by its start and deltas."""
    block = Block(start)
    for one in deltas:
        block.apply_delta(one)
    block.closed = closed
    return block


@pytest.mark.parametrize("name", [name for name in GOLDEN if "unknown" not in name and "broken" not in name])
def test_a_turn_holds_what_was_told(name: str) -> None:
    """Block by block, the params are what a consumer puts together."""
    turn, heard = turn_of(GOLDEN[name]), consume(GOLDEN[name])
    assert (turn.stop_reason, turn.stopped) == (heard.stop_reason, True)
    assert turn.open_block is None
    assert turn.characters == len(heard.text)
    for mine, theirs in zip(turn.blocks, heard.blocks, strict=True):
        param = mine.param()
        assert {name: value for name, value in theirs.items() if value not in (None, [])} == {
            name: value for name, value in param.items() if value not in (None, [])
        }


def test_size_grows_with_content() -> None:
    """Every block and every character counts, citations too."""
    sizes = []
    turn = Turn()
    for one in GOLDEN["search"].split(b"\n\n")[:-1]:
        event = read(one + b"\n\n")
        before = turn.size
        if event.data:
            turn.apply(event)
        if (
            event.type == "content_block_start"
            or "text" in event.data.get("delta", {})
            or "citation" in event.data.get("delta", {})
        ):
            assert turn.size > before
        sizes.append(turn.size)
    assert sizes == sorted(sizes)


def test_halves_of_a_pair_meet() -> None:
    """A character split over two deltas is one in the text."""
    block = made(text(""), {"type": "text_delta", "text": "\ud83d"}, {"type": "text_delta", "text": "\ude00"})
    assert block.text == "😀"


WORDS = st.sampled_from(
    ["plain words, ", "\u6f6e" * 50, "\U0001f30a", "\\u0041\\", '"', "\n", "\ud83d", "\udf0a", "x" * 600]
)
LONG = st.lists(WORDS, max_size=120)


@given(LONG, st.booleans())
def test_a_long_string_is_decoded_as_if_it_were_in_one_piece(words: list[str], ascii_only: bool) -> None:
    """Wherever it is cut to be decoded, escapes, characters and pairs stay whole."""
    block = Block(text(""))
    whole = "".join(words)
    if ascii_only:
        block.apply_delta({"type": "text_delta", "text": whole})
    else:
        block.raw += json.dumps(whole, ensure_ascii=False)[1:-1].encode("utf-8", "ignore")
    assert block.written == json.loads(b'"' + block.raw + b'"')


def test_a_long_string_is_never_there_three_times() -> None:
    """Where all at once would be the bytes, the text and what is made of it, at four bytes a character."""
    block = Block(text(""), raw=bytearray("The tide \U0001f30a comes in,\\nand goes. ".encode() * 20_000))
    tracemalloc.start()
    try:
        written = block.written
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2.3 * sys.getsizeof(written)


def looks(turn: Turn) -> tuple[Any, ...]:
    """A turn from outside."""
    return [block.param() for block in turn.blocks], turn.size, turn.characters


@given(st.lists(st.tuples(WORDS | st.just("<new block>"), st.booleans()), max_size=30))
@example([("\ud83d", True), ("\udf0a", False)])
@example([("\ud83d", False), ("\udf0a", True)])
def test_a_text_that_is_kept_decoded_is_the_same(words: list[tuple[str, bool]]) -> None:
    """Wherever it broke off, and in every respect; a copy that was made before does not change."""
    plain, decoded, copies = Turn(), Turn(), list[tuple[Turn, tuple[Any, ...]]]()
    for turn in (plain, decoded):
        turn.begin(Block(text("Hi")))
    for word, breaks_off in words:
        for turn in (plain, decoded):
            if word == "<new block>":
                turn.begin(Block(text("")))
            else:
                turn.blocks[-1].apply_delta({"type": "text_delta", "text": word})
        copies.append((decoded.snapshot(), looks(plain)))
        if breaks_off:
            decoded.keep_decoded()
        assert looks(decoded) == looks(plain)
    for copy, looked in copies:
        assert looks(copy) == looked


def test_a_text_that_breaks_off_inside_a_pair_stays_as_it_is() -> None:
    """The other half may follow, and is the same character then."""
    turn = Turn(blocks=[made(text("Hi"), {"type": "text_delta", "text": " \ud83d"}, closed=False)])
    turn.keep_decoded()
    turn.blocks[0].apply_delta({"type": "text_delta", "text": "\ude00"})
    assert turn.blocks[0].text == "Hi 😀"


def test_a_text_that_broke_off_is_there_once() -> None:
    """As a string that all requests share, until it grows; whatever else the turn has stays as it is."""
    turn = Turn()
    turn.keep_decoded()
    turn.begin(Block(text(""), bytearray(b"all of it")))
    turn.keep_decoded()
    assert (bytes(turn.blocks[0].raw), turn.blocks[0].text) == (b"", "all of it")
    assert turn.blocks[0].text is turn.blocks[0].text
    assert turn.characters == 9
    turn.blocks[0].raw += rb"\n is more"
    assert turn.characters == 9 + 9
    turn.keep_decoded()
    turn.blocks[0].raw += rb"\n\n\n\n\n"
    assert turn.characters == 9 + 9 + 5
    turn.begin(made(CALL, {"type": "input_json_delta", "partial_json": "{"}))
    turn.keep_decoded()
    assert [bytes(block.raw) for block in turn.blocks] == [b"", b"{"]


def test_text_in_the_start_counts() -> None:
    """Some hosts send the first words with the start."""
    block = made(text("Hi"), {"type": "text_delta", "text": " you"})
    assert block.param() == text("Hi you")
    assert not block.blank
    assert made(text(" \n")).blank


def test_citations_are_collected() -> None:
    """From the start and from deltas; a start that has none gets none."""
    block = made(text("") | {"citations": [1]}, {"type": "citations_delta", "citation": 2})
    assert block.param()["citations"] == [1, 2]
    assert "citations" not in made(text("a") | {"citations": 5}).param()
    assert "citations" not in made(text("a") | {"citations": None}).param()


def test_thinking_is_signed_only_when_complete() -> None:
    """A signature before the stop, or none, is no proof; what came redacted is proof once it is complete."""
    signature = {"type": "signature_delta", "signature": "s"}
    assert made(THOUGHT).signed
    assert made(THOUGHT | {"signature": ""}, signature).signed
    assert not made(THOUGHT | {"signature": ""}, signature, closed=False).signed
    assert not made(THOUGHT | {"signature": ""}).signed
    assert made(REDACTED).signed
    assert not made(REDACTED, closed=False).signed
    assert made(
        THOUGHT | {"thinking": "", "signature": ""}, {"type": "thinking_delta", "thinking": "x"}, signature
    ).param() == THOUGHT | {"thinking": "x", "signature": "s"}


@pytest.mark.parametrize(
    ("written", "whole"),
    [("", True), ("{}", True), ('{"a": 1}', True), ('{"a"', False), ("[]", False), ("[" * 9999, False)],
)
def test_a_call_is_whole_when_its_input_is_an_object(written: str, *, whole: bool) -> None:
    """Everything else is not ready to run."""
    assert made(CALL | {"input": {}}, {"type": "input_json_delta", "partial_json": written}).parses is whole


def test_an_unknown_delta_makes_a_block_opaque() -> None:
    """What is not understood can't be rebuilt; nor is a call with it whole."""
    for one in ({"type": "novel"}, {"type": "text_delta"}, {"type": "input_json_delta", "partial_json": 1}):
        block = made(CALL | {"input": {}}, one)
        assert block.opaque
        assert not block.parses
    assert made(text(""), {"type": "text_delta", "text": None}).opaque


def test_a_compaction_comes_in_one_delta() -> None:
    """Its fields become the block's."""
    block = made(
        {"type": "compaction", "content": None},
        {"type": "compaction_delta", "content": "x", "encrypted_content": "y"},
    )
    assert block.param() == {"type": "compaction", "content": "x", "encrypted_content": "y"}


def test_a_block_can_be_made_of_events() -> None:
    """Of a start, deltas, and whatever else stands between them."""
    start = {"type": "content_block_start", "index": 0, "content_block": CALL | {"input": {}}}
    grow = {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "input_json_delta", "partial_json": '{"a": 1}'},
    }
    block = Block.of([Event.of(start), Event.of({"type": "ping"}), Event.of(grow)])
    assert block.param()["input"] == {"a": 1}


def test_what_was_cut_is_abandoned() -> None:
    """The open block, unless text or a result; on request, uses of the server's without a result; once."""
    turn = Turn(blocks=[made(SEARCH), made(FOUND), made(MCP), made(CITED), made(THOUGHT, closed=False)])
    turn.abandon(unanswered=False)
    assert turn.abandoned == [4]
    turn.abandon(unanswered=True)
    turn.abandon(unanswered=True)
    assert sorted(turn.abandoned) == [2, 4]
    for last in (text("a"), FOUND):
        turn = Turn(blocks=[made(last, closed=False)])
        turn.abandon(unanswered=True)
        assert turn.abandoned == []


def test_events_that_are_no_content_change_nothing() -> None:
    """Unknown events pass by."""
    turn = Turn()
    turn.apply(Event.of({"type": "novel"}))
    assert turn == Turn()


@given(
    said=st.text(st.characters() | st.sampled_from('\\\\"\nud8\U0001f30a\ud83c\udf0a'), max_size=40),
    begun=st.text(max_size=3),
    ascii_only=st.booleans(),
)
def test_characters_are_counted_as_a_string_has_them(said: str, begun: str, *, ascii_only: bool) -> None:
    """Escapes, pairs, halves of pairs and other scripts: as many as the decoded text has."""
    raw = json.dumps(said, ensure_ascii=ascii_only)[1:-1].encode("utf-8", "backslashreplace")
    block = Block({"type": "text", "text": begun}, bytearray(raw))
    assert block.characters == len(block.text)


@given(LONG, st.booleans())
def test_characters_of_a_long_text_are_counted_in_pieces(words: list[str], ascii_only: bool) -> None:
    """Wherever it is cut to be counted, escapes, characters and pairs stay whole."""
    raw = json.dumps("".join(words), ensure_ascii=ascii_only)[1:-1].encode("utf-8", "backslashreplace")
    block = Block(text(""), bytearray(raw))
    with patch.object(transcript, "COUNTED", 1):
        assert block.characters == len(block.written)


def test_to_count_the_characters_of_a_long_text_takes_little_memory() -> None:
    """Where all at once would need two copies of it."""
    block = Block(text(""), raw=bytearray("The tide \U0001f30a comes in,\\nand goes. ".encode() * 100_000))
    tracemalloc.start()
    try:
        assert block.characters
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < len(block.raw) / 10


def test_the_thoughts_that_are_lost_are_told_of_once() -> None:
    """With all of their text; a signed one and whatever else is abandoned are not."""
    told: list[str] = []
    begun = Block({"type": "thinking", "thinking": "Hm. "})
    begun.apply_delta({"type": "thinking_delta", "thinking": "Let me"})
    signed = Block({"type": "thinking", "thinking": "whole", "signature": "c2ln"}, closed=True)
    made = Turn(blocks=[signed, Block({"type": "tool_use", "id": "t"}), begun], on_lost_thought=told.append)
    for _ in range(2):
        made.abandon(unanswered=True)
    assert (told, made.abandoned) == (["Hm. Let me"], [1, 2])
