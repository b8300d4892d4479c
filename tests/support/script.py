"""A model that continues: what it would say, whatever was received of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from resilient_stream._core.plan.planner import Form, Plan

from .contents import text, texts
from .streams import Json, message


@dataclass(frozen=True)
class Script:
    """What the model would say, and how it is told."""

    content: tuple[Json, ...]
    stop_reason: str = "end_turn"
    size: int = 12

    def stream(self) -> bytes:
        """The whole stream, as the first request is answered."""
        return message(self.content, self.stop_reason, size=self.size)

    def answer(self, plan: Plan, *, thinks: bool = False, strips: bool = False) -> bytes:
        """The stream that a request is answered with: the whole, or the rest of it after an exact echo.

        Args:
            plan: what is asked.
            thinks: a user-turn continuation thinks before it goes on.
            strips: a prefill continuation leaves out the white space it was not given.
        """
        if plan.body is None:
            return self.stream()
        messages = plan.body["messages"]
        said = messages[-1]["content"] if plan.form is Form.USER_TURN else ""
        received = messages[-1 - (plan.form is Form.USER_TURN)]["content"]
        rest = list(self.rest(received))
        echo = ""
        if plan.form is Form.USER_TURN and received[-1]["type"] == "text":
            tail = received[-1]["text"]
            echo = next(tail[at:] for at in range(len(tail)) if tail[at:] in said)
        if rest and rest[0]["type"] == "text":
            missing = rest[0]["text"].lstrip() if strips and not echo else rest[0]["text"]
            rest[0] = {**rest[0], "text": echo + missing}
        elif echo:
            rest.insert(0, text(echo))
        if thinks and plan.form is Form.USER_TURN:
            rest.insert(0, {"type": "thinking", "thinking": "Where was I?", "signature": "b3RoZXI="})
        return message(rest, self.stop_reason, size=self.size, id="msg_later", output=20)

    def rest(self, received: Iterable[Mapping[str, Any]]) -> Iterator[Json]:
        """What follows the blocks that were received, which may lack thinking, cut calls and blank ends."""
        blocks = list(received)
        told = texts(blocks)
        if blocks[-1]["type"] != "text":
            at = next(i for i, one in enumerate(self.content) if _same(one, blocks[-1]))
            yield from self.content[at + 1 :]
            return
        left = sum(not character.isspace() for character in told)
        assert "".join(texts(self.content).split()).startswith("".join(told.split())), "not what was said"
        for number, one in enumerate(self.content):
            if one["type"] != "text":
                continue
            size = sum(not character.isspace() for character in one["text"])
            if left <= size:
                end = _after(one["text"], left)
                if end < len(one["text"]):
                    yield {**one, "text": one["text"][end:]}
                yield from self.content[number + 1 :]
                return
            left -= size


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    keys = ("type", "id", "tool_use_id", "signature", "data")
    return all(one.get(key) == other.get(key) for key in keys)


def _after(written: str, count: int) -> int:
    """The place behind so many characters that are not blank."""
    for at, character in enumerate(written):
        if count == 0:
            return at
        count -= not character.isspace()
    return len(written)
