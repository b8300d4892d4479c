"""Recognises a request that asks to continue an answer that was cut.

There are two forms. *Prefill*: the conversation ends with the partial answer as an assistant turn. *User
turn*: the partial answer is followed by a user message that quotes its end. The second is recognised by its
content alone: the longest end of the partial answer that the user message contains. The instruction around
the quote does not matter, so any client's wording is understood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from .manners import Manner
from .transcript import Block, Reply, is_object, listing

Form = Literal["fresh", "prefill", "user_turn"]

SHORTEST_QUOTE = 8
"""A shorter quote counts only if it is the whole partial text."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a request was understood.

    ``place`` is the block and the character of the scripted reply from which to continue; None if the request
    contains something that is not part of the script.
    """

    form: Form = "fresh"
    quote: str = ""
    place: tuple[int, int] | None = None


def blocks_of(message: Mapping[str, Any]) -> list[Block]:
    """A message's content as blocks."""
    content: Any = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [block for block in listing(content) if is_object(block)]


def turns(messages: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Block]]]:
    """The messages, with neighbours of the same role joined as the API does."""
    joined: list[tuple[str, list[Block]]] = []
    for message in messages:
        role = str(message.get("role"))
        if joined and joined[-1][0] == role:
            joined[-1][1].extend(blocks_of(message))
        else:
            joined.append((role, blocks_of(message)))
    return joined


def text_of(blocks: Sequence[Block]) -> str:
    """The text of all blocks, joined with line breaks."""
    return "\n".join(str(block.get("text", "")) for block in blocks if block.get("type") == "text")


def longest_quote(received: str, said: str) -> str:
    """The longest suffix of ``received`` that occurs in ``said``."""
    low, high = 0, len(received)
    while low < high:  # an end of an occurring end occurs, so bisection finds the longest
        middle = (low + high + 1) // 2
        low, high = (middle, high) if received[-middle:] in said else (low, middle - 1)
    return received[len(received) - low :]


def same(scripted: Block, received: Block) -> bool:
    """Whether two blocks, which are not text, are the same block."""
    keys = ("type", "id", "tool_use_id", "signature", "data")
    return all(scripted.get(key) == received.get(key) for key in keys if key in received)


def place(script: Sequence[Block], received: Sequence[Block]) -> tuple[int, int] | None:
    """Where in the script the received blocks end: block and character. None if they are no part of it.

    Scripted blocks may be missing in between, as thinking and cut tool calls are. A text may be spread over
    several received blocks. Thinking that is not in the script is skipped.
    """
    index, offset = 0, 0
    for block in received:
        if block.get("type") == "text":
            text = str(block.get("text", ""))
            if offset and script[index]["text"].startswith(text, offset):
                offset += len(text)
                continue
            found = [
                at
                for at in range(index + bool(offset), len(script))
                if script[at]["type"] == "text" and script[at]["text"].startswith(text)
            ]
            if not found:
                return None
            index, offset = found[0], len(text)
        else:
            found = [at for at in range(index, len(script)) if same(script[at], block)]
            if found:
                index, offset = found[0] + 1, 0
            elif block.get("type") not in ("thinking", "redacted_thinking"):
                return None
    return index, offset


def read(request: Mapping[str, Any], script: Sequence[Block]) -> Reading:
    """What a request asks for, given the reply that the author would write from the beginning."""
    conversation = turns([m for m in request["messages"] if m.get("role") != "system"])
    if not conversation:
        return Reading()
    role, last = conversation[-1]
    if role == "assistant":
        return Reading("prefill", "", place(script, last))
    if len(conversation) < 2 or any(block.get("type") == "tool_result" for block in last):
        return Reading()
    received = conversation[-2][1]
    end = place(script, received)
    if received and received[-1].get("type") != "text":
        # No text to quote: a partial answer that stops between two blocks of the script.
        unfinished = end is not None and 0 < end[0] < len(script)
        return Reading("user_turn", "", end) if unfinished else Reading()
    tail = text_of(received[-1:]).rstrip()
    quote = longest_quote(tail, text_of(last))
    if len(quote) >= SHORTEST_QUOTE or (quote and quote == tail and end is not None):
        return Reading("user_turn", quote, end)
    return Reading()


def resume(reply: Reply, reading: Reading, manner: Manner) -> Reply:
    """The rest of a reply in this manner; the whole reply if nothing matched."""
    if reading.form == "fresh" or reading.place is None:
        return reply
    index, offset = reading.place
    if not offset:
        return replace(reply, content=tuple(reply.content[index:]))
    begun = reply.content[index]
    received: str = begun["text"][:offset]
    if reading.form == "user_turn":
        received = received.rstrip()
    text = manner(begun["text"], received, reading.quote)
    rest = tuple(reply.content[index + 1 :])
    return replace(reply, content=({**begun, "text": text}, *rest) if text else rest)
