"""Content blocks of every type, and a text with all that makes a seam hard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .streams import Json

PROSE = (
    "# Tides\n\nThe sea rises  twice a day, café to café — never alike.\n\n"
    '- “one”\n- two\n\n```python\nx = {1: "a\\\\b"}\n```\n\n潮の記録は続く。海面上昇 👨‍👩‍👧 fin.'
)
"""Text with all that makes a seam hard: headings, double spaces, code, CJK, joined emoji."""

THOUGHT: Json = {
    "type": "thinking",
    "thinking": "First I look at the moon, then at the sea.",
    "signature": "c2lnMQ==",
}
OMITTED: Json = {"type": "thinking", "thinking": "", "signature": "c2lnMg=="}
REDACTED: Json = {"type": "redacted_thinking", "data": "ZW5jcnlwdGVk"}
CALL: Json = {
    "type": "tool_use",
    "id": "toolu_1",
    "name": "gauge",
    "input": {"place": "north pier", "hour": 7},
}
OTHER_CALL: Json = {"type": "tool_use", "id": "toolu_2", "name": "gauge", "input": {"place": "old lock"}}
BARE_CALL: Json = {"type": "tool_use", "id": "toolu_3", "name": "now", "input": {}}
SEARCH: Json = {
    "type": "server_tool_use",
    "id": "srvtoolu_1",
    "name": "web_search",
    "input": {"query": "tide table"},
}
FOUND: Json = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [
        {"type": "web_search_result", "url": "https://tides.example", "title": "T", "encrypted_content": "xx"}
    ],
}
CODE: Json = {
    "type": "server_tool_use",
    "id": "srvtoolu_2",
    "name": "bash_code_execution",
    "input": {"command": "ls"},
}
RAN: Json = {
    "type": "bash_code_execution_tool_result",
    "tool_use_id": "srvtoolu_2",
    "content": {"type": "bash_code_execution_tool_result_error", "error_code": "unavailable"},
}
MCP: Json = {
    "type": "mcp_tool_use",
    "id": "mcptoolu_1",
    "name": "book",
    "server_name": "s",
    "input": {"seat": 4},
}
BOOKED: Json = {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": False, "content": []}
CITED: Json = {
    "type": "text",
    "text": "High water is at seven.",
    "citations": [{"type": "char_location", "cited_text": "seven", "document_index": 0}],
}


def text(content: str) -> Json:
    """A text block."""
    return {"type": "text", "text": content}


def texts(contents: Iterable[Mapping[str, Any]]) -> str:
    """All visible text of blocks."""
    return "".join(one["text"] for one in contents if one["type"] == "text")
