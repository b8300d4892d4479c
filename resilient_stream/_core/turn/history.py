"""History that the API will accept.

A block that was cut off stays in the message that the consumer has, because nothing is taken back.
Sent back as history it would be refused: thinking without its signature, a text block that stayed
blank, a server tool's use whose result never came. `sendable` takes exactly those out of assistant
turns, with the thinking that would be left in last place by that, and leaves all else as it is. A turn
that is paused, or that mixes server tools with client tools, is legal with a use that has no result yet,
and is not touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar, overload

_SERVER_TOOLS: Final = ("server_tool_use", "mcp_tool_use")
_THINKING: Final = ("thinking", "redacted_thinking")

MessageT = TypeVar("MessageT")


@overload
def sendable(messages: list[MessageT], *, unsigned_thinking: bool = False) -> list[MessageT]: ...
@overload
def sendable(messages: Sequence[MessageT], *, unsigned_thinking: bool = False) -> Sequence[MessageT]: ...
def sendable(messages: Sequence[Any], *, unsigned_thinking: bool = False) -> Sequence[Any]:
    """The history that the API will accept: the very same object where nothing has to go.

    Args:
        messages: the ``messages`` of a request.
        unsigned_thinking: keep thinking that has no signature; hosts of other models want it so.
    """
    if not any(_suspect(block) for message in messages for block in _blocks(message)):
        return messages
    answered: set[str] = set()
    healed = [
        _healed(message, answered, last=back == 0, unsigned_thinking=unsigned_thinking)
        for back, message in enumerate(reversed(messages))
    ]
    healed.reverse()
    if all(after is before for before, after in zip(messages, healed, strict=True)):
        return messages
    return [
        after for before, after in zip(messages, healed, strict=True) if after is before or after["content"]
    ]


def _healed(message: Any, answered: set[str], *, last: bool, unsigned_thinking: bool) -> Any:
    """A message without what has to go; ``answered``, the ids of the results behind it, gets its own."""
    blocks = list(_blocks(message))
    paused = last or any(_get(block, "type") == "tool_use" for block in blocks)
    kept: list[Any] = []
    for block in reversed(blocks):
        unanswered = _get(block, "type") in _SERVER_TOOLS and str(_get(block, "id")) not in answered
        if not (
            _blank(block)
            or (not unsigned_thinking and _unsigned(block))
            or (not paused and unanswered)
            or (not kept and block is not blocks[-1] and _get(block, "type") in _THINKING)
        ):
            kept.append(block)
        answered.add(str(_get(block, "tool_use_id")))
    kept.reverse()
    return message if len(kept) == len(blocks) else {**message, "content": kept}


def _blocks(message: Any) -> Iterable[Any]:
    """The blocks of an assistant turn; none for any other."""
    if not isinstance(message, Mapping) or message.get("role") != "assistant":
        return ()
    content = message.get("content")
    return content if isinstance(content, list | tuple) else ()


def _suspect(block: Any) -> bool:
    return _blank(block) or _unsigned(block) or _get(block, "type") in _SERVER_TOOLS


def _blank(block: Any) -> bool:
    return _get(block, "type") == "text" and not str(_get(block, "text") or "").strip()


def _unsigned(block: Any) -> bool:
    return _get(block, "type") == "thinking" and not _get(block, "signature")


def _get(block: Any, name: str) -> Any:
    """A field of a block, which may be a mapping or a model of the SDK's."""
    return block.get(name) if isinstance(block, Mapping) else getattr(block, name, None)
