"""A reply of each kind that the API sends: every family of content blocks, and every stop reason.

`GOLDEN` has them by name. They are short, so that a stream of one can be cut at every byte. Each text is long
enough to be quoted, and no passage of it occurs twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from .continuations import blocks_of
from .transcript import Block, Reply

TOOLS: Final = [{"name": "look_up", "input_schema": {"type": "object"}}]
THINKS: Final[Mapping[str, Any]] = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
ADAPTS: Final[Mapping[str, Any]] = {"thinking": {"type": "adaptive", "display": "summarized"}}
OMITS: Final[Mapping[str, Any]] = {"thinking": {"type": "adaptive", "display": "omitted"}}

FIRST: Final = "Spring tides come twice a month: at new moon, and again when it is full. "
SECOND: Final = (
    "Between them lie the neaps; caf\u00e9s by the quay \u2014 \u6f6e\u306e\u9593 \U0001f30a \u2014 stay dry."
)


@dataclass(frozen=True, slots=True)
class Golden:
    """A reply, and what a request must contain to get it.

    ``delta``, ``start`` and ``stop_reason`` are those of :class:`~.transcript.Reply`. ``beta`` is True if
    only ``client.beta`` knows the blocks. ``stops`` says why the reply can't be continued if it was cut at
    certain places; it is empty if it can always be continued.
    """

    content: tuple[Block, ...]
    request: Mapping[str, Any] = field(default_factory=dict[str, Any])
    stop_reason: str | None = None
    delta: Mapping[str, Any] = field(default_factory=dict[str, Any])
    start: Mapping[str, Any] = field(default_factory=dict[str, Any])
    beta: bool = False
    stops: str = ""

    @property
    def said(self) -> str:
        """All its text."""
        return "".join(block["text"] for block in self.content if block["type"] == "text")

    @property
    def reply(self) -> Reply:
        """The reply for the author."""
        return Reply(self.content, self.stop_reason, delta=self.delta, start=self.start)

    def author(self) -> Callable[[Mapping[str, Any]], Reply]:
        """An author that sends the reply to each request. As with the API, a server tool that runs again has
        another id."""
        numbers = itertools.count(1)

        def write(request: Mapping[str, Any]) -> Reply:
            number = next(numbers)
            known = [
                str(block["tool_use_id"])
                for message in request["messages"]
                for block in blocks_of(message)
                if str(block.get("type")).endswith("_tool_result")
            ]
            named = tuple(_named(block, known, number) for block in self.content)
            return Reply(named, self.stop_reason, delta=self.delta, start=self.start)

        return write


def _named(block: Block, known: list[str], number: int) -> Block:
    """A block of a server tool under the id that the request has for it, or a new id."""
    key = "id" if block["type"] in ("server_tool_use", "mcp_tool_use") else "tool_use_id"
    if key not in block:
        return block
    name = next((each for each in known if each.startswith(block[key])), f"{block[key]}_{number}")
    return {**block, key: name}


def text(said: str, *citations: Block) -> Block:
    """A text block."""
    return {"type": "text", "text": said, "citations": list(citations)} if citations else _text(said)


def _text(said: str) -> Block:
    return {"type": "text", "text": said}


def thought(said: str = "The moon first, then the wind.") -> Block:
    """A thinking block; the stand-in signs it."""
    return {"type": "thinking", "thinking": said}


def call(number: int = 1, **more: Any) -> Block:
    """A call of the client's tool."""
    given = {"word": "tide", "n": number}
    return {"type": "tool_use", "id": f"toolu_{number:02d}", "name": "look_up", "input": given, **more}


def use(name: str, given: Mapping[str, Any], result: Mapping[str, Any] | list[Any]) -> tuple[Block, Block]:
    """A tool use that the server runs, and its result."""
    kind = "tool_search" if name.startswith("tool_search_tool") else name
    name_of_it = f"srvtoolu_{name}"
    return (
        {"type": "server_tool_use", "id": name_of_it, "name": name, "input": dict(given)},
        {"type": f"{kind}_tool_result", "tool_use_id": name_of_it, "content": result},
    )


PAGE: Final = {
    "type": "web_search_result",
    "url": "https://tides.example",
    "title": "Tides",
    "page_age": None,
}
SEARCHED: Final = use("web_search", {"query": "spring tide"}, [PAGE | {"encrypted_content": "c2VjcmV0"}])
DOCUMENT: Final = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": "High water."},
    "title": None,
    "citations": None,
}
FETCHED: Final = use(
    "web_fetch",
    {"url": "https://tides.example"},
    {"type": "web_fetch_result", "url": "https://tides.example", "content": DOCUMENT, "retrieved_at": None},
)
RAN: Final = use(
    "code_execution",
    {"code": "print(1)"},
    {"type": "code_execution_result", "stdout": "1\n", "stderr": "", "return_code": 0, "content": []},
)
BASHED: Final = use(
    "bash_code_execution",
    {"command": "ls"},
    {"type": "bash_code_execution_result", "stdout": "a\n", "stderr": "", "return_code": 0, "content": []},
)
EDITED: Final = use(
    "text_editor_code_execution",
    {"command": "create", "path": "a"},
    {"type": "text_editor_code_execution_create_result", "is_file_update": False},
)
FOUND: Final = use(
    "tool_search_tool_regex",
    {"pattern": "look"},
    {
        "type": "tool_search_tool_search_result",
        "tool_references": [{"type": "tool_reference", "tool_name": "look_up"}],
    },
)
ADVISED: Final = use("advisor", {}, {"type": "advisor_result", "text": "Mind the wind."})
LISTED: Final[Block] = {"type": "mcp_tool_listing", "mcp_server_name": "harbour", "tools": []}
BOOKED: Final[tuple[Block, Block]] = (
    {
        "type": "mcp_tool_use",
        "id": "mcptoolu_1",
        "name": "book",
        "server_name": "harbour",
        "input": {"berth": 4},
    },
    {
        "type": "mcp_tool_result",
        "tool_use_id": "mcptoolu_1",
        "is_error": False,
        "content": [{"type": "text", "text": "booked"}],
    },
)
CITATION: Final = {
    "type": "web_search_result_location",
    "cited_text": "Spring tides",
    "encrypted_index": "aW5kZXg=",
    "title": "Tides",
    "url": "https://tides.example",
}
FELL_BACK: Final[Block] = {
    "type": "fallback",
    "from": {"model": "claude-fable-5"},
    "to": {"model": "claude-opus-5"},
    "trigger": {"type": "refusal", "category": None},
}
CONTAINER: Final = {"container": {"id": "container_01", "expires_at": "2026-12-01T00:00:00Z"}}
BY_CODE: Final = {"caller": {"type": "code_execution_20260120", "tool_id": "srvtoolu_code_execution"}}

