"""A request as the rules see it."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream.testing.asked import Asked
from tests.support.stand_ins import ASK, request


def final(content: Any) -> list[Any]:
    """The prefill of a request that ends with an assistant turn."""
    return list(Asked(request([*ASK, {"role": "assistant", "content": content}])).final)


def test_a_final_assistant_turn_is_a_prefill() -> None:
    """Text at the end of the conversation is there to be continued."""
    assert final("Hello") == [{"type": "text", "text": "Hello"}]
    assert Asked(request()).final == []


@pytest.mark.parametrize("kind", ["server_tool_use", "mcp_tool_use", "web_search_tool_result"])
def test_a_paused_turn_is_no_prefill(kind: str) -> None:
    """A turn that ends in a server's tool is handed back as it was."""
    assert final([{"type": "text", "text": "x"}, {"type": kind}]) == []


def test_an_empty_final_turn_is_no_prefill() -> None:
    """There is nothing to go on from."""
    assert final("") == final([]) == []


@pytest.mark.parametrize(
    ("thinking", "mode", "budget"),
    [
        (None, "disabled", None),
        ({"type": "disabled"}, "disabled", None),
        ({"type": "enabled", "budget_tokens": 2048}, "enabled", 2048),
        ({"type": "enabled"}, "enabled", None),
        ({"type": "adaptive", "budget_tokens": 7}, "adaptive", None),
        ("on", "disabled", None),
    ],
)
def test_the_thinking_mode_is_read(thinking: Any, mode: str, budget: int | None) -> None:
    """A budget counts in manual mode only; what is no object is no mode."""
    asked = Asked(request(thinking=thinking))
    assert (asked.thinking, asked.budget) == (mode, budget)


@pytest.mark.parametrize(
    ("choice", "forced"),
    [(None, False), ({"type": "auto"}, False), ({"type": "any"}, True), ({"type": "tool"}, True)],
)
def test_a_forced_tool_is_seen(choice: Any, forced: bool) -> None:
    """``any`` and ``tool`` leave the model no choice."""
    assert Asked(request(tool_choice=choice)).forced is forced


@pytest.mark.parametrize("messages", [None, "text", 3, ["text", 3]])
def test_what_is_no_message_is_left_to_the_rules(messages: Any) -> None:
    """Reading a malformed request does not fail."""
    assert list(Asked({"messages": messages}).blocks()) == []
