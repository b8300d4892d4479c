"""One attempt's events on their way: what passes at once, what waits, what is held, what is hidden."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._core.continuation import Form, Plan
from resilient_stream._core.failures import Barren, Flaw, Kind
from resilient_stream._core.handover import Handover
from resilient_stream._core.relay import Relay
from resilient_stream._core.seam import Asked, Joined
from resilient_stream._core.settings import Settings
from resilient_stream._core.transcript import Turn

from .support import (
    CALL,
    CITED,
    CODE,
    ERROR,
    OMITTED,
    OTHER_CALL,
    PING,
    REDACTED,
    SEARCH,
    STOP,
    THOUGHT,
    Heard,
    block,
    block_start,
    block_stop,
    delta,
    ending,
    frame,
    start,
    text,
    text_delta,
)

QUOTE = "said so far"


def relay(plan: Plan | None = None, out: Handover | None = None, **fields: Any) -> Relay:
    """A relay of a first attempt, or of this plan."""
    plan = plan or Plan(Form.FIRST)
    return Relay(
        out or Handover(Turn()), plan, Settings(**fields), final_usage=lambda usage: {"mine": 1, **usage}
    )


def going_on(*before: bytes, space: str = "", quote: str = QUOTE, **fields: Any) -> Relay:
    """A user-turn continuation of what was handed over before."""
    first = relay()
    for one in (start(), block_start(0, text("")), text_delta(0, QUOTE + space), *before):
        first.receive(one)
    first.end()
    plan = Plan(Form.USER_TURN, {}, Asked(quote, space) if quote else None, hide_thinking=True)
    return relay(plan, first.out, **fields)


def told(made: Relay, *frames: bytes) -> bytes:
    """What is handed over for these frames."""
    made.out.take()
    for one in frames:
        made.receive(one)
    return made.out.take()


def heard(made: Relay) -> Heard:
    """The turn as the consumer has it, by its blocks."""
    consumer = Heard()
    consumer.blocks = [one.param() for one in made.out.turn.blocks]
    return consumer


# -- before the commit point ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waits", "then"),
    [
        ([start(), PING, block_start(0, text("")), PING, text_delta(0, " \n")], text_delta(0, "a")),
        (
            [start(), block_start(0, THOUGHT | {"thinking": "", "signature": ""})],
            delta(0, type="thinking_delta", thinking="a"),
        ),
        ([start(), *block(0, OMITTED), *block(1, REDACTED), block_start(2, text(""))], text_delta(2, "a")),
        ([start(), *block(0, text("")), *block(1, text(" ")), block_start(2, text(""))], text_delta(2, "a")),
        ([start(), *block(0, CALL)[:-1]], block_stop(0)),
        ([start()], block_start(0, SEARCH)),
        ([start()], block_start(0, text("a"))),
        ([start(), block_start(0, text("")), text_delta(0, "\ud83d")], text_delta(0, "\ude00")),
        ([start(), ending(None), block_start(0, text(""))], delta(0, type="citations_delta", citation={})),
        ([start(), frame({"type": "novel"})], ending()),
    ],
)
def test_nothing_shows_before_content(waits: list[bytes], then: bytes) -> None:
    """A start, blank text, unsigned endings and calls wait, with all that stands behind; content brings them."""
    made = relay()
    assert told(made, *waits) == b""
    assert told(made, then) == b"".join([*waits, then])


def test_an_attempt_that_dies_before_content_leaves_nothing() -> None:
    """Another can take its place unseen."""
    made = relay()
    assert told(made, start(), *block(0, CALL)[:-1]) == b""
    made.end()
    assert made.out.take() == b""
    assert made.out.turn == Turn()


def test_the_end_of_thinking_waits_for_what_follows() -> None:
    """Signature and stop: cut there, the block stays open, unsigned, for the next attempt to close."""
    made = relay()
    thought = block(0, THOUGHT)
    assert told(made, start(), *thought) == b"".join([start(), *thought[:-2]])
    made.end()
    assert made.out.turn.open_block is not None
    assert not made.out.turn.blocks[0].signed


# -- held ----------------------------------------------------------------------------------------


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


# -- flaws ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "kind", "in_band"),
    [
        (ERROR, Kind.OVERLOADED, True),
        (b"event: error\n\n", Kind.API_ERROR, True),
        (b'event: error\ndata: {"error": 5}\n\n', Kind.API_ERROR, True),
        (b"event: x\ndata: {\n\n", Kind.CORRUPT, False),
        (b"\xff\n\n", Kind.CORRUPT, False),
        (start(), Kind.PROTOCOL, False),
        (STOP, Kind.TRUNCATED, False),
    ],
)
def test_a_flaw_ends_the_attempt(bad: bytes, kind: Kind, *, in_band: bool) -> None:
    """What came before it is handed over; nothing that follows it is, not even at the end."""
    made = relay()
    with pytest.raises(Flaw) as caught:
        told(
            made,
            start(),
            block_start(0, text("")),
            text_delta(0, "a") + bad + text_delta(0, "b") + text_delta(0, "c")[:-1],
        )
    assert (caught.value.failure.kind, caught.value.failure.in_band) == (kind, in_band)
    made.end()
    assert [one.text for one in made.out.turn.blocks] == ["a"]


def test_the_last_event_needs_no_blank_line() -> None:
    """Complete but for it, it counts; incomplete or a ping, it does not."""
    for rest, said in [
        (text_delta(0, "b")[:-1], "ab"),
        (text_delta(0, "b")[:-3], "a"),
        (PING[:-1], "a"),
        (b"event: x", "a"),
    ]:
        made = relay()
        told(made, start(), block_start(0, text("")), text_delta(0, "a"), rest)
        made.end()
        made.end()
        assert [one.text for one in made.out.turn.blocks] == [said]


def test_an_error_in_the_last_event_is_told() -> None:
    """It is the better reason, for which there was no time; a flaw there is only what was cut."""
    made = relay()
    told(made, start(), ERROR[:-1])
    with pytest.raises(Flaw) as caught:
        made.end()
    assert caught.value.failure.in_band
    made = relay()
    told(made, start(), b"event: x\ndata: 1\n")
    made.end()


def test_what_an_unfinished_error_follows_is_settled_first() -> None:
    """What waits for content is dropped, what was held of a head is handed over."""
    made = relay()
    told(made, start(), ERROR[:-1])
    with pytest.raises(Flaw):
        made.end()
    assert told(relay(out=made.out), start(), *block(0, text("a"))).count(b"event: message_start") == 1
    made = going_on()
    told(made, start(), *block(0, text(QUOTE[:-1]))[:-1], text_delta(0, QUOTE[-1] + " mo"), ERROR[:-1])
    with pytest.raises(Flaw):
        made.end()
    assert heard(made).blocks == [text(QUOTE + " mo")]


# -- continuations -------------------------------------------------------------------------------


def test_a_continuation_goes_on_in_the_open_block() -> None:
    """Its start, its echo and its first stop's index are not seen; its deltas take the short way again."""
    made = going_on()
    out = told(
        made,
        start(id="other"),
        block_start(0, text("")),
        text_delta(0, QUOTE[:4]),
        text_delta(0, QUOTE[4:] + " and"),
    )
    assert b"message_start" not in out
    assert b"content_block_start" not in out
    assert told(made, text_delta(0, " more")) == text_delta(0, " more")
    assert made.steady.passed == 1
    assert told(made, block_stop(0), ending()).startswith(block_stop(0))
    assert heard(made).blocks == [text(QUOTE + " and more")]
    assert made.joined is not None
    assert (made.joined.how, made.joined.cut) == (Joined.ECHO, len(QUOTE))


