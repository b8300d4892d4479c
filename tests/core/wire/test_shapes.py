"""The fields that a consumer can't do without."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._core.failures import Flaw, Kind
from resilient_stream._core.wire.events import Event, read
from resilient_stream._core.wire.shapes import mended
from tests.support.golden import GOLDEN
from tests.support.streams import Json

ABSENT = "absent"


def with_field(event: Json, path: str, value: Any) -> Event:
    """An event with another value at a place; without any if it is "absent"."""
    *names, last = path.split(".")
    whole: Json = {**event}
    part = whole
    for name in names:
        part[name] = {**part[name]}
        part = part[name]
    part.pop(last, None)
    if value != ABSENT:
        part[last] = value
    return Event.of(whole)


START: Json = {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 3}}}
TEXT: Json = {"type": "content_block_start", "content_block": {"type": "text", "text": "a"}}
THOUGHT: Json = {"type": "content_block_start", "content_block": {"type": "thinking", "thinking": "a"}}
CALL: Json = {"type": "content_block_start", "content_block": {"type": "tool_use", "input": {"a": 1}}}
FALLBACK: Json = {"type": "content_block_start", "content_block": {"type": "fallback", "to": {}}}
SAID: Json = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}}
THINKS: Json = {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "a"}}
WRITES: Json = {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "a"}}
SIGNS: Json = {"type": "content_block_delta", "delta": {"type": "signature_delta", "signature": "a"}}
CITES: Json = {"type": "content_block_delta", "delta": {"type": "citations_delta", "citation": {"a": 1}}}
END: Json = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
NO_TYPES: list[Any] = [ABSENT, None, "", 7, True, 1.5, ["text_delta"], {"a": 1}]
NOTHING = {"stop_reason": None, "stop_sequence": None}


@pytest.mark.parametrize("name", GOLDEN)
def test_what_is_whole_stays_as_it_is(name: str) -> None:
    """Golden streams have all that is needed."""
    for one in GOLDEN[name].split(b"\n\n")[:-1]:
        event = read(one + b"\n\n")
        assert mended(event) is event


@pytest.mark.parametrize(
    ("event", "path", "values", "meant"),
    [
        (START, "message.content", [ABSENT, None, "", 0, {}], []),
        (
            START,
            "message.usage",
            [ABSENT, None, "", 0, [], "x", 7, [1]],
            {"input_tokens": 0, "output_tokens": 0},
        ),
        (TEXT, "content_block.text", [ABSENT, None], ""),
        (THOUGHT, "content_block.thinking", [ABSENT, None], ""),
        (CALL, "content_block.input", [ABSENT, None, "", []], {}),
        (SAID, "delta.text", [ABSENT, None], ""),
        (THINKS, "delta.thinking", [ABSENT, None], ""),
        (WRITES, "delta.partial_json", [ABSENT, None], ""),
        (SAID, "delta.type", NO_TYPES, "text_delta"),
        (THINKS, "delta.type", NO_TYPES, "thinking_delta"),
        (WRITES, "delta.type", NO_TYPES, "input_json_delta"),
        (SIGNS, "delta.type", NO_TYPES, "signature_delta"),
        (CITES, "delta.type", NO_TYPES, "citations_delta"),
        (END, "delta", [ABSENT, None, "", 0, []], NOTHING),
        (END, "delta.stop_reason", [1, True, ["end_turn"], {"a": 1}], None),
    ],
)
def test_what_is_left_out_is_put_in(event: Json, path: str, values: list[Any], meant: Any) -> None:
    """What is missing, null or empty means nothing, and stands there as the nothing that is expected."""
    for value in values:
        whole = mended(with_field(event, path, value))
        part = whole.data
        for name in path.split("."):
            part = part[name]
        assert part == meant
        assert read(whole.frame) == whole


@pytest.mark.parametrize(
    ("event", "path", "values"),
    [
        (START, "message", [ABSENT, None, "x", 7, []]),
        (START, "message.content", ["x", 7, {"a": 1}]),
        (TEXT, "content_block", [ABSENT, None, "x", 7, []]),
        (TEXT, "content_block.type", [ABSENT, None, 7, ["text"]]),
        (TEXT, "content_block.text", [7, 0, False, ["a"], {}]),
        (TEXT, "content_block.citations", ["x", 7, {"a": 1}]),
        (THOUGHT, "content_block.thinking", [7, []]),
        (FALLBACK, "content_block.to", [ABSENT, None, "x", 7, []]),
        (SAID, "delta", [ABSENT, None, "x", 7, []]),
        (SAID, "delta", [{}, {"type": None, "text": 1}, {"type": 7, "a": 1}, {"text": None}]),
        (SAID, "delta.text", [7, 0, False, ["a"], {}]),
        (THINKS, "delta.thinking", [7, []]),
        (WRITES, "delta.partial_json", [7, []]),
        (END, "delta", ["x", 7, [1]]),
    ],
)
def test_what_cannot_be_guessed_is_a_flaw(event: Json, path: str, values: list[Any]) -> None:
    """It never reaches a consumer."""
    for value in values:
        with pytest.raises(Flaw) as caught:
            mended(with_field(event, path, value))
        assert caught.value.failure.kind is Kind.PROTOCOL


@pytest.mark.parametrize(
    ("event", "path", "value"),
    [
        (START, "message.id", None),
        (START, "message.model", 7),
        (TEXT, "content_block.citations", None),
        (TEXT, "content_block.novel", 1),
        (CALL, "content_block.input", "x"),
        (CALL, "content_block.id", None),
        (SAID, "delta.type", "novel_delta"),
        (END, "delta.stop_reason", None),
        (END, "delta.stop_sequence", 7),
        (END, "usage", "x"),
        ({"type": "message_stop"}, "novel", 1),
        ({"type": "content_block_stop"}, "index", "x"),
    ],
)
def test_what_nobody_fails_over_stays(event: Json, path: str, value: Any) -> None:
    """However odd it is; indices and usage are others' business."""
    given = with_field(event, path, value)
    assert mended(given) is given


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (START, "message"),
        (TEXT, "content_block"),
        (WRITES, "delta"),
        (END, "delta"),
    ],
)
def test_a_name_of_a_field_that_the_sdk_cannot_write_is_mended(event: Json, path: str) -> None:
    """Half of a surrogate pair in it becomes U+FFFD, in what is handed on and in what is kept."""
    part = event[path]
    found = mended(Event.of({**event, path: {**part, "novel": [{"\ud83d": 1}]}}))
    assert found.data[path] == {**part, "novel": [{"\ufffd": 1}]}
    assert read(found.frame).data == found.data
