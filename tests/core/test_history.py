"""What is taken out of a history, and what never is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream import sendable

ASK = {"role": "user", "content": "hi"}
GO_ON = {"role": "user", "content": "go on"}
TEXT = {"type": "text", "text": "hello"}
SIGNED = {"type": "thinking", "thinking": "hm", "signature": "sig"}
UNSIGNED = {"type": "thinking", "thinking": "hm", "signature": ""}
BLANK = {"type": "text", "text": " \n"}
SEARCH = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []}
MCP = {"type": "mcp_tool_use", "id": "mcp_1", "name": "ask", "server_name": "s", "input": {}}
CALL = {"type": "tool_use", "id": "tool_1", "name": "f", "input": {}}
ANSWERED = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "tool_1", "content": "1"}]}


def turn(*blocks: dict[str, Any]) -> dict[str, Any]:
    """An assistant turn."""
    return {"role": "assistant", "content": list(blocks)}


LEGAL: list[list[dict[str, Any]]] = [
    [ASK],
    [ASK, {"role": "assistant", "content": "hello"}, GO_ON],
    [ASK, turn(SIGNED, TEXT), GO_ON],
    [ASK, turn(TEXT, SEARCH, FOUND, TEXT), GO_ON],
    [ASK, turn(TEXT, SEARCH)],
    [ASK, turn(SEARCH, CALL), ANSWERED],
    [ASK, turn(SEARCH), turn(FOUND, TEXT), GO_ON],
    [{"role": "user", "content": [BLANK]}],
]


@pytest.mark.parametrize("messages", LEGAL)
def test_legal_history_is_the_same_object(messages: list[dict[str, Any]]) -> None:
    """What the API accepts is not touched: the very same list comes back."""
    assert sendable(messages) is messages


@pytest.mark.parametrize(
    ("blocks", "kept"),
    [
        ([UNSIGNED, TEXT], [TEXT]),
        ([TEXT, BLANK], [TEXT]),
        ([TEXT, SEARCH], [TEXT]),
        ([MCP, TEXT], [TEXT]),
        ([SIGNED, UNSIGNED, BLANK, TEXT, SEARCH], [SIGNED, TEXT]),
    ],
)
def test_what_was_cut_goes(blocks: list[dict[str, Any]], kept: list[dict[str, Any]]) -> None:
    """Unsigned thinking, blank text and unanswered server tools go; the rest stays, the same objects."""
    healed = sendable([ASK, turn(*blocks), GO_ON])
    assert list(healed) == [ASK, turn(*kept), GO_ON]
    assert healed[0] is ASK
    assert healed[2] is GO_ON


@pytest.mark.parametrize("block", [UNSIGNED, BLANK, SEARCH])
def test_a_turn_left_empty_goes(block: dict[str, Any]) -> None:
    """A turn of which nothing is left is left out."""
    assert list(sendable([ASK, turn(block), GO_ON])) == [ASK, GO_ON]


def test_other_hosts_keep_unsigned_thinking() -> None:
    """Where thinking has no signatures it stays."""
    messages = [ASK, turn(UNSIGNED, TEXT), GO_ON]
    assert sendable(messages, unsigned_thinking=True) is messages


def test_an_emptied_turn_of_the_users_own_stays() -> None:
    """A turn that was empty before is not ours to judge."""
    messages = [ASK, turn(), turn(BLANK, TEXT), GO_ON]
    assert list(sendable(messages)) == [ASK, turn(), turn(TEXT), GO_ON]


@given(
    st.lists(
        st.lists(st.sampled_from([TEXT, SIGNED, UNSIGNED, BLANK, SEARCH, FOUND, MCP, CALL]), max_size=6),
        max_size=4,
    )
)
def test_healing_is_idempotent_and_pure(turns: list[list[dict[str, Any]]]) -> None:
    """Healing twice is healing once, and the user's messages are not changed."""
    messages = [ASK, *(turn(*blocks) for blocks in turns), GO_ON]
    before = repr(messages)
    once = sendable(messages)
    assert sendable(once) is once
    assert repr(messages) == before
