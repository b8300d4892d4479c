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
REDACTED = {"type": "redacted_thinking", "data": "ZGF0YQ=="}
SEARCH = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []}
MCP = {"type": "mcp_tool_use", "id": "mcp_1", "name": "ask", "server_name": "s", "input": {}}
CALL = {"type": "tool_use", "id": "tool_1", "name": "f", "input": {}}
BY_CODE = CALL | {"caller": {"type": "code_execution_20260120", "tool_id": "srv_2"}}
CODE = {"type": "server_tool_use", "id": "srv_2", "name": "code_execution", "input": {"code": "f()"}}
RAN = {"type": "code_execution_tool_result", "tool_use_id": "srv_2", "content": {}}
COMPACTED = {"type": "compaction", "content": None}
FELL_BACK = {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}, "trigger": {}}
NOVEL = {"type": "novel", "text": ""}
BOOKED = {"type": "mcp_tool_result", "tool_use_id": "mcp_1", "content": []}
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
    [ASK, turn(TEXT, SIGNED), GO_ON],
    [ASK, turn(CODE, BY_CODE), ANSWERED],
    [ASK, turn(CODE, BY_CODE), ANSWERED, turn(RAN, TEXT), GO_ON],
    [ASK, turn(COMPACTED, TEXT, FELL_BACK, TEXT, NOVEL), GO_ON],
    [ASK, turn(MCP)],
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
        ([TEXT, SIGNED, REDACTED, SEARCH], [TEXT]),
        ([TEXT, SIGNED, BLANK], [TEXT]),
        ([BLANK, TEXT, SIGNED], [TEXT, SIGNED]),
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


BLOCKS: list[dict[str, Any]] = [
    TEXT,
    SIGNED,
    REDACTED,
    UNSIGNED,
    BLANK,
    SEARCH,
    FOUND,
    MCP,
    BOOKED,
    CALL,
    CODE,
    RAN,
    COMPACTED,
    FELL_BACK,
    NOVEL,
]
TURNS = st.lists(
    st.tuples(
        st.sampled_from(["assistant", "assistant", "user"]), st.lists(st.sampled_from(BLOCKS), max_size=6)
    ),
    min_size=1,
    max_size=5,
)


def goes(messages: list[dict[str, Any]], at: int, place: int) -> bool:
    """Whether a block of an assistant turn is one that the API would refuse: the rule, spelt out."""
    block = messages[at]["content"][place]
    if block["type"] == "thinking":
        return not block["signature"]
    if block["type"] == "text":
        return not block["text"].strip()
    if block["type"] not in ("server_tool_use", "mcp_tool_use"):
        return False
    later = [*messages[at]["content"][place + 1 :]]
    later += [
        other
        for message in messages[at + 1 :]
        if message["role"] == "assistant"
        for other in message["content"]
    ]
    return (
        at < len(messages) - 1
        and all(other["type"] != "tool_use" for other in messages[at]["content"])
        and all(other.get("tool_use_id") != block["id"] for other in later)
    )


@given(TURNS)
def test_exactly_what_was_cut_goes(turns: list[tuple[str, list[dict[str, Any]]]]) -> None:
    """Of assistant turns, by the rule, with the thinking that would be left in last place; nothing else does."""
    messages: list[dict[str, Any]] = [{"role": role, "content": list(blocks)} for role, blocks in turns]
    wanted: list[dict[str, Any]] = []
    for at, message in enumerate(messages):
        kept = list(message["content"])
        if message["role"] == "assistant":
            kept = [block for place, block in enumerate(kept) if not goes(messages, at, place)]
            while kept and kept[-1] is not message["content"][-1] and kept[-1] in (SIGNED, REDACTED):
                kept.pop()
        if len(kept) == len(message["content"]):
            wanted.append(message)
        elif kept:
            wanted.append({**message, "content": kept})
    healed = sendable(messages)
    assert list(healed) == wanted
    assert (healed is messages) == (wanted == messages)
    untouched = [mine is theirs for mine, theirs in zip(healed, wanted, strict=True) if theirs in messages]
    assert sum(untouched) == sum(any(one is other for other in messages) for one in wanted)


@given(TURNS)
def test_healing_is_idempotent_and_pure(turns: list[tuple[str, list[dict[str, Any]]]]) -> None:
    """Healing twice is healing once, and the user's messages are not changed."""
    messages = [ASK, *({"role": role, "content": blocks} for role, blocks in turns), GO_ON]
    before = repr(messages)
    once = sendable(messages)
    assert sendable(once) is once
    assert repr(messages) == before


def test_strange_ids_crash_nothing() -> None:
    """Ids that can't be hashed are compared all the same."""
    odd: list[dict[str, Any]] = [SEARCH | {"id": ["x"]}, FOUND | {"tool_use_id": ["x"]}, TEXT]
    messages = [ASK, turn(*odd), GO_ON]
    assert sendable(messages) is messages


HALF = "News \ud83d"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"role": "assistant", "content": HALF}, {"role": "assistant", "content": "News \ufffd"}),
        (turn(TEXT | {"text": HALF}), turn(TEXT | {"text": "News \ufffd"})),
        (turn(CALL | {"input": {HALF: float("nan")}}), turn(CALL | {"input": {"News \ufffd": None}})),
        (
            turn(SEARCH, FOUND | {"content": [{"title": HALF}]}, TEXT),
            turn(SEARCH, FOUND | {"content": [{"title": "News \ufffd"}]}, TEXT),
        ),
        (turn(SIGNED | {"thinking": HALF}, TEXT), turn(TEXT)),
        (turn(REDACTED | {"data": HALF}, TEXT), turn(TEXT)),
    ],
)
def test_what_no_request_can_carry_is_replaced(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Half of a pair and NaN would fail when the request is written; thinking that has them goes, signed or not."""
    assert sendable([ASK, before, GO_ON]) == [ASK, after, GO_ON]


def test_thinking_for_other_hosts_is_repaired() -> None:
    """Where thinking needs no signature it stays."""
    spoilt = turn(UNSIGNED | {"thinking": HALF}, TEXT)
    kept = sendable([ASK, spoilt, GO_ON], unsigned_thinking=True)
    assert kept == [ASK, turn(UNSIGNED | {"thinking": "News \ufffd"}, TEXT), GO_ON]


def test_the_users_own_turns_are_not_touched() -> None:
    """What the user wrote is the user's."""
    messages = [{"role": "user", "content": HALF}]
    assert sendable(messages) is messages
