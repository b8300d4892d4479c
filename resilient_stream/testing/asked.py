"""A request in the form in which the rules check it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .continuations import blocks_of
from .transcript import Block, is_object, listing, mapping

THINKING = ("thinking", "redacted_thinking")
SERVER_USES = ("server_tool_use", "mcp_tool_use")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request in the form in which the rules check it.

    ``signatures`` are those that the stand-in has sent so far; ``prefill`` overrides the table of models;
    ``counting`` is True for ``count_tokens``, which needs no ``max_tokens``.
    """

    body: Mapping[str, Any]
    size: int = 0
    signatures: Collection[str] = ()
    prefill: bool | None = None
    counting: bool = False
    messages: Sequence[Mapping[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        """Keep the messages that are objects; the rules of shape report the others."""
        found = [item for item in listing(self.body.get("messages")) if is_object(item)]
        object.__setattr__(self, "messages", found)

    @property
    def final(self) -> list[Block]:
        """The blocks of a final assistant turn that asks to be continued; empty if there is none.

        A paused turn, which ends in a server tool's use or result, is not a prefill.
        """
        if not self.messages or self.messages[-1].get("role") != "assistant":
            return []
        blocks = blocks_of(self.messages[-1])
        kind = str(blocks[-1].get("type")) if blocks else ""
        return [] if kind in SERVER_USES or kind.endswith("_tool_result") else blocks

    @property
    def thinking(self) -> str:
        """The thinking mode that the request names; ``disabled`` if it names none."""
        return str(mapping(self.body.get("thinking")).get("type", "disabled"))

    @property
    def budget(self) -> int | None:
        """The manual thinking budget, if there is one."""
        budget = (
            mapping(self.body.get("thinking")).get("budget_tokens") if self.thinking == "enabled" else None
        )
        return budget if isinstance(budget, int) else None

    @property
    def forced(self) -> bool:
        """Whether a tool call is forced."""
        return mapping(self.body.get("tool_choice")).get("type") in ("any", "tool")

    def blocks(self) -> Iterator[tuple[int, str, int, Block]]:
        """Message number, role, block number and block, for each block."""
        for at, message in enumerate(self.messages):
            for place, block in enumerate(blocks_of(message)):
                yield at, str(message.get("role")), place, block
