"""Fills in the fields that a consumer needs, if their meaning is clear.

Hosts and gateways leave out what is empty, or send null. The SDK then fails on an attribute of None. Such a
field gets its empty value here. A field of the wrong type without a clear meaning is a flaw, and its frame is
never delivered. What the SDK reads without failing is not changed, however odd it is. The SDK can't write the
name of a field that contains half of a surrogate pair; U+FFFD replaces the half then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from resilient_stream._core.failures import Flaw, Kind

from .events import Event
from .safe_json import whole_names

GROWING: Final[Mapping[str, str]] = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
}
"""Delta type to the field with the string that it adds."""

_TELLING: Final[Mapping[str, str]] = {
    **GROWING,
    "signature_delta": "signature",
    "citations_delta": "citation",
}
"""Delta type to the field by which it is recognised if it has no type."""

NO_REASON: Final[Mapping[str, Any]] = {"stop_reason": None, "stop_sequence": None}
_NOTHING_SPENT: Final[Mapping[str, Any]] = {"input_tokens": 0, "output_tokens": 0}
_TOOL_USES: Final = ("tool_use", "server_tool_use", "mcp_tool_use")

Json = Mapping[str, Any]


def mended(event: Event) -> Event:
    """The event with the fields that a consumer needs: the same object if it has them.

    The index of a block's events and the usage of a ``message_delta`` are handled elsewhere: what is missing
    of them follows from the events before.

    Raises:
        Flaw: `Kind.PROTOCOL`: a field is of a type that can't be read.
    """
    match event.type:
        case "message_start":
            return _with(event, "message", _message(_named(event, "message")))
        case "content_block_start":
            return _with(event, "content_block", block(_named(event, "content_block")))
        case "content_block_delta":
            return _with(event, "delta", _delta(_named(event, "delta")))
        case "message_delta":
            return _with(event, "delta", _ending(_named(event, "delta")))
        case _:
            return event


def _named(event: Event, name: str) -> Any:
    """The value under ``name``, with names that the SDK can write. A frame is valid UTF-8, so half of a pair
    can only be in an escape."""
    value = event.data.get(name)
    return whole_names(value) if rb"\u" in event.frame else value


def _with(event: Event, name: str, value: Json) -> Event:
    return event if event.data.get(name) is value else Event.of({**event.data, name: value})


def _message(message: Any) -> Json:
    if not isinstance(message, dict):
        raise Flaw(Kind.PROTOCOL, "a broken message_start")
    content, changes = message.get("content"), dict[str, Any]()
    if not content and content != []:
        changes["content"] = []
    elif not isinstance(content, list):
        raise Flaw(Kind.PROTOCOL, "a message_start with broken content")
    if not isinstance(message.get("usage"), dict):
        changes["usage"] = dict(_NOTHING_SPENT)
    return {**message, **changes} if changes else message


def block(given: Any) -> dict[str, Any]:
    """The start of a content block, with the fields that its type needs.

    Raises:
        Flaw: as `mended`.
    """
    kind = given.get("type") if isinstance(given, dict) else None
    if not isinstance(kind, str):
        raise Flaw(Kind.PROTOCOL, "a content_block_start without a block")
    if kind in ("text", "thinking"):
        given = _with_string(given, kind)
    elif kind in _TOOL_USES and not given.get("input") and given.get("input") != {}:
        given = {**given, "input": {}}
    broken_list = kind == "text" and not isinstance(given.get("citations") or [], list)
    if broken_list or (kind == "fallback" and not isinstance(given.get("to"), dict)):
        raise Flaw(Kind.PROTOCOL, f"a {kind} block with a broken field")
    whole: dict[str, Any] = given
    return whole


def _delta(delta: Any) -> Json:
    if not isinstance(delta, dict):
        raise Flaw(Kind.PROTOCOL, "a content_block_delta without a delta")
    kind = delta.get("type")
    if not isinstance(kind, str) or not kind:
        kind = next((each for each, name in _TELLING.items() if delta.get(name) is not None), None)
        delta = {"type": kind, **{name: value for name, value in delta.items() if name != "type"}}
    if kind is None:
        raise Flaw(Kind.PROTOCOL, "a delta without a type")
    return _with_string(delta, GROWING[kind]) if kind in GROWING else delta


def _ending(delta: Any) -> Json:
    if not isinstance(delta, dict):
        if delta:
            raise Flaw(Kind.PROTOCOL, "a message_delta with a broken delta")
        return NO_REASON
    reason = delta.get("stop_reason")
    return delta if reason is None or isinstance(reason, str) else {**delta, "stop_reason": None}


def _with_string(part: dict[str, Any], name: str) -> dict[str, Any]:
    """The part with a string under ``name``: a missing string or null becomes an empty one."""
    value = part.get(name)
    if value is None:
        return {**part, name: ""}
    if not isinstance(value, str):
        raise Flaw(Kind.PROTOCOL, f"a {part['type']} whose {name} is not a string")
    return part
