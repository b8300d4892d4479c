"""Turns a reply into the events and bytes of the API's stream.

The events have the API's order: ``message_start``, then each block's start, deltas and stop, then
``message_delta`` with the cumulative usage, then ``message_stop``; one ping after the first block's start.
Text, thinking and tool input come in small pieces. A signature comes in one piece before its block stops. All
other blocks are complete in their start. JSON is compact and not escaped.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard, cast

Block = Mapping[str, Any]
Event = dict[str, Any]

CHARS_PER_TOKEN = 4
"""The estimate behind all token counts here; any fixed number would do."""

PING: Event = {"type": "ping"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the author answers to one request.

    ``stop_reason`` None means ``tool_use`` if a tool is called, else ``end_turn``. ``delta`` has more fields
    for ``message_delta.delta`` (``stop_details``, ``container``), ``start`` more for the message in
    ``message_start``, ``usage`` more for both usage objects. A tool's ``input`` that is a string is streamed
    unchanged: it need not be JSON.
    """

    content: Sequence[Block] = ()
    stop_reason: str | None = None
    stop_sequence: str | None = None
    delta: Mapping[str, Any] = field(default_factory=dict[str, Any])
    start: Mapping[str, Any] = field(default_factory=dict[str, Any])
    usage: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def reason(self) -> str:
        """The stop reason that is sent."""
        if self.stop_reason is not None:
            return self.stop_reason
        return "tool_use" if any(block["type"] == "tool_use" for block in self.content) else "end_turn"


