"""A reply of each kind: the SDK knows it, the rules accept it as history, and none is missing."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from anthropic.types import StopReason
from anthropic.types.beta import BetaStopReason

from resilient_stream.testing import StandIn
from resilient_stream.testing.asked import Asked
from resilient_stream.testing.golden import GOLDEN
from resilient_stream.testing.rules import check
from tests.support.stand_ins import ASK, client

KNOWN = {
    *("text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "mcp_tool_use"),
    *("web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result"),
    *("bash_code_execution_tool_result", "text_editor_code_execution_tool_result"),
    *("tool_search_tool_result", "advisor_tool_result", "mcp_tool_result", "mcp_tool_listing"),
    *("container_upload", "compaction", "fallback"),
}
"""The types of content blocks that the API documents."""


def body(name: str) -> dict[str, Any]:
    """The request that a reply answers."""
    return {"model": "claude-opus-5", "max_tokens": 4096, "messages": ASK, **GOLDEN[name].request}


def streamed(name: str) -> Any:
    """The message that the SDK makes of a reply."""
    with StandIn(reply=GOLDEN[name].author()) as server, client(server) as made:
        messages: Any = made.beta.messages if GOLDEN[name].beta else made.messages
        with messages.stream(**body(name)) as stream:
            return stream.get_final_message()


def test_every_kind_of_block_is_there() -> None:
    """And one that nobody knows."""
    kinds = {block["type"] for golden in GOLDEN.values() for block in golden.content}
    assert kinds == KNOWN | {"novel"}


def test_every_stop_reason_is_there() -> None:
    """Those of the SDK that is installed, GA and beta, and perhaps newer ones."""
    told = {golden.reply.reason for golden in GOLDEN.values()}
    assert told >= {*get_args(StopReason), *get_args(BetaStopReason)}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_sdk_puts_it_together(name: str) -> None:
    """All text, all blocks, the stop reason; and it may be sent back as it is, by the rule for its ending."""
    golden, message = GOLDEN[name], streamed(name)
    content = [block.to_dict() for block in message.content]
    assert [block["type"] for block in content] == [block["type"] for block in golden.content]
    assert "".join(block["text"] for block in content if block["type"] == "text") == golden.said
    assert message.stop_reason == golden.reply.reason
    ids = [block["id"] for block in content if block["type"] == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": name, "content": "high"} for name in ids]
    said = [*ASK, {"role": "assistant", "content": content}]
    if message.stop_reason != "pause_turn":
        said.append({"role": "user", "content": [*results, {"type": "text", "text": "Go on."}]})
    container = {"container": message.container.id} if getattr(message, "container", None) else {}
    signatures = {block["signature"] for block in content if block.get("signature")}
    assert check(Asked(body(name) | container | {"messages": said}, signatures=signatures)) is None


def test_a_tool_that_runs_again_has_another_id() -> None:
    """Unless the request has its result."""
    write = GOLDEN["web_search"].author()
    first, second = (write({"messages": ASK}).content[1]["id"] for _ in range(2))
    assert first != second
    known = {"type": "web_search_tool_result", "tool_use_id": first, "content": []}
    third = write({"messages": [{"role": "assistant", "content": [known]}]})
    assert [third.content[1]["id"], third.content[2]["tool_use_id"]] == [first, first]


def test_beta_blocks_are_for_the_beta_namespace() -> None:
    """The SDK's plain namespace has no name for them."""
    kinds = {block["type"] for golden in GOLDEN.values() if not golden.beta for block in golden.content}
    assert not any(kind.startswith(("mcp_", "advisor", "compaction", "fallback")) for kind in kinds)
