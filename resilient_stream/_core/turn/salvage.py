"""Decides which parts of a broken turn may be sent back, and what prevents a continuation.

Text is kept. Thinking is kept when it is signed, and never in last place. A server-side
tool use is kept only with its result; without one it may run again if that is harmless. A complete tool call
of the client ends the turn. If one model was replaced by another, the thinking and the calls of the one that
declined are left out [platform docs, "Refusals and fallback"]. A block of an unknown type prevents a
continuation, because the library would have to guess what it means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from resilient_stream._core.failures import is_word
from resilient_stream._core.wire import safe_json

from .transcript import SERVER_TOOL_USES, Block, Turn, answers

_HARMLESS: Final = ("web_search", "web_fetch", "tool_search")
"""Server tools that only read: they may run again."""

_WHOLE_IN_START: Final = frozenset({"container_upload", "mcp_tool_listing", "fallback"})
"""Blocks that are complete in their start, as all results are, and are sent back unchanged."""
_PRELUDES: Final = frozenset({"mcp_tool_listing", "fallback"})
"""Blocks that announce what will answer, and contain no answer."""
_THINKING: Final = frozenset({"thinking", "redacted_thinking"})
_DECLINED: Final = _THINKING | {"tool_use"}
_LONE_HALVES: Final = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class Salvage:
    """The blocks that may be sent, whether the turn is finished, and why it can't be continued."""

    blocks: list[dict[str, Any]] = field(default_factory=list)
    tools_complete: bool = False
    call_cut: bool = False
    """A tool call was cut of which the consumer has a part."""
    blocked: str | None = None

    @property
    def text(self) -> str:
        """The text at the very end; empty if the last block is not text."""
        return self.blocks[-1]["text"] if self.blocks and self.blocks[-1]["type"] == "text" else ""


def salvage(turn: Turn, *, rerun_server_tools: bool = False, keep_thinking: bool = True) -> Salvage:
    """Decide which blocks of a turn may be kept.

    Args:
        turn: what the consumer has.
        rerun_server_tools: whether server tools with side effects may run again.
        keep_thinking: False leaves all thinking out.
    """
    kept = Salvage()
    answered = answers(block.start for block in turn.blocks)
    declined = max((at for at, block in enumerate(turn.blocks) if block.type == "fallback"), default=0)
    for at, block in enumerate((*turn.blocks, *turn.unseen)):
        if at < declined and block.type in _DECLINED:
            continue
        if block.type in _THINKING:
            if keep_thinking and block.signed and _sendable_unchanged(block):
                _keep_thinking(kept, block)
        else:
            _keep(kept, block, answered, rerun_server_tools=rerun_server_tools)
    if kept.tools_complete and any(map(_dangerous_as_it_stands, turn.blocks)):
        # With the results of the calls beside it, the API would run the incomplete call.
        kept.call_cut = True
        kept.blocked = "a server tool was cut off, and the API would run the incomplete call"
    sent = {str(block.get("id")) for block in kept.blocks}
    uses = {str(block.start.get("id")) for block in turn.blocks if block.type in SERVER_TOOL_USES}
    lost = uses - sent
    kept.blocks = [block for block in kept.blocks if not answers([block]) & lost]
    _end_without_thinking(kept.blocks)
    kept.blocks = safe_json.encodable(kept.blocks)
    return kept


def partial(turn: Turn) -> list[dict[str, Any]]:
    """The turn so far as content that is valid in a history. Tool calls are kept only if the turn ended with
    them, because elsewhere no result will follow."""
    blocks = salvage(turn).blocks
    if turn.stop_reason != "tool_use":
        blocks = [block for block in blocks if block["type"] != "tool_use"]
    _end_without_thinking(blocks)
    return blocks


def kept_size(turn: Turn) -> int:
    """A number that grows whenever a turn gets more content that will be kept.

    Content that was cut off and is asked for again (a thought, a search without its result) does not count,
    nor does white space at the end, nor what every reply may begin with.
    """
    blocks = [block for block in salvage(turn).blocks if block["type"] not in _PRELUDES]
    return sum(1 + len((b.get("text") or "").rstrip()) + len(b.get("citations") or ()) for b in blocks)


def _end_without_thinking(blocks: list[dict[str, Any]]) -> None:
    while blocks and blocks[-1]["type"] in _THINKING:
        blocks.pop()


def _sendable_unchanged(block: Block) -> bool:
    """Whether a request can contain a block of thinking: its signature covers every character."""
    return safe_json.is_encodable(block.param())


def _keep_thinking(kept: Salvage, block: Block) -> None:
    if block.opaque:
        kept.blocked = "a thinking block has content that is not understood"
    else:
        kept.blocks.append(block.param())


def _keep(kept: Salvage, block: Block, answered: frozenset[str], *, rerun_server_tools: bool) -> None:
    if block.opaque:
        kept.blocked = f"{_named(block)} has content that is not understood"
    elif block.type == "text":
        param = _whole_characters(block.param())
        if param["text"].strip():
            kept.blocks.append(param)
    elif block.type == "tool_use":
        if block.closed and block.parses:
            kept.tools_complete = True
            kept.blocks.append(block.param())
        else:
            kept.call_cut = True
            kept.blocked = "a tool call was cut after a part of its input was delivered"
    elif block.type in SERVER_TOOL_USES:
        _keep_server_tool(kept, block, answered, rerun_server_tools=rerun_server_tools)
    elif block.type in _WHOLE_IN_START or block.type.endswith("_tool_result"):
        kept.blocks.append(block.param())
    elif block.type == "compaction":
        if block.patch or block.start.get("content"):
            kept.blocks.append(block.param())
    else:
        kept.blocked = f"{_named(block)} is not understood"


def _keep_server_tool(
    kept: Salvage, block: Block, answered: frozenset[str], *, rerun_server_tools: bool
) -> None:
    name = block.start.get("name")
    tool = f"the server tool {name}" if is_word(name) else "a server tool"
    if block.closed and str(block.start.get("id")) in answered:
        if block.parses:
            kept.blocks.append(block.param())
        else:
            kept.blocked = f"the input of {tool} is broken"
    elif not (rerun_server_tools or harmless(block.start)):
        kept.blocked = f"{tool} was cut off and may have side effects if it runs again"


def _dangerous_as_it_stands(block: Block) -> bool:
    """Whether a server tool use was cut inside its input, and may have effects."""
    cut = block.type in SERVER_TOOL_USES and not (block.closed and block.parses)
    return cut and not harmless(block.start)


def harmless(use: Mapping[str, Any]) -> bool:
    """Whether a server tool use may run again."""
    return use.get("type") != "mcp_tool_use" and str(use.get("name")).startswith(_HARMLESS)


def pending(request: Mapping[str, Any], turn: Turn) -> list[Mapping[str, Any]]:
    """The server tool uses that the assistant turn at the request's end waits for, as a paused turn does, and
    for which ``turn`` has no result."""
    messages = request.get("messages") or [{}]
    content = messages[-1].get("content") if messages[-1].get("role") == "assistant" else None
    blocks = content if isinstance(content, list) else []
    answered = answers((*blocks, *(block.start for block in turn.blocks)))
    uses = [block for block in blocks if block.get("type") in SERVER_TOOL_USES]
    return [use for use in uses if str(use.get("id")) not in answered]


def _named(block: Block) -> str:
    return f"a {block.type} block" if is_word(block.type) else "a block of an unknown type"


def _whole_characters(param: dict[str, Any]) -> dict[str, Any]:
    """The block without lone halves of surrogate pairs, which no request can contain."""
    return param | {"text": _LONE_HALVES.sub("", param["text"])}
