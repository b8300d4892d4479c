"""A block on its way: what waits, what is held, what is hidden, and what is joined."""

from __future__ import annotations

import json
from typing import Any

import pytest

from resilient_stream._core.failures import Flaw, Kind
from resilient_stream._core.plan.planner import Form, Plan
from resilient_stream._core.relay import held_block
from resilient_stream._core.relay.fast_path import FastPath
from resilient_stream._core.relay.output import MOST_WAITING
from resilient_stream._core.seam.joined import Asked, Joined
from tests.support.contents import CALL, CITED, CODE, OTHER_CALL, REDACTED, THOUGHT, text
from tests.support.relays import QUOTE, going_on, heard, relay, told
from tests.support.streams import (
    PING,
    STOP,
    block,
    block_start,
    block_stop,
    delta,
    ending,
    frame,
    start,
    text_delta,
)

ENOUGH = " and more than the sixty-four characters in which a text may begin again"
"""What follows an echo, so long that the join is decided."""


def test_the_end_of_thinking_waits_for_what_follows() -> None:
    """Signature and stop: cut there, the block stays open, unsigned, for the next attempt to close."""
    made = relay()
    thought = block(0, THOUGHT)
    assert told(made, start(), *thought) == b"".join([start(), *thought[:-2]])
    made.end()
    assert made.out.turn.open_block is not None
    assert not made.out.turn.blocks[0].signed


def test_a_call_comes_whole() -> None:
    """With all that came in between, pings too, in its place; a second follows as soon as it is complete."""
    made = relay()
    told(made, start(), *block(0, text("I look.")))
    one = block(1, CALL)
    whole = [one[0], PING, *one[1:-1], frame({"type": "novel"}), one[-1]]
    assert told(made, *whole[:-1]) == b""
    assert told(made, whole[-1], PING) == b"".join([*whole, PING])
    assert told(made, *block(2, OTHER_CALL)) == b"".join(block(2, OTHER_CALL))


def test_a_call_that_may_come_again_waits_for_what_follows() -> None:
    """Where the policy would rather have it regenerated."""
    made = relay(completed_tools="regenerate")
    assert told(made, start(), *block(0, CALL)) == b""
    assert told(made, *block(1, OTHER_CALL)) == b""
    assert told(made, ending("tool_use")).endswith(ending("tool_use"))
    assert [one.type for one in made.out.turn.blocks] == ["tool_use", "tool_use"]


def test_a_broken_call_waits_for_the_end() -> None:
    """Handed over with the reason, dropped without one."""
    frames = [
        start(),
        block_start(0, CALL | {"input": {}}),
        delta(0, type="input_json_delta", partial_json="{"),
        block_stop(0),
    ]
    made = relay()
    assert told(made, *frames) == b""
    assert told(made, ending("max_tokens")) == b"".join([*frames, ending("max_tokens")])


def test_with_nothing_held_a_call_is_live() -> None:
    """From its start."""
    made = relay(hold=frozenset())
    frames = [start(), *block(0, CALL)]
    for one in frames[1:]:
        assert told(made, *([start()] if one is frames[1] else []), one).endswith(one)


def test_held_thinking_comes_signed_and_with_what_follows() -> None:
    """Complete, it still waits for content; cut, it was never there."""
    made = relay(hold=frozenset({"thinking"}))
    assert told(made, start(), *block(0, THOUGHT)) == b""
    assert told(made, *block(1, text("a"))) == b"".join([start(), *block(0, THOUGHT), *block(1, text("a"))])


def test_a_held_use_of_the_servers_that_is_cut_is_remembered() -> None:
    """It may have run, though nobody saw it; a client's call never runs unseen."""
    made = relay(hold=frozenset({"tool_use", "server_tool_use"}))
    told(made, start(), *block(0, CODE)[:-1])
    made.end()
    assert [one.type for one in made.out.turn.unseen] == ["server_tool_use"]
    made = relay()
    told(made, start(), *block(0, CALL)[:-1])
    made.end()
    assert made.out.turn.unseen == []


