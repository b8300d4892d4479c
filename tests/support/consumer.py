"""A consumer stricter than the SDK: it refuses every break of the order of one message's events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .contents import texts
from .streams import Json


@dataclass
class Heard:
    """A message as a strict consumer puts it together."""

    id: str | None = None
    blocks: list[Json] = field(default_factory=list)
    open: bool = False
    stop_reason: str | None = None
    delta: Json = field(default_factory=dict)
    usage: Json = field(default_factory=dict)
    stopped: bool = False
    types: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All visible text."""
        return texts(self.blocks)

    def of_type(self, kind: str) -> list[Json]:
        """The blocks of one type."""
        return [one for one in self.blocks if one["type"] == kind]


UNENDED = re.compile(rb'event: message_stop\ndata: \{"type": ?"message_stop"\}\n?$')
"""How a body may end cleanly: its message_stop lacks the blank line."""


def payloads(out: bytes) -> Iterator[Json]:
    """The events of a stream, pings and comments left out."""
    out = out.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert not out or out.endswith(b"\n\n") or UNENDED.search(out), "half an event was handed over"
    for one in out.split(b"\n\n"):
        lines = one.split(b"\n")
        data = [line[6:] for line in lines if line.startswith(b"data: ")]
        names = [line for line in lines if line.startswith(b"event: ")]
        if data and names and names[-1] != b"event: ping":  # as the SDK skips what has no event line
            yield json.loads(b"\n".join(data))


@lru_cache(maxsize=4096)
def consume(out: bytes) -> Heard:  # noqa: C901 -- one case for each event
    """Put a message together, and refuse what breaks the grammar. Not to be changed: it may be shared."""
    heard = Heard()
    for event in payloads(out):
        kind = event["type"]
        heard.types.append(kind)
        assert not heard.stopped, f"{kind} after message_stop"
        match kind:
            case "message_start":
                assert heard.types.count(kind) == 1, "two message_starts"
                heard.id = event["message"]["id"]
            case "content_block_start":
                assert heard.id is not None, "a block before message_start"
                assert not heard.open, "two blocks open at once"
                assert event["index"] == len(heard.blocks), "indices must rise by one"
                assert heard.stop_reason is None, "a block after the stop reason"
                heard.blocks.append(event["content_block"])
                heard.open = True
            case "content_block_delta":
                assert heard.open and event["index"] == len(heard.blocks) - 1, "a delta out of place"
                _grow(heard.blocks[-1], event["delta"])
            case "content_block_stop":
                assert heard.open and event["index"] == len(heard.blocks) - 1, "a stop out of place"
                heard.open = False
            case "message_delta":
                assert heard.id is not None, "a message_delta out of place"
                heard.delta |= event["delta"]
                heard.usage |= event.get("usage") or {}
                heard.stop_reason = event["delta"].get("stop_reason") or heard.stop_reason
            case "message_stop":
                assert heard.stop_reason is not None, "a message_stop without a stop reason"
                heard.stopped = True
            case _:
                pass
    for one in heard.blocks:
        for name in ("text", "thinking"):
            if isinstance(one.get(name), str):
                one[name] = one[name].encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        if "written" in one:
            one["input"] = _parsed(one.pop("written"))
    return heard


def _parsed(written: str) -> Any:
    try:
        return json.loads(written or "{}")
    except ValueError:
        return written


def _grow(grown: Json, change: Mapping[str, Any]) -> None:
    match change.get("type"):
        case "text_delta" if grown["type"] == "text" and isinstance(change.get("text"), str):
            grown["text"] = str(grown.get("text") or "") + change["text"]
        case "thinking_delta" if grown["type"] == "thinking" and isinstance(change.get("thinking"), str):
            grown["thinking"] = str(grown.get("thinking") or "") + change["thinking"]
        case "signature_delta":
            grown["signature"] = change.get("signature")
        case "input_json_delta" if isinstance(change.get("partial_json"), str):
            grown["written"] = grown.get("written", "") + change["partial_json"]
        case "citations_delta":
            begun = grown.get("citations")
            grown["citations"] = [*(begun if isinstance(begun, list) else ()), change.get("citation")]
        case _:
            pass


def whole(heard: Heard) -> None:
    """A message that ended as it should."""
    assert heard.stopped and heard.stop_reason is not None and not heard.open
    assert heard.types[0] == "message_start"


def sendable(blocks: list[Json]) -> None:
    """Blocks that the API accepts as the content of an assistant turn."""
    answered = {one.get("tool_use_id") for one in blocks}
    for one in blocks:
        match one["type"]:
            case "thinking":
                assert one["signature"], "thinking without a signature"
            case "text":
                assert one["text"].strip(), "a blank text block"
                one["text"].encode()
            case "server_tool_use" | "mcp_tool_use":
                assert one["id"] in answered, "a server tool use without its result"
                assert isinstance(one["input"], dict)
            case "tool_use":
                assert isinstance(one["input"], dict)
            case _:
                pass
    if blocks:
        assert blocks[-1]["type"] not in ("thinking", "redacted_thinking"), "thinking in last place"
