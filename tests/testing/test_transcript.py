"""Replies, messages, events, bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.types import Message

from resilient_stream.testing import Reply, StandIn, sign, sse_event, sse_events
from resilient_stream.testing.transcript import (
    as_reply,
    characters,
    input_tokens,
    message,
    message_events,
    output_tokens,
    tokens,
)
from tests.support.stand_ins import ask, client, endpoint, request

THINKING = {"type": "thinking", "thinking": "Let me see. It rises."}
TOOL = {"type": "tool_use", "id": "toolu_1", "name": "tide", "input": {"port": "Brest", "days": [1, 2]}}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "tides"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
CITED = {
    "type": "text",
    "text": "It does.",
    "citations": [
        {
            "type": "char_location",
            "cited_text": "x",
            "document_index": 0,
            "document_title": "t",
            "start_char_index": 0,
            "end_char_index": 1,
            "file_id": None,
        }
    ],
}
SIGNED = {"signature": sign("Let me see. It rises.")}
BLOCKS: list[dict[str, Any]] = [THINKING, SEARCH, FOUND, CITED, TOOL]


def whole(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The whole message of some blocks."""
    return message(Reply(blocks, **more), message_id="msg_1", model="m", input_tokens=7)


def deltas(block: dict[str, Any], size: int = 4) -> list[dict[str, Any]]:
    """The deltas of a block."""
    events = message_events(whole(block), delta_size=size)
    return [event["delta"] for event in events if event["type"] == "content_block_delta"]


def test_the_order_of_events_is_the_apis() -> None:
    """One start and one stop of the message; each block starts, speaks and stops before the next."""
    kinds = [(event["type"], event.get("index")) for event in message_events(whole(*BLOCKS), delta_size=1000)]
    said = [("content_block_start", 0), ("ping", None)]
    for index, count in enumerate((2, 2, 0, 2, 2)):
        said += [("content_block_start", index)] * (index > 0)
        said += [("content_block_delta", index)] * count + [("content_block_stop", index)]
    assert kinds == [("message_start", None), *said, ("message_delta", None), ("message_stop", None)]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_sdk_puts_the_blocks_together_again(size: int) -> None:
    """Whatever the size of the deltas, the SDK's message is the message that was told."""
    with (
        StandIn(reply=BLOCKS, delta_size=size) as server,
        client(server) as bare,
        bare.messages.stream(**request()) as stream,
    ):
        got = stream.get_final_message()
    told = [block.to_dict() for block in got.content]
    assert told == [{**block, **SIGNED} if block is THINKING else block for block in BLOCKS]
    assert got.stop_reason == "tool_use"


def test_a_ping_may_be_left_out() -> None:
    """Pings are optional, as the API says."""
    assert b'event: ping\ndata: {"type":"ping"}\n\n' in sse_events("hi")
    assert not any(b"ping" in event for event in sse_events("hi", ping=False))


def test_text_comes_in_pieces_of_the_set_size() -> None:
    """No delta is longer, all together are the text."""
    pieces = [delta["text"] for delta in deltas({"type": "text", "text": "Hello 👋 world"}, 5)]
    assert pieces == ["Hello", " 👋 wo", "rld"]


def test_thinking_ends_with_its_signature() -> None:
    """The signature is the last delta of its block, in one piece."""
    *thoughts, last = deltas(THINKING)
    assert "".join(delta["thinking"] for delta in thoughts) == THINKING["thinking"]
    assert last == {"type": "signature_delta", "signature": sign(THINKING["thinking"])}


def test_omitted_thinking_is_one_empty_delta() -> None:
    """Thinking that is not shown still has a delta and a signature."""
    told = deltas({"type": "thinking", "thinking": "", "signature": "s"})
    assert [delta["type"] for delta in told] == ["thinking_delta", "signature_delta"]


def test_tool_input_is_json_in_pieces() -> None:
    """The pieces are the JSON; the first is empty; no input is no more than that."""
    told = [delta["partial_json"] for delta in deltas(TOOL)]
    assert told[0] == ""
    assert json.loads("".join(told)) == TOOL["input"]
    assert [delta["partial_json"] for delta in deltas({"type": "tool_use", "id": "t", "name": "n"})] == [""]


def test_citations_follow_their_text() -> None:
    """A cited text starts with no citations and gets them as deltas."""
    events = message_events(whole(CITED), delta_size=100)
    assert events[1]["content_block"] == {"type": "text", "text": "", "citations": []}
    assert [delta["type"] for delta in deltas(CITED, 100)] == ["text_delta", "citations_delta"]


