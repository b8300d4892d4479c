"""Uses and results belong together; each rule has its cases in ``test_rules.py``."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream.testing.asked import Asked
from resilient_stream.testing.rules import RULES
from resilient_stream.testing.tool_rules import TOOL_RULES

BLOCKS: list[dict[str, Any]] = [
    {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
    {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
    {"type": "mcp_tool_use", "id": "m1", "name": "n", "server_name": "s", "input": {}},
    {"type": "mcp_tool_result", "tool_use_id": "m1", "content": []},
    {"type": "text", "text": "Now the other."},
]
CALLS: list[dict[str, Any]] = [{"type": "tool_use", "id": "t1", "name": "n", "input": {}}]
RESULTS: list[dict[str, Any]] = [{"type": "tool_result", "tool_use_id": "t1", "content": "x"}]


def broken(
    first: list[dict[str, Any]], second: list[dict[str, Any]], third: list[dict[str, Any]]
) -> list[str]:
    """The rules that a conversation breaks: a turn with server tools, one with calls, and their results."""
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": first},
        {"role": "user", "content": "Go on."},
        {"role": "assistant", "content": second},
        {"role": "user", "content": third},
    ]
    asked = Asked({"model": "claude-opus-5", "max_tokens": 1, "messages": messages})
    return [rule.__name__ for rule in TOOL_RULES if rule(asked) is not None]


@pytest.mark.parametrize(
    ("lacks", "breaks"),
    [
        (0, ["server_results_belong"]),
        (1, ["server_tool_results"]),
        (2, ["server_results_belong"]),
        (3, ["server_tool_results"]),
        (4, []),
    ],
)
def test_no_block_of_a_pair_can_be_missing(lacks: int, breaks: list[str]) -> None:
    """A whole conversation keeps every rule; without one block of a pair it breaks one."""
    assert broken(BLOCKS, CALLS, RESULTS) == []
    assert broken([*BLOCKS[:lacks], *BLOCKS[lacks + 1 :]], CALLS, RESULTS) == breaks


def test_calls_and_results_are_neighbours() -> None:
    """A call without its result, a result without its call, and a call that comes twice."""
    assert broken(BLOCKS, CALLS, []) == ["tool_results_follow"]
    assert broken(BLOCKS, [], RESULTS) == ["tool_results_belong"]
    assert broken(BLOCKS, [*CALLS, *CALLS], RESULTS) == ["unique_ids"]


def test_they_are_asked_with_the_others() -> None:
    """Together, in their order."""
    names = [rule.name for rule in RULES]
    at = names.index(TOOL_RULES[0].__name__)
    assert names[at : at + len(TOOL_RULES)] == [rule.__name__ for rule in TOOL_RULES]