def test_behind_a_closed_block_a_new_one_begins() -> None:
    """Under the next index, once there is something in it; with the echo alone there is none."""
    made = going_on(block_stop(0))
    assert told(made, start(), block_start(0, text(QUOTE)), text_delta(0, " ")) == b""
    assert block_start(1, text("")).split(b"data: ")[1][:60].replace(b" ", b"") in told(
        made, text_delta(0, "more")
    ).replace(b" ", b"")
    assert heard(made).blocks == [text(QUOTE), text(" more")]
    made = going_on(block_stop(0))
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
        text_delta(0, QUOTE + " more"),
    )
    told(made, delta(0, type="citations_delta", citation={"b": 1}), block_stop(0), ending())
    first, second = heard(made).blocks
    assert first["text"] == QUOTE
    assert (second["text"], second["citations"]) == (" more", [{"b": 1}])
    assert made.out.turn.blocks[0].closed


def test_text_that_began_with_citations_is_not_gone_on_in() -> None:
    """Some hosts send them with the start."""
    first = relay()
    told(first, start(), block_start(0, CITED), text_delta(0, " " + QUOTE))
    made = relay(Plan(Form.USER_TURN, {}, Asked(QUOTE, "")), first.out)
    told(made, start(), block_start(0, text(QUOTE)), text_delta(0, " more"))
    assert [one.text for one in made.out.turn.blocks][1] == " more"


