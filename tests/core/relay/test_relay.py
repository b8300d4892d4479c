"""One attempt's events on their way: what waits for content, what ends the attempt, what is told of it."""

from __future__ import annotations

import pytest

from resilient_stream._core.failures import Barren, Flaw, Kind
from resilient_stream._core.relay import relay as relay_module
from resilient_stream._core.turn.transcript import Turn
from resilient_stream._core.wire.events import LONGEST_ERROR, NO_STREAM
from tests.support.contents import CALL, CODE, OMITTED, REDACTED, SEARCH, THOUGHT, text
from tests.support.relays import QUOTE, going_on, heard, relay, told
from tests.support.streams import (
    ERROR,
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


def test_a_stop_before_the_message_stops_nothing() -> None:
    """It is handed on as what it is: no event of this message."""
    made = relay()
    stray = block_stop(0)
    assert told(made, stray, start(), *block(0, text("a"))) == b"".join(
        [stray, start(), *block(0, text("a"))]
    )


def test_an_attempt_that_dies_before_content_leaves_nothing() -> None:
    """Another can take its place unseen."""
    made = relay()
    assert told(made, start(), *block(0, CALL)[:-1]) == b""
    made.end()
    assert made.out.take() == b""
    assert made.out.turn == Turn()


@pytest.mark.parametrize(
    ("bad", "kind", "in_band"),
    [
        (ERROR, Kind.OVERLOADED, True),
        (b"event: error\n\n", Kind.API_ERROR, True),
        (b'event: error\ndata: {"error": 5}\n\n', Kind.API_ERROR, True),
        (b"event: x\ndata: {\n\n", Kind.CORRUPT, False),
        (b"\xff\n\n", Kind.CORRUPT, False),
        (start(), Kind.PROTOCOL, False),
        (STOP + text_delta(0, "b"), Kind.TRUNCATED, False),
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


@pytest.mark.parametrize(
    ("error", "detail", "kept"),
    [
        ({"type": "overloaded_error"}, "overloaded_error", True),
        ({"type": "x" * 100}, "unreadable error", True),
        ({"type": ["overloaded_error"]}, "unreadable error", True),
        ({"type": "overloaded_error", "message": "x" * LONGEST_ERROR}, "overloaded_error", False),
    ],
)
def test_an_error_event_is_told_in_a_word(error: object, detail: str, *, kept: bool) -> None:
    """Its type, where that is a word; what it says is kept for the exception unless it is very long."""
    made, one = relay(), frame({"type": "error", "error": error})
    with pytest.raises(Flaw) as caught:
        told(made, start(), one)
    failure = caught.value.failure
    assert (failure.detail, failure.body) == (detail, {"type": "error", "error": error} if kept else None)
    assert failure.frame == (one if kept else b"")


def test_what_nobody_sees_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thought that is not handed over may be long, not endless; anything that is handed over begins the count anew."""
    monkeypatch.setattr(relay_module, "LONGEST_UNSEEN", 10_000)
    made = going_on()
    told(made, start(id="other"), block_start(0, THOUGHT))
    thought = delta(0, type="thinking_delta", thinking="hm " * 20)
    for _ in range(5):
        told(made, *[thought] * 50)
        told(made, PING)
    with pytest.raises(Flaw) as caught:
        told(made, *[thought] * 100)
    assert caught.value.failure.kind is Kind.PROTOCOL
    assert "without anything to deliver" in caught.value.failure.detail


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


def test_a_policy_may_want_proof() -> None:
    """Text without the fragment, or a call at once, is refused; nothing of it was handed over."""
    for frames in (block(0, text("Well, then.")), block(0, CALL)):
        made = going_on(unverified="refuse")
        with pytest.raises(Flaw):
            told(made, start(), *frames)
        made.end()
        assert heard(made).blocks == [text(QUOTE)]


@pytest.mark.parametrize("quote", [QUOTE, ""])
def test_nothing_is_barren(quote: str) -> None:
    """No block, hidden thinking alone, or blocks without text: whether or not text was to be joined."""
    for frames in ([], block(0, THOUGHT), [*block(0, text(quote[:4]))] if quote else []):
        made = going_on(*[] if quote else [block_stop(0)], quote=quote)
        with pytest.raises(Barren):
            told(made, start(), *frames, ending())


def test_a_first_attempts_usage_is_left_as_it_is() -> None:
    """A first attempt's numbers pass untouched."""
    made = going_on()
    assert b'"mine":1' in told(
        made, start(), block_start(0, text(QUOTE + " once")), block_stop(0), ending(None), ending()
    )
    assert made.closing_usage == {"output_tokens": 40}
    assert b"mine" not in told(relay(), start(), ending())


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


def test_nothing_behind_the_end_is_too_much() -> None:
    """Not even an event that is larger than any may be."""
    made = relay()
    told(made, start(), ending(), STOP)
    made.framer.limit = 100
    assert told(made, b"x" * 200) == b""


def test_a_number_that_is_taken_back_stays() -> None:
    """A later null says nothing of what was told before; one that comes first is kept as it is."""
    made = relay()
    told(made, start())
    for usage in ({"output_tokens": 5, "cache": None}, {"output_tokens": None, "cache": None}):
        told(made, frame({"type": "message_delta", "delta": {"stop_reason": None}, "usage": usage}))
    assert made.closing_usage == {"output_tokens": 5, "cache": None}


# -- what gateways make of it -----------------------------------------------------------------------


def test_blocks_that_overlap_are_handed_over_in_order() -> None:
    """A text that begins while a call is written comes behind the call; later deltas pass as they come."""
    made = relay()
    first, second = block(1, CALL), block(2, text("One moment."), size=4)
    out = told(made, start(), *block(0, text("I look.")), *first[:2], *second[:-1], *first[2:])
    assert out == b"".join([start(), *block(0, text("I look.")), *first, *second[:-1]])
    assert told(made, text_delta(2, " Now.")) == text_delta(2, " Now.")
    assert made.quick(text_delta(2, " Then.")) == text_delta(2, " Then.")
    assert told(made, block_stop(2), ending("tool_use"), STOP)
    assert [one.text for one in made.out.turn.blocks if one.type == "text"] == [
        "I look.",
        "One moment. Now. Then.",
    ]


def test_blocks_under_other_indices_are_numbered_anew() -> None:
    """Also where their deltas take the short way."""
    made = relay()
    assert b'"index":0' in told(made, start(), block_start(3, text("")), text_delta(3, "a"))
    assert told(made, text_delta(3, "b")) == text_delta(0, "b")
    assert made.quick(text_delta(3, "c")) == text_delta(0, "c")
    assert told(made, block_stop(3))
    assert made.out.turn.blocks[0].text == "abc"


def test_a_waiting_server_tool_is_remembered() -> None:
    """It may have run, though nobody has seen it. One is remembered, of those that may have done something."""
    made = relay()
    behind = [*block(1, SEARCH), *block(2, CODE), *block(3, CODE), *block(4, CALL)]
    told(made, start(), block_start(0, text("")), text_delta(0, "a"), *behind)
    made.end()
    (noted,) = made.out.turn.unseen
    assert noted.start == {"type": "server_tool_use", "name": CODE["name"]}


def test_a_call_that_waits_for_its_end_is_an_answer() -> None:
    """A message that ends with nothing but a held call, for which no token was counted, is not asked for again."""
    made = relay(completed_tools="regenerate")
    assert told(made, start(), *block(0, CALL)) == b""
    assert b'"type": "tool_use"' in told(made, ending("end_turn", 0))


@pytest.mark.parametrize("usage", [None, "none", {}, {"output_tokens": None}, {"output_tokens": 0}])
def test_usage_that_says_nothing_takes_nothing_back(usage: object) -> None:
    """What was told before is shown instead, and nothing of it counts as told."""
    made = relay()
    told(made, start(), *block(0, text("a")), ending(None, 7))
    last = frame({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage})
    assert b'"usage":{"output_tokens":7}' in told(made, last)
    assert made.closing_usage == {"output_tokens": 7}


def test_usage_of_a_message_start_counts_until_more_is_told() -> None:
    """A zero for the input, which there must have been, says nothing."""
    made = relay()
    last = frame(
        {
            "type": "message_delta",
            "delta": {},
            "usage": {"input_tokens": 0, "output_tokens": 5, "novel": None},
        }
    )
    assert b'"usage":{"input_tokens":25,"output_tokens":5,"novel":null}' in told(
        made, start(), *block(0, text("a")), last
    )


@pytest.mark.parametrize(
    "body", [b"<html>\n\n<body>", b"<html><body>\n", b'{"type": "message"}', b"Bad gateway"]
)
def test_a_body_that_is_no_event_stream_is_told_as_such(body: bytes) -> None:
    """At its first blank line or at its end, before anything is made of it."""
    made = relay()
    with pytest.raises(Flaw) as caught:
        made.receive(body)
        made.end(clean=True)
    assert (caught.value.failure.kind, caught.value.failure.detail) == (Kind.PROTOCOL, NO_STREAM)


def test_a_body_that_was_cut_shows_nothing() -> None:
    """Half a line may be the beginning of anything."""
    made = relay()
    made.receive(b"<ht")
    made.end()


def test_a_body_that_is_an_error_is_that_error() -> None:
    """A 200 may have the JSON of an error response."""
    made = relay()
    made.receive(b'{"error": {"type": "overloaded_error"}}')
    with pytest.raises(Flaw) as caught:
        made.end(clean=True)
    assert (caught.value.failure.kind, caught.value.failure.in_band) == (Kind.OVERLOADED, True)
