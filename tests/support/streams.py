"""Streams in bytes: one event, one block, one message."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]


PREFILLED = "claude-sonnet-4-5-20250929"
"""A model that continues a trailing assistant turn."""
MODERN = "claude-opus-5"
"""One that does not."""


def frame(event: Mapping[str, Any], *, spaced: bool = True) -> bytes:
    """One event in bytes, spelled as the API does (or without spaces, as some hosts do)."""
    separators = (", ", ": ") if spaced else (",", ":")
    data = json.dumps(event, ensure_ascii=False, separators=separators)
    return f"event: {event['type']}\ndata: {data}\n\n".encode("utf-8", "backslashreplace")


def start(**message: Any) -> bytes:
    """A ``message_start``."""
    whole = {
        "id": "msg_first",
        "type": "message",
        "role": "assistant",
        "model": MODERN,
        "content": [],
        "usage": {"input_tokens": 25, "output_tokens": 1},
    }
    return frame({"type": "message_start", "message": whole | message})


def ending(stop_reason: str | None = "end_turn", output: int = 40, **delta: Any) -> bytes:
    """A ``message_delta`` with a stop reason."""
    return frame(
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason, "stop_sequence": None, **delta},
            "usage": {"output_tokens": output},
        }
    )


def block_start(index: int, block: Mapping[str, Any]) -> bytes:
    """A ``content_block_start``."""
    return frame({"type": "content_block_start", "index": index, "content_block": dict(block)})


def delta(index: int, **fields: Any) -> bytes:
    """A ``content_block_delta``."""
    return frame({"type": "content_block_delta", "index": index, "delta": fields})


def text_delta(index: int, text: str) -> bytes:
    """A delta of text."""
    return delta(index, type="text_delta", text=text)


def block_stop(index: int) -> bytes:
    """A ``content_block_stop``."""
    return frame({"type": "content_block_stop", "index": index})


STOP = frame({"type": "message_stop"})
PING = frame({"type": "ping"})
ERROR = frame({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})


def pieces(text: str, size: int) -> list[str]:
    """``text`` in pieces of ``size`` characters."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def block(index: int, content: Mapping[str, Any], size: int = 12) -> list[bytes]:
    """All frames of one block."""
    kind = content["type"]
    if kind == "text":
        bare: dict[str, Any] = {"type": "text", "text": ""} | (
            {"citations": []} if "citations" in content else {}
        )
        cited = [delta(index, type="citations_delta", citation=one) for one in content.get("citations") or ()]
        grown = [text_delta(index, piece) for piece in pieces(content["text"], size)]
        return [block_start(index, bare), *grown, *cited, block_stop(index)]
    if kind == "thinking":
        grown = [
            delta(index, type="thinking_delta", thinking=piece)
            for piece in pieces(content["thinking"], size) or [""]
        ]
        signed = delta(index, type="signature_delta", signature=content["signature"])
        bare = {"type": "thinking", "thinking": "", "signature": ""}
        return [block_start(index, bare), *grown, signed, block_stop(index)]
    if kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
        written = json.dumps(content["input"]) if content["input"] else ""
        grown = [
            delta(index, type="input_json_delta", partial_json=piece)
            for piece in ["", *pieces(written, size)]
        ]
        return [block_start(index, {**content, "input": {}}), *grown, block_stop(index)]
    return [block_start(index, content), block_stop(index)]


def message(
    contents: Iterable[Mapping[str, Any]],
    stop_reason: str = "end_turn",
    *,
    size: int = 12,
    ping: bool = True,
    output: int = 40,
    **opening: Any,
) -> bytes:
    """The whole stream of one message."""
    frames = [start(**opening)]
    for index, content in enumerate(contents):
        told = block(index, content, size)
        frames += [told[0], PING, *told[1:]] if ping and index == 0 else told
    return b"".join([*frames, ending(stop_reason, output), STOP])