def test_thinking_of_a_user_turn_is_hidden() -> None:
    """Signed against another history; what follows it gets the next index all the same."""
    made = going_on(block_stop(0))
    assert told(made, start(), *block(0, THOUGHT), *block(1, REDACTED)) == b""
    told(made, *block(2, text(QUOTE)), *block(3, text("more")), ending())
    assert heard(made).blocks == [text(QUOTE), text("more")]


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


def test_a_policy_may_want_proof() -> None:
    """Text without the fragment, or a call at once, is refused; nothing of it was handed over."""
    for frames in (block(0, text("Well, then.")), block(0, CALL)):
        made = going_on(unverified="refuse")
        with pytest.raises(Flaw):
            told(made, start(), *frames)
        made.end()
        assert heard(made).blocks == [text(QUOTE)]


def test_other_deltas_decide_the_join() -> None:
    """What is not understood is handed over behind the text, or hidden with it where there is none."""
    novel = delta(0, type="novel_delta", novel=1)
    made = going_on()
    told(made, start(), block_start(0, text(QUOTE[:3])), novel, text_delta(0, "x"), block_stop(0))
    assert not made.out.turn.blocks[0].opaque
    made = going_on(space="\n\n")
    told(made, start(), block_start(0, text(QUOTE + "\n")), novel)
    assert made.out.turn.blocks[0].opaque


@pytest.mark.parametrize("quote", [QUOTE, ""])
def test_nothing_is_barren(quote: str) -> None:
    """No block, hidden thinking alone, or blocks without text: whether or not text was to be joined."""
    for frames in ([], block(0, THOUGHT), [*block(0, text(quote[:4]))] if quote else []):
        made = going_on(*[] if quote else [block_stop(0)], quote=quote)
        with pytest.raises(Barren):
            told(made, start(), *frames, ending())


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


def test_the_final_usage_is_asked_for_unless_it_is_the_first_attempts() -> None:
    """A first attempt's numbers pass untouched."""
    made = going_on()
    assert b'"mine":1' in told(
        made, start(), block_start(0, text(QUOTE)), block_stop(0), ending(None), ending()
    )
    assert made.closing_usage == {"output_tokens": 40}
    assert b"mine" not in told(relay(), start(), ending())


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


def test_events_are_counted_without_pings() -> None:
    """Those that took the short way too."""
    made = relay()
    told(
        made,
        PING,
        b": c\n\n",
        start(),
        block_start(0, text("")),
        text_delta(0, "a"),
        text_delta(0, "b"),
        PING,
    )
    assert (made.events, made.steady.passed) == (4, 1)
    assert made.opening is not None