def test_results_come_whole_in_their_start() -> None:
    """A server tool's result has no deltas."""
    events = message_events(whole(FOUND), ping=False)
    assert events[1] == {"type": "content_block_start", "index": 0, "content_block": FOUND}
    assert events[2]["type"] == "content_block_stop"


def test_the_start_knows_nothing_of_the_end() -> None:
    """``message_start`` has no content, no stop reason and a placeholder for output tokens."""
    told = whole(THINKING, CITED, delta={"container": {"id": "c"}, "stop_details": {"type": "refusal"}})
    start, *_, closing, _ = message_events(told)
    assert start["message"]["content"] == []
    assert start["message"]["stop_reason"] is start["message"]["stop_details"] is None
    assert start["message"]["usage"]["output_tokens"] == 1
    assert "container" not in start["message"]
    assert closing["delta"]["container"] == {"id": "c"}
    assert closing["delta"]["stop_details"] == {"type": "refusal"}
    assert closing["usage"]["output_tokens"] == told["usage"]["output_tokens"]
    assert closing["usage"]["output_tokens_details"] == {"thinking_tokens": 6}


def test_the_whole_message_is_the_sdks() -> None:
    """What is answered without streaming is a message as the SDK's types have it."""
    told = Message.model_validate(whole(*BLOCKS))
    assert [block.type for block in told.content] == [block["type"] for block in BLOCKS]
    assert told.usage.input_tokens == 7


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply([CITED]), "end_turn"),
        (Reply([CITED, TOOL]), "tool_use"),
        (Reply([SEARCH]), "end_turn"),
        (Reply([TOOL], stop_reason="max_tokens"), "max_tokens"),
        (Reply(), "end_turn"),
    ],
)
def test_the_stop_reason_follows_from_the_blocks(reply: Reply, reason: str) -> None:
    """A tool call ends with ``tool_use``, unless told otherwise."""
    assert reply.reason == reason


def test_bytes_are_compact_and_unescaped() -> None:
    """An event is two lines and a blank one; JSON without spaces, text as UTF-8."""
    event = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "é👋"}}
    assert (
        sse_event(event)
        == (
            'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
            '"delta":{"type":"text_delta","text":"é👋"}}\n\n'
        ).encode()
    )
    assert sse_event({"type": "a"}, "b").startswith(b"event: b\n")


def test_a_lone_surrogate_is_escaped() -> None:
    """Half a pair can only be said as an escape."""
    said = sse_event({"type": "x", "text": "\ud83d"})
    assert said == b'event: x\ndata: {"type":"x","text":"\\ud83d"}\n\n'
    assert json.loads(said.partition(b"data: ")[2])["text"] == "\ud83d"


def test_a_signature_belongs_to_its_text() -> None:
    """The same text has the same signature, another text another."""
    assert sign("a") == sign("a") != sign("b")


def test_tokens_are_counted_from_characters() -> None:
    """Four characters a token, at least one; keys and numbers do not count."""
    assert [tokens(size) for size in (0, 1, 4, 5)] == [1, 1, 1, 2]
    assert characters({"key": ["abc", {"x": "de"}, 7, None]}) == 5
    assert input_tokens(request([{"role": "user", "content": "x" * 392}], system="yy")) == 100
    assert output_tokens([THINKING, CITED, TOOL, FOUND]) == tokens(21 + 8 + 31)


def test_more_usage_is_told_at_both_ends() -> None:
    """What the reply says about usage overrules the estimate in start and end."""
    start, *_, closing, _ = message_events(whole(CITED, usage={"cache_read_input_tokens": 9}))
    assert start["message"]["usage"]["cache_read_input_tokens"] == 9
    assert closing["usage"]["cache_read_input_tokens"] == 9


def test_a_text_and_blocks_are_replies() -> None:
    """Three spellings of the same reply."""
    block = {"type": "text", "text": "hi"}
    assert list(as_reply("hi").content) == list(as_reply([block]).content) == [block]
    reply = Reply([block])
    assert as_reply(reply) is reply


def test_an_empty_reply_has_no_blocks() -> None:
    """No content is a message all the same."""
    kinds = [event["type"] for event in message_events(whole())]
    assert kinds == ["message_start", "message_delta", "message_stop"]


def test_streamed_and_whole_say_the_same() -> None:
    """The same request with and without streaming gets the same content and usage."""
    point = endpoint(reply=BLOCKS)
    streamed, _ = ask(point, request(stream=True))
    plain, _ = ask(point, request())
    told = json.loads(plain.body)
    assert sse_events(BLOCKS, message_id="msg_01StandIn00000000000001", input_tokens=6) == streamed.chunks
    assert told["content"][0]["signature"] == sign(THINKING["thinking"])
    assert told["usage"]["input_tokens"] == 6