def empties(kind: str, count: int) -> list[bytes]:
    """Events before any content."""
    if kind.endswith("blocks"):
        return [one for at in range(count // 2) for one in block(at, text(""))]
    if kind.endswith("thoughts"):
        thinking = {"type": "thinking", "thinking": "", "signature": ""}
        return [one for at in range(count // 2) for one in (block_start(at, thinking), block_stop(at))]
    opening, one = EMPTY[kind]
    return [*opening, *[one] * count]


BEGUN = [block_start(0, text(""))]
EMPTY = {
    "pings": ([], PING),
    "comments": ([], b":\n\n"),
    "empty deltas": (BEGUN, text_delta(0, "")),
    "blank deltas": (BEGUN, text_delta(0, " ")),
    "blank pings": (BEGUN, PING),
    "halves": (BEGUN, text_delta(0, "\ud83d")),
    "signatures": ([block_start(0, THOUGHT)], delta(0, type="signature_delta", signature="s")),
}


@pytest.mark.parametrize("kind", [*EMPTY, "empty blocks", "empty thoughts"])
def test_what_waits_for_content_has_a_limit(kind: str) -> None:
    """A thousand events wait, and no more: then all go on as they came."""
    made = relay()
    frames = [start(), *empties(kind, 3 * MOST_WAITING)]
    shown, waited = told(made, *frames[: MOST_WAITING // 2]), 0
    assert made.out.waiting
    for one in frames[MOST_WAITING // 2 :]:
        made.receive(one)
        waited = max(waited, len(made.out.waiting))
        shown += made.out.take()
    assert waited <= MOST_WAITING + 1
    assert b"".join(frames).startswith(shown)
    assert len(shown) > len(b"".join(frames)) // 3


@pytest.mark.parametrize("kind", ["empty deltas", "blank deltas", "blank pings"])
def test_a_block_that_waited_too_long_is_live(kind: str) -> None:
    """Its deltas take the short way from there on."""
    made = relay()
    told(made, start(), *empties(kind, MOST_WAITING + 10))
    passed = made.steady.passed
    assert told(made, text_delta(0, "a")) == text_delta(0, "a")
    assert made.steady.passed == passed + 1
    assert made.out.turn.blocks[0].text.strip() == "a"


def test_few_but_large_events_do_not_wait_either() -> None:
    """Eight megabytes of what is no content are handed on as well."""
    made = relay()
    novel = frame({"type": "novel", "x": "x" * 2**20})
    shown = told(made, start(), *[novel] * 10)
    assert shown.startswith(start() + novel)
    assert len(made.out.waiting) == 0


def test_a_held_block_without_end_goes_live(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer than any call is handed over as it comes; cut, it is one that the consumer has begun to see."""
    monkeypatch.setattr(held_block, "LONGEST_HELD", 10_000)
    made = relay()
    opening = delta(0, type="input_json_delta", partial_json='{"a":"')
    piece = delta(0, type="input_json_delta", partial_json="x" * 50)
    frames = [start(), block_start(0, CALL | {"input": {}}), opening, *[piece] * 100]
    assert told(made, *frames[:50]) == b""
    assert told(made, *frames[50:]) == b"".join(frames)
    assert told(made, piece) == piece
    made.end()
    (kept,) = made.out.turn.blocks
    assert (kept.written, kept.closed) == ('{"a":"' + "x" * 50 * 101, False)


def test_a_held_thought_without_end_goes_live(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its deltas take the short way from there on."""
    monkeypatch.setattr(held_block, "LONGEST_HELD", 10_000)
    made = relay(hold=frozenset({"thinking"}))
    piece = delta(0, type="thinking_delta", thinking="x" * 50)
    frames = [start(), block_start(0, THOUGHT | {"thinking": ""}), *[piece] * 200]
    assert told(made, *frames) == b"".join(frames)
    assert made.steady.passed > 0
    assert made.out.turn.blocks[0].thinking == "x" * 50 * 200


def test_a_continuation_goes_on_in_the_open_block() -> None:
    """Its start, its echo and its first stop's index are not seen; its deltas take the short way again."""
    made = going_on()
    out = told(
        made,
        start(id="other"),
        block_start(0, text("")),
        text_delta(0, QUOTE[:4]),
        text_delta(0, QUOTE[4:] + " and" + ENOUGH),
    )
    assert b"message_start" not in out
    assert b"content_block_start" not in out
    assert told(made, text_delta(0, " more")) == text_delta(0, " more")
    assert made.steady.passed == 1
    assert told(made, block_stop(0), ending()).startswith(block_stop(0))
    assert heard(made).blocks == [text(QUOTE + " and" + ENOUGH + " more")]
    assert made.joined is not None
    assert (made.joined.how, made.joined.cut) == (Joined.ECHO, len(QUOTE))


def test_behind_a_closed_block_a_new_one_begins() -> None:
    """Under the next index, once there is something in it; with the echo alone there is none."""
    made = going_on(block_stop(0))
    assert told(made, start(), block_start(0, text(QUOTE)), text_delta(0, " ")) == b""
    assert block_start(1, text("")).split(b"data: ")[1][:60].replace(b" ", b"") in told(
        made, text_delta(0, "more" + ENOUGH)
    ).replace(b" ", b"")
    assert heard(made).blocks == [text(QUOTE), text(" more" + ENOUGH)]
    made = going_on(block_stop(0), again=("end_turn",))
    out = told(made, start(), *block(0, text(QUOTE)), ending(), STOP)
    assert b"content_block" not in out
    assert made.complete


@pytest.mark.parametrize("cited", ["before", "after", "both"])
def test_citations_begin_a_new_block(cited: str) -> None:
    """On either side; those of text that is cut away are dropped."""
    before = [delta(0, type="citations_delta", citation={"a": 1})] if cited != "after" else []
    made = going_on(*before)
    opened = text("") | ({"citations": []} if cited != "before" else {})
    told(
        made,
        start(),
        block_start(0, opened),
        delta(0, type="citations_delta", citation={"x": 1}),
        text_delta(0, QUOTE + ENOUGH),
    )
    told(made, delta(0, type="citations_delta", citation={"b": 1}), block_stop(0), ending())
    first, second = heard(made).blocks
    assert first["text"] == QUOTE
    assert (second["text"], second["citations"]) == (ENOUGH, [{"b": 1}])
    assert made.out.turn.blocks[0].closed


def test_text_that_began_with_citations_is_not_gone_on_in() -> None:
    """Some hosts send them with the start."""
    first = relay()
    told(first, start(), block_start(0, CITED), text_delta(0, " " + QUOTE))
    made = relay(Plan(Form.USER_TURN, {}, Asked(QUOTE, "")), first.out)
    told(made, start(), block_start(0, text(QUOTE)), text_delta(0, ENOUGH))
    assert [one.text for one in made.out.turn.blocks][1] == ENOUGH


def test_thinking_of_a_user_turn_is_hidden() -> None:
    """Signed against another history; what follows it gets the next index all the same."""
    made = going_on(block_stop(0))
    assert told(made, start(), *block(0, THOUGHT), *block(1, REDACTED)) == b""
    told(made, *block(2, text(QUOTE + " once")), *block(3, text("more")), ending())
    assert heard(made).blocks == [text(QUOTE), text(" once"), text("more")]


def test_what_follows_an_echo_in_another_block_goes_on() -> None:
    """Where the text can't end behind the echo, the next block's text is joined as if it were the same one's."""
    made = going_on()
    told(made, start(), *block(0, text(QUOTE)), *block(1, text(", and more.")), ending())
    assert heard(made).blocks == [text(QUOTE + ", and more.")]
    assert made.joined is not None
    assert (made.joined.how, made.joined.verified) == (Joined.ECHO, True)


def test_a_change_of_models_leaves_the_seam_to_the_text() -> None:
    """A fallback block in front of the echo goes through, and the echo behind it is cut away."""
    change = {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}
    made = going_on()
    told(made, start(), *block(0, change), *block(1, text(QUOTE + ", and on.")), ending())
    assert [one.get("text", "") for one in heard(made).blocks] == [QUOTE, "", ", and on."]
    assert made.joined is not None and made.joined.verified


def test_a_call_at_once_closes_the_text() -> None:
    """As it stands, unverified."""
    made = going_on()
    out = told(made, start(), *block(0, CALL), ending("tool_use"))
    assert out.startswith(frame({"type": "content_block_stop", "index": 0}, spaced=False))
    assert [one["type"] for one in heard(made).blocks] == ["text", "tool_use"]
    assert made.joined is not None
    assert not made.joined.verified


def test_other_deltas_decide_the_join() -> None:
    """What is not understood is handed over behind the text, or hidden with it where there is none."""
    novel = delta(0, type="novel_delta", novel=1)
    made = going_on()
    told(made, start(), block_start(0, text(QUOTE[:3])), novel, text_delta(0, "x"), block_stop(0))
    assert not made.out.turn.blocks[0].opaque
    made = going_on(space="\n\n")
    told(made, start(), block_start(0, text(QUOTE + "\nMore")), novel)
    assert made.out.turn.blocks[0].opaque


def test_a_head_that_dies_in_half_a_character_keeps_what_came() -> None:
    """The join is decided on what came, and handed over first."""
    made = going_on()
    told(made, start(), block_start(0, text(QUOTE)), text_delta(0, " more \ud83d"))
    made.end()
    assert heard(made).blocks[0]["text"] == QUOTE + " more "
    made = going_on()
    told(made, start(), block_start(0, text(QUOTE)))
    made.end()
    assert heard(made).blocks == [text(QUOTE)]


def test_a_head_that_waited_for_more_is_joined_when_its_attempt_dies() -> None:
    """A tag of a wrapper might have followed. No more will come, so what came is the text's."""
    made = going_on()
    told(made, start(), block_start(0, text("")), text_delta(0, QUOTE + "<and"))
    assert made.out.turn.blocks[0].text == QUOTE
    made.end()
    assert heard(made).blocks == [text(QUOTE + "<and")]


def test_a_block_that_a_continuation_leaves_open_is_closed() -> None:
    """A stop reason inside a text that is still held, inside one that is live, or inside a call."""
    call = [block_start(1, CALL | {"input": {}}), delta(1, type="input_json_delta", partial_json="{")]
    for frames, blocks in (
        ([block_start(0, text(QUOTE)), text_delta(0, ", and")], [QUOTE + ", and"]),
        ([block_start(0, text(QUOTE)), text_delta(0, ", and more" * 30)], [QUOTE + ", and more" * 30]),
        ([*block(0, text(QUOTE + ", and")), *call], [QUOTE + ", and", None]),
    ):
        made = going_on()
        told(made, start(), *frames, ending("max_tokens"), STOP)
        assert [block.text if block.type == "text" else None for block in made.out.turn.blocks] == blocks
        assert all(block.closed for block in made.out.turn.blocks)
        assert made.complete


# -- the input of calls -----------------------------------------------------------------------------

BAD = ('{"word": Dave}', '{"word": "tide"}{"word": "tide"}', '{"word": "a "quoted" b"}', '{"word": "ti')


def call(written: str, kind: str = "tool_use") -> list[bytes]:
    """A call whose input is written so, in two pieces."""
    started = {"type": kind, "id": "toolu_1", "name": "look", "input": {}}
    pieces = [delta(0, type="input_json_delta", partial_json=one) for one in (written[:9], written[9:])]
    return [start(), block_start(0, started), *pieces, block_stop(0)]


@pytest.mark.parametrize("reason", ["tool_use", "end_turn"])
@pytest.mark.parametrize("hold", [frozenset({"tool_use"}), frozenset[str]()])
@pytest.mark.parametrize("written", BAD)
def test_a_call_whose_input_is_no_json_is_never_handed_over(
    written: str, hold: frozenset[str], reason: str
) -> None:
    """A held one not at all, a live one up to the piece that breaks it; half an input is none either, where the
    model says that it is done."""
    made = relay(hold=hold)
    with pytest.raises(Flaw) as caught:
        told(made, *call(written), ending(reason))
    failure = caught.value.failure
    assert failure.kind is Kind.CORRUPT
    assert failure.detail.startswith("the input of a tool call is not JSON (")
    out = made.out.take()
    assert b"content_block_stop" not in out and b"message_delta" not in out
    assert bool(out) is (not hold)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("hold", [frozenset({"tool_use"}), frozenset[str]()])
def test_half_an_input_passes_where_the_message_ended_in_it(hold: frozenset[str], *, closed: bool) -> None:
    """``max_tokens`` cuts it off, closed or not."""
    frames = [*call(BAD[-1])[: None if closed else -1], ending("max_tokens")]
    assert told(relay(hold=hold), *frames) == b"".join(frames)


@pytest.mark.parametrize("hold", [frozenset({"tool_use"}), frozenset[str]()])
def test_half_an_input_is_not_followed_by_another_block(hold: frozenset[str]) -> None:
    """What was cut off was not the message."""
    made = relay(hold=hold)
    with pytest.raises(Flaw) as caught:
        told(made, *call(BAD[-1]), block_start(1, text("a")))
    assert caught.value.failure.kind is Kind.CORRUPT


PIECES = [
    [' {"text', '":"', r"a \"b\" \\ \n", "h\u00e9 \U0001f600 \u4e2d", '"}'],
    ['{"a":', "[1, 2", ".5e", "3]", ', "b": "\ud83d', '\ude00"', "}"],
    ['{"a": 1}', "  ", "\n"],
]
"""Inputs in pieces: escapes, characters, numbers, halves of a surrogate pair, blanks before and behind."""


def datas(out: bytes) -> list[Any]:
    """The data of the events."""
    return [json.loads(line[6:]) for line in out.split(b"\n") if line.startswith(b"data: ")]


@pytest.mark.parametrize("pieces", PIECES)
@pytest.mark.parametrize("label", [0, 3])
def test_a_piece_is_held_on_the_fast_path_as_on_the_slow_one(
    pieces: list[str], label: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is handed over, the block and the count of events are those of frames that were read as events, under
    whatever index they come."""
    started = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    deltas = [delta(label, type="input_json_delta", partial_json=piece) for piece in pieces]
    frames = [
        start(),
        block_start(label, started),
        *deltas,
        PING,
        block_stop(label),
        ending("tool_use"),
        STOP,
    ]
    made = relay()
    out = told(made, *frames)
    monkeypatch.setattr(FastPath, "whole", lambda *_: None)
    slow = relay()
    assert datas(out) == datas(told(slow, *frames))
    assert made.events == slow.events
    assert [one.param() for one in made.out.turn.blocks] == [one.param() for one in slow.out.turn.blocks]


def test_a_plain_piece_behind_the_end_is_out_of_place() -> None:
    """The message has stopped while its call was open."""
    made = relay()
    with pytest.raises(Flaw) as caught:
        told(made, *call('{"a": 1, "b": 2}')[:-2], STOP, delta(0, type="input_json_delta", partial_json="1"))
    assert caught.value.failure.kind is Kind.TRUNCATED


def test_a_call_left_open_has_half_an_input_too() -> None:
    """Its stop never came, but the message ended as if it were whole."""
    made = relay()
    with pytest.raises(Flaw) as caught:
        told(made, *call(BAD[-1])[:-1], ending("tool_use"))
    assert caught.value.failure.kind is Kind.CORRUPT


def test_blanks_in_front_of_an_input_are_left_out() -> None:
    """The SDK takes them for broken JSON while they are all there is."""
    made = relay()
    out = told(made, *call(" " * 9 + '{"a": 1}'))
    assert b'"partial_json":""' in out
    assert made.out.turn.blocks[0].parses


def test_the_input_of_a_servers_tool_is_looked_at_as_it_passes() -> None:
    """It is live; what breaks it is never handed on."""
    made = relay()
    first, rest = (
        call('{"query": Dave}', "server_tool_use")[:3],
        call('{"query": Dave}', "server_tool_use")[3:],
    )
    assert told(made, *first) == b"".join(first)
    with pytest.raises(Flaw):
        told(made, *rest)
    assert made.out.take() == b""
