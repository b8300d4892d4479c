"""The part of a policy that the core acts on, as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

DEFAULT_TEMPLATE: Final = (
    "My connection dropped while you were writing that reply, so I only received it up to this point:\n\n"
    "{quote}\n\n"
    "Please start your next message by repeating exactly that fragment, word for word and without the "
    "markers around it, and then carry on from there as if nothing had happened, without a comment about "
    "the interruption. If your reply was already complete, just repeat the fragment and stop."
)
"""In the user's voice, because a "system notice" is taken for an injection by some models."""

WHOLE_TEMPLATE: Final = (
    "My connection dropped while you were writing that reply, and all I received is this beginning:\n\n"
    "{quote}\n\n"
    "Please write your reply again from the start, beginning with exactly that text, word for word and "
    "without the markers around it, and without a comment about the interruption."
)
"""Used when too little was received for a quote to mark a place."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the core needs to know of a policy. Times in seconds."""

    max_attempts: int = 16
    deadline: float = math.inf
    continuation: str = "auto"
    unverified: str = "accept"
    hold: frozenset[str] = frozenset({"tool_use"})
    completed_tools: str = "finish"
    rerun_server_tools: bool = False
    max_tokens: str = "reduce"
    usage: str = "serving"
    template: str | None = None
    quote_length: int = 80
    fallback_models: tuple[Mapping[str, Any], ...] = ()
    max_input_multiple: float | None = 5.0
    retry_after_max: float = 60.0
    first_event_timeout: float = 300.0
    silence_timeout: float = 300.0
    stall_timeout: float = 600.0

    def holds(self, kind: object) -> bool:
        """Whether a block of this type is handed over only when complete. The tools of MCP servers are
        tools of the server's."""
        return kind in self.hold or (kind == "mcp_tool_use" and "server_tool_use" in self.hold)
