"""Who writes, and how much of it is sent."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream.testing import ANSWER, Reply, markdown
from resilient_stream.testing.author import limited, stopped, write
from tests.support.stand_ins import request

TEXT = {"type": "text", "text": "x" * 40}
TOOL = {"type": "tool_use", "id": "t", "name": "n", "input": {"a": "b" * 32}}
THOUGHT = {"type": "thinking", "thinking": "y" * 8}


def test_the_text_is_the_same_each_time() -> None:
    """No chance, no clock."""
    assert markdown() == markdown(6) == ANSWER
    assert markdown(2) != markdown(3)


@pytest.mark.parametrize(
    "wanted", ["# ", "- rope", "  1. ", "|--", "```python", "🌊", "\u200d", "潮", "é", "  Two"]
)
def test_the_text_holds_what_makes_a_seam_hard(wanted: str) -> None:
    """Headings, lists, tables, code, emoji, CJK, accents and double spaces."""
    assert wanted in ANSWER


def test_the_text_is_some_kilobytes_and_ends_in_ink() -> None:
    """Long enough to be cut anywhere, and no white margin."""
    assert 4000 < len(ANSWER) < 6000
    assert ANSWER.strip() == ANSWER


def test_no_long_passage_occurs_twice() -> None:
    """A quote of eighty characters is found in one place only."""
    length = 80
    seen = [ANSWER[at : at + length] for at in range(len(ANSWER) - length + 1)]
    assert len(set(seen)) == len(seen)


def test_a_function_writes_to_the_request() -> None:
    """The author may look at the whole request."""

    def author(asked: Any) -> str:
        return f"about {asked['model']}"

    assert write(author, request()).content[0]["text"] == "about claude-opus-5"
    assert write("plain", request()).content[0]["text"] == "plain"


@pytest.mark.parametrize(
    ("room", "sizes", "reason"),
    [
        (100, [8, 40, 40], "tool_use"),
        (22, [8, 40, 40], "tool_use"),
        (21, [8, 40], "max_tokens"),
        (12, [8, 40], "max_tokens"),
        (11, [8, 36], "max_tokens"),
        (2, [8], "max_tokens"),
        (1, [], "max_tokens"),
    ],
)
def test_max_tokens_cuts_text_and_drops_what_does_not_fit(room: int, sizes: list[int], reason: str) -> None:
    """A text may be cut anywhere, other blocks come whole or not at all."""
    reply = limited(Reply([THOUGHT, TEXT, TOOL]), room)
    got = [len(b.get("text", b.get("thinking", ""))) or 40 for b in reply.content]
    assert (got, reply.reason) == (sizes, reason)


@pytest.mark.parametrize(
    ("sequences", "texts", "reason"),
    [
        ([], ["abcabc", "def"], "end_turn"),
        (["x"], ["abcabc", "def"], "end_turn"),
        (["ca"], ["ab"], "stop_sequence"),
        (["c", "b"], ["a"], "stop_sequence"),
        (["abc"], [], "stop_sequence"),
        (["e"], ["abcabc", "d"], "stop_sequence"),
    ],
)
def test_a_stop_sequence_ends_the_answer_before_itself(
    sequences: list[str], texts: list[str], reason: str
) -> None:
    """The first one found in any text; it is named and not sent."""
    reply = stopped(Reply([{"type": "text", "text": "abcabc"}, {"type": "text", "text": "def"}]), sequences)
    assert ([block["text"] for block in reply.content], reply.reason) == (texts, reason)
    assert reply.stop_sequence in ([None] if reason == "end_turn" else sequences)
