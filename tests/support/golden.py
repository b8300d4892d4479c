"""Whole streams as an upstream may send them, with everything that must pass untouched."""

from __future__ import annotations

from .contents import (
    BARE_CALL,
    BOOKED,
    CALL,
    CITED,
    CODE,
    FOUND,
    MCP,
    OMITTED,
    OTHER_CALL,
    PROSE,
    RAN,
    REDACTED,
    SEARCH,
    THOUGHT,
    text,
)
from .streams import PING, STOP, block_start, block_stop, delta, ending, frame, message, start, text_delta

UNKNOWN = frame({"type": "weather", "sky": "blue", "nested": {"a": [1, 2.5, None]}})
COMMENT = b": keep-alive\n\n"
NO_DATA = b"event: nothing\nid: 7\nretry: 3\n\n"

GOLDEN: dict[str, bytes] = {
    "text": message([text(PROSE)]),
    "long_deltas": message([text(PROSE)], size=400),
    "letters": message([text(PROSE)], size=1),
    "two_texts": message([text("One."), text("Two.")]),
    "thought": message([THOUGHT, text("So it is.")]),
    "omitted": message([OMITTED, text("So it is.")]),
    "redacted": message([REDACTED, THOUGHT, text("So it is.")]),
    "only_thought": message([THOUGHT], "max_tokens"),
    "interleaved": message([THOUGHT, text("One."), OMITTED, CALL], "tool_use"),
    "call": message([text("I look."), CALL], "tool_use"),
    "bare_call": message([BARE_CALL], "tool_use"),
    "calls": message([CALL, OTHER_CALL, BARE_CALL], "tool_use"),
    "search": message([text("I look."), SEARCH, FOUND, CITED, text("That is it.")]),
    "code": message([CODE, RAN, text("Done.")]),
    "mcp": message([MCP, BOOKED, text("Booked.")]),
    "paused": message([text("I look."), SEARCH], "pause_turn"),
    "refusal": message([text("I can")], "refusal"),
    "nothing": message([]),
    "blank_block": message([text("One."), text(" \n"), text("Two.")]),
    "empty_block": message([text(""), text("Two."), text("")]),
    "blank_only": message([text("\n\n")], "stop_sequence"),
    "broken_call": b"".join(
        [
            start(),
            block_start(0, CALL | {"input": {}}),
            delta(0, type="input_json_delta", partial_json='{"place": "no'),
            block_stop(0),
            ending("max_tokens"),
            STOP,
        ]
    ),
    "unknown": b"".join(
        [
            UNKNOWN,
            PING,
            COMMENT,
            start(context_management={"edits": []}, novel=True),
            COMMENT,
            block_start(0, text("") | {"novel": [1]}),
            UNKNOWN,
            text_delta(0, "A"),
            NO_DATA,
            PING,
            text_delta(0, "B"),
            UNKNOWN,
            delta(0, type="text_delta", text="C", novel=1),
            delta(0, type="novel_delta", novel="D"),
            block_stop(0),
            PING,
            block_start(1, {"type": "novel_block", "novel": 1}),
            delta(1, type="novel_delta", novel="D"),
            block_stop(1),
            UNKNOWN,
            ending(),
            COMMENT,
            STOP,
        ]
    ),
    "ping_in_call": b"".join(
        [
            start(),
            block_start(0, CALL | {"input": {}}),
            PING,
            delta(0, type="input_json_delta", partial_json='{"place": '),
            UNKNOWN,
            delta(0, type="input_json_delta", partial_json='"x"}'),
            COMMENT,
            block_stop(0),
            ending("tool_use"),
            STOP,
        ]
    ),
    "message_deltas": b"".join(
        [
            start(),
            ending(None, 3),
            block_start(0, text("")),
            text_delta(0, "A"),
            block_stop(0),
            ending(None, 5),
            ending("end_turn", 7, container={"id": "c"}),
            ending(None, 9),
            STOP,
        ]
    ),
    "halves": b"".join(
        [
            start(),
            block_start(0, text("")),
            text_delta(0, "A \ud83d"),
            text_delta(0, "\ude00 B \ud83d"),
            PING,
            text_delta(0, "\ude01"),
            text_delta(0, "lone \ud83d"),
            block_stop(0),
            ending(),
            STOP,
        ]
    ),
    "compact": b"".join(
        [
            start(),
            block_start(0, text("")),
            *(
                frame(
                    {
                        "type": "content_block_delta",
                        "index": 0,
                        "delta": {"type": "text_delta", "text": piece},
                    },
                    spaced=False,
                )
                for piece in ("Hello", ' "world"', "\\ud83d", "\x7f\n")
            ),
            text_delta(0, "spaced again"),
            block_stop(0),
            ending(),
            STOP,
        ]
    ),
    "text_in_start": b"".join(
        [
            start(),
            block_start(0, text("Whole.")),
            block_stop(0),
            ending("stop_sequence", stop_sequence="x"),
            STOP,
        ]
    ),
}
"""Name to bytes. Each ends in ``message_stop`` and nothing fails in it."""
