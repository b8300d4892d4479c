"""Reads a request's body, and makes the changes that an attempt of the library needs.

These are pure functions of JSON objects. The result shares what was not changed, and never changes the
original: the first request is the user's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def patched(request: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The request for another model, by the rules of the SDK's own fallback middleware.

    A field of the entry overrides the request's, None removes it, and ``output_config`` is changed one level
    deeper. Not every model supports thinking between tools and ``speed``: unless the entry sets them, the
    former is sent as disabled and the latter is dropped.
    """
    thinking, config = request.get("thinking"), entry.get("output_config")
    defaults: dict[str, Any] = {"speed": None}
    if isinstance(thinking, Mapping) and thinking.get("type") == "between_tools":
        defaults["thinking"] = {"type": "disabled"}
    changes = {**defaults, **entry}
    if isinstance(config, Mapping):
        own = request.get("output_config")
        changes["output_config"] = _changed(own if isinstance(own, Mapping) else {}, config) or None
    return _changed(request, changes)


def _changed(fields: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with the changes. A field that is changed to None is removed."""
    merged = {**fields, **changes}
    return {name: value for name, value in merged.items() if value is not None or name not in changes}


def reused(given: Any, container: str) -> Any:
    """The ``container`` of a request that continues a turn in which code ran."""
    return {"id": container, **given} if isinstance(given, Mapping) else given or container


def field_of(value: Any, name: str) -> Any:
    """A field of a JSON object; None if there is none."""
    return value.get(name) if isinstance(value, Mapping) else None


def structured(request: Mapping[str, Any]) -> bool:
    """Whether the reply is constrained to a schema."""
    config = request.get("output_config")
    return bool(request.get("output_format")) or (isinstance(config, Mapping) and bool(config.get("format")))


def forced_tool(request: Mapping[str, Any]) -> bool:
    """Whether a tool call is forced: the API itself prefills such a turn."""
    choice = request.get("tool_choice")
    return isinstance(choice, Mapping) and choice.get("type") in ("any", "tool")


def _plain(block: Mapping[str, Any]) -> bool:
    """Whether a block is text without citations, which may grow."""
    return block.get("type") == "text" and not block.get("citations")


def extended(request: Mapping[str, Any], blocks: list[dict[str, Any]]) -> list[Any]:
    """The request's messages followed by the partial turn. A turn that was begun already is extended."""
    messages: list[Any] = list(request.get("messages") or ())
    if not messages or messages[-1].get("role") != "assistant":
        return [*messages, {"role": "assistant", "content": blocks}]
    begun: Any = messages[-1]["content"]
    content = [{"type": "text", "text": begun}] if isinstance(begun, str) else list(begun)
    if content and _plain(content[-1]) and _plain(blocks[0]):
        joined = {**content[-1], "text": content[-1]["text"] + blocks[0]["text"]}
        return [*messages[:-1], {**messages[-1], "content": [*content[:-1], joined, *blocks[1:]]}]
    return [*messages[:-1], {**messages[-1], "content": [*content, *blocks]}]