EFFECTS: Final = "side effects"

GOLDEN: Final[Mapping[str, Golden]] = MappingProxyType(
    {
        "text": Golden((text(FIRST + SECOND),)),
        "texts": Golden((text(FIRST), text(SECOND))),
        "citations": Golden((text("So: "), text(FIRST, CITATION, CITATION), text(SECOND))),
        "call": Golden((text(FIRST), call()), {"tools": TOOLS}),
        "parallel_calls": Golden((text(FIRST), call(1), call(2)), {"tools": TOOLS}),
        "calls_alone": Golden((call(1), call(2, input={})), {"tools": TOOLS}),
        "eager_input": Golden(
            (text(FIRST), call(1, input='{"word": "ti')),
            {"tools": [{**TOOLS[0], "eager_input_streaming": True}]},
            "max_tokens",
        ),
        "thinking": Golden((thought(), text(FIRST + SECOND)), THINKS),
        "thinking_adaptive": Golden(
            (thought(), text(FIRST), thought("Now the neaps."), text(SECOND)), ADAPTS
        ),
        "thinking_omitted": Golden((thought(""), text(FIRST)), OMITS),
        "thinking_redacted": Golden(
            ({"type": "redacted_thinking", "data": "ZW5jcnlwdGVk"}, thought(), text(FIRST)), THINKS
        ),
        "thinking_interleaved": Golden(
            (thought(), text(FIRST), thought("Look it up."), call()), {**ADAPTS, "tools": TOOLS}
        ),
        "web_search": Golden(
            (text("I look. "), *SEARCHED, text(FIRST, CITATION), text(SECOND)),
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        ),
        "web_fetch": Golden(
            (text(FIRST), *FETCHED, text(SECOND)),
            {"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]},
        ),
        "code_execution": Golden(
            (text(FIRST), *RAN, text(SECOND)),
            {"tools": [{"type": "code_execution_20250522", "name": "code_execution"}]},
            delta=CONTAINER,
            stops=EFFECTS,
        ),
        "code_execution_tools": Golden(
            (text(FIRST), *BASHED, *EDITED, {"type": "container_upload", "file_id": "file_1"}, text(SECOND)),
            {"tools": [{"type": "code_execution_20260120", "name": "code_execution"}]},
            start=CONTAINER,
            delta=CONTAINER,
            stops=EFFECTS,
        ),
        "programmatic_call": Golden(
            (text(FIRST), RAN[0], call(1, **BY_CODE)),
            {"tools": TOOLS, "container": "container_01"},
            start=CONTAINER,
            delta=CONTAINER,
            stops=EFFECTS,
        ),
        "programmatic_call_late": Golden(
            (text(FIRST), RAN[0], call(1, **BY_CODE)), {"tools": TOOLS}, delta=CONTAINER, stops="code"
        ),
        "tool_search": Golden((text(FIRST), *FOUND, call()), {"tools": TOOLS}),
        "server_and_client": Golden((text(FIRST), *SEARCHED, call()), {"tools": TOOLS}),
        "mcp": Golden((LISTED, text(FIRST), *BOOKED, text(SECOND)), beta=True, stops=EFFECTS),
        "advisor": Golden((text(FIRST), *ADVISED, text(SECOND)), beta=True, stops=EFFECTS),
        "compaction": Golden(
            (
                {"type": "compaction", "content": "They spoke of tides.", "encrypted_content": "ZQ=="},
                text(FIRST),
            ),
            beta=True,
        ),
        "compaction_pause": Golden(
            ({"type": "compaction", "content": "They spoke of tides.", "encrypted_content": None},),
            stop_reason="compaction",
            beta=True,
        ),
        "fallback": Golden(
            (thought(), text(FIRST), FELL_BACK, thought("It is harmless."), text(SECOND)), ADAPTS, beta=True
        ),
        "unknown_block": Golden(
            (text(FIRST), {"type": "novel", "novel": 1}, text(SECOND)), stops="not understood"
        ),
        "stop_sequence": Golden((text(FIRST),), stop_reason="stop_sequence"),
        "max_tokens": Golden((text(FIRST),), stop_reason="max_tokens"),
        "context_window": Golden((text(FIRST),), stop_reason="model_context_window_exceeded"),
        "paused": Golden(
            (text(FIRST), SEARCHED[0]),
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
            "pause_turn",
        ),
        "refusal": Golden(
            (text(FIRST),),
            stop_reason="refusal",
            delta={"stop_details": {"type": "refusal", "category": "cyber", "explanation": None}},
        ),
    }
)
"""The replies by name."""
