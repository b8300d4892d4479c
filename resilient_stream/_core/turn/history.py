"""Makes histories that the API accepts.

A block that was cut off stays in the message that the consumer has, because nothing is taken back. The API
would refuse it in a history: thinking without its signature, a text block that stayed blank, a server tool's
use without its result. `sendable` removes exactly those from assistant turns, and thinking that would become
the last block, and changes nothing else. A turn that is paused, or that mixes server tools with client tools,
may have a use without a result, and is not changed.

A request can't contain half of a surrogate pair, nor a number that JSON does not have. They are replaced.
Thinking that contains them is removed, because its signature would no longer fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar, overload

from resilient_stream._core.wire.safe_json import encodable, is_encodable

_SERVER_TOOLS: Final = ("server_tool_use", "mcp_tool_use")
_THINKING: Final = ("thinking", "redacted_thinking")

MessageT = TypeVar("MessageT")


@overload
def sendable(messages: list[MessageT], *, unsigned_thinking: bool = False) -> list[MessageT]: ...
@overload
def sendable(messages: Sequence[MessageT], *, unsigned_thinking: bool = False) -> Sequence[MessageT]: ...
def sendable(messages: Sequence[Any], *, unsigned_thinking: bool = False) -> Sequence[Any]:
    """Return the history that the API will accept. If nothing has to be removed, it is the same object.

    Args:
        messages: the ``messages`` of a request.
        unsigned_thinking: keep thinking that has no signature. Hosts of other models than Claude may need it.
    """
    return healed(messages, lambda _thought: unsigned_thinking)


def healed(messages: Sequence[Any], keeps: Callable[[Any], bool]) -> Sequence[Any]:
    """As `sendable`; ``keeps`` decides whether a thinking block without a signature stays."""
    if not any(map(_suspect, messages)):
        return messages
    answered: set[str] = set()
    made = [
        _healed(message, answered, keeps, last=back == 0) for back, message in enumerate(reversed(messages))
    ]
    made.reverse()
    if all(after is before for before, after in zip(messages, made, strict=True)):
        return messages
    return [
        after for before, after in zip(messages, made, strict=True) if after is before or after["content"]
    ]


def has_signed_thinking(messages: Iterable[Any]) -> bool:
    """Whether a thought in the assistant turns is signed, as Claude's are. A host that signs thinking refuses
    unsigned thinking."""
    return any(
        _get(block, "type") in _THINKING and not _unsigned(block)
        for message in messages
        if _is_answer(message)
        for block in _blocks(message)
    )


def thinking_of(block: Any) -> str:
    """The text of a thought."""
    return str(_get(block, "thinking") or "")


def _healed(message: Any, answered: set[str], keeps: Callable[[Any], bool], *, last: bool) -> Any:
    """A message without what has to be removed. Adds the ids of its own results to ``answered``, the ids of
    the results behind it."""
    if not _is_answer(message):
        return message
    given, message = list(_blocks(message)), encodable(message)
    blocks = list(_blocks(message))
    paused = last or any(_get(block, "type") == "tool_use" for block in blocks)
    kept: list[Any] = []
    for before, block in zip(reversed(given), reversed(blocks), strict=True):
        thinks = _get(block, "type") in _THINKING
        unanswered = _get(block, "type") in _SERVER_TOOLS and str(_get(block, "id")) not in answered
        if not (
            _blank(block)
            or (thinks and (_unsigned(block) or block is not before) and not keeps(before))
            or (not paused and unanswered)
            or (not kept and block is not blocks[-1] and thinks)
        ):
            kept.append(block)
        answered.add(str(_get(block, "tool_use_id")))
    kept.reverse()
    return message if len(kept) == len(blocks) else {**message, "content": kept}


def _is_answer(message: Any) -> bool:
    """Whether it is an assistant turn."""
    return isinstance(message, Mapping) and message.get("role") == "assistant"


def _blocks(message: Mapping[str, Any]) -> Iterable[Any]:
    """The blocks of a turn, if it has any."""
    content = message.get("content")
    return content if isinstance(content, list | tuple) else ()


def _suspect(message: Any) -> bool:
    """Whether it has anything that needs checking."""
    return _is_answer(message) and (
        any(
            _blank(block) or _unsigned(block) or _get(block, "type") in _SERVER_TOOLS
            for block in _blocks(message)
        )
        or not is_encodable(message)
    )


def _blank(block: Any) -> bool:
    return _get(block, "type") == "text" and not str(_get(block, "text") or "").strip()


def _unsigned(block: Any) -> bool:
    return _get(block, "type") == "thinking" and not _get(block, "signature")


def _get(block: Any, name: str) -> Any:
    """A field of a block, which may be a mapping or a model of the SDK."""
    return block.get(name) if isinstance(block, Mapping) else getattr(block, name, None)