def compact(value: object) -> str:
    """JSON as the API writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sign(thinking: str) -> str:
    """The signature that the stand-in gives to a thinking text, and later requires."""
    return base64.b64encode(hashlib.sha256(thinking.encode("utf-8", "surrogatepass")).digest()).decode()


def tokens(characters: int) -> int:
    """Estimated tokens of so many characters, at least one."""
    return max(1, -(-characters // CHARS_PER_TOKEN))


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, Mapping)


def mapping(value: object) -> Mapping[str, Any]:
    """A JSON object; an empty one for any other value."""
    return value if is_object(value) else {}


def listing(value: object) -> Sequence[Any]:
    """A JSON array; an empty one for any other value."""
    return cast("Sequence[Any]", value) if isinstance(value, (list, tuple)) else ()


def characters(value: object) -> int:
    """The number of characters in all strings of a JSON value, without keys."""
    if isinstance(value, str):
        return len(value)
    return sum(characters(inner) for inner in (*mapping(value).values(), *listing(value)))


def input_tokens(request: Mapping[str, Any]) -> int:
    """Estimated input tokens of a request: system, tools and messages."""
    return tokens(sum(characters(request.get(part)) for part in ("system", "tools", "messages")))


def output_tokens(content: Iterable[Block]) -> int:
    """Estimated output tokens of blocks: text, thinking and tool input."""
    size = 0
    for block in content:
        size += len(block.get("text", "")) + len(block.get("thinking", ""))
        size += len(compact(block["input"])) if "input" in block else 0
    return tokens(size)


def complete(block: Block) -> dict[str, Any]:
    """A block with what the API always adds: a signature, an empty input."""
    match block["type"]:
        case "thinking":
            return {"signature": sign(block["thinking"]), **block}
        case "tool_use" | "server_tool_use" | "mcp_tool_use":
            return {"input": {}, **block}
        case _:
            return dict(block)


def message(reply: Reply, *, message_id: str, model: str, input_tokens: int) -> dict[str, Any]:
    """The whole message, as the answer to a request without streaming."""
    thought = sum(len(block.get("thinking", "")) for block in reply.content)
    usage: dict[str, Any] = {
        "input_tokens": input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output_tokens(reply.content),
        "service_tier": "standard",
    }
    if thought:
        usage["output_tokens_details"] = {"thinking_tokens": tokens(thought)}
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [complete(block) for block in reply.content],
        "stop_reason": reply.reason,
        "stop_sequence": reply.stop_sequence,
        "usage": usage | dict(reply.usage),
        **reply.start,
        **reply.delta,
    }


def pieces(text: str, size: int) -> Iterator[str]:
    """``text`` in pieces of ``size`` characters."""
    return (text[at : at + size] for at in range(0, len(text), size))


def block_events(index: int, block: Block, size: int) -> Iterator[Event]:
    """Start, deltas and stop of one block."""
    start = dict(block)
    deltas: list[Event] = []
    match block["type"]:
        case "text":
            cited = block.get("citations") or ()
            start |= {"text": ""} | ({"citations": []} if cited else {})
            deltas += [{"type": "text_delta", "text": piece} for piece in pieces(block["text"], size)]
            deltas += [{"type": "citations_delta", "citation": citation} for citation in cited]
        case "thinking":
            start |= {"thinking": "", "signature": ""}
            thoughts = list(pieces(block["thinking"], size)) or [""]
            deltas += [{"type": "thinking_delta", "thinking": piece} for piece in thoughts]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        case "tool_use" | "server_tool_use" | "mcp_tool_use":
            start |= {"input": {}}
            given = block["input"]
            written = given if isinstance(given, str) else compact(given) if given else ""
            deltas.append({"type": "input_json_delta", "partial_json": ""})
            deltas += [{"type": "input_json_delta", "partial_json": piece} for piece in pieces(written, size)]
        case "compaction":
            start = {"type": "compaction", "content": None}
            deltas.append({**block, "type": "compaction_delta"})
        case _:
            pass
    yield {"type": "content_block_start", "index": index, "content_block": start}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def message_events(
    whole: Mapping[str, Any],
    *,
    delta_size: int = 16,
    ping: bool = True,
    start: Mapping[str, Any] | None = None,
) -> list[Event]:
    """The events that stream a whole message; ``start`` has fields for ``message_start`` that may also come
    later."""
    usage: Mapping[str, Any] = whole["usage"]
    ending = {"stop_reason", "stop_sequence", "stop_details", "container"}
    opened = {name: value for name, value in whole.items() if name != "container"}
    opened |= {"content": [], "stop_reason": None, "stop_sequence": None, **(start or {})}
    if "stop_details" in whole:
        opened["stop_details"] = None
    opened["usage"] = {name: value for name, value in usage.items() if name != "output_tokens_details"}
    opened["usage"]["output_tokens"] = 1
    events: list[Event] = [{"type": "message_start", "message": opened}]
    for index, block in enumerate(whole["content"]):
        told = list(block_events(index, block, delta_size))
        events += [told[0], PING, *told[1:]] if ping and index == 0 else told
    closing = {name: value for name, value in usage.items() if name not in ("cache_creation", "service_tier")}
    delta = {name: value for name, value in whole.items() if name in ending}
    events += [{"type": "message_delta", "delta": delta, "usage": closing}, {"type": "message_stop"}]
    return events


def sse_event(event: Mapping[str, Any], name: str | None = None) -> bytes:
    """One event in the API's bytes; ``name`` replaces the ``event:`` name."""
    said = f"event: {name or event['type']}\ndata: {compact(event)}\n\n"
    return said.encode("utf-8", "backslashreplace")  # a lone surrogate becomes its JSON escape


def sse_events(
    content: str | Sequence[Block] | Reply,
    *,
    model: str = "claude-opus-5",
    message_id: str = "msg_01StandIn",
    delta_size: int = 16,
    ping: bool = True,
    input_tokens: int = 10,
) -> list[bytes]:
    """The whole stream of one message, one ``bytes`` per event; join them for the body."""
    reply = as_reply(content)
    whole = message(reply, message_id=message_id, model=model, input_tokens=input_tokens)
    told = message_events(whole, delta_size=delta_size, ping=ping, start=reply.start)
    return [sse_event(event) for event in told]


def as_reply(content: str | Sequence[Block] | Reply) -> Reply:
    """A text, a list of blocks or a reply, as a reply."""
    if isinstance(content, Reply):
        return content
    if isinstance(content, str):
        return Reply([{"type": "text", "text": content}])
    return Reply(tuple(content))
