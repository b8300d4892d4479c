"""The part of a policy that the core acts on, as plain values."""

from __future__ import annotations

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

AGAIN_TEMPLATE: Final = (
    "Your reply was cut off. Its last words were:\n\n{quote}\n\n"
    "Write the rest of the reply now. Start with those last words, copied exactly, then go on. "
    "No introduction."
)
"""Used after a reply that could not be joined or brought nothing: the same words would bring the same
again."""

WHOLE_TEMPLATE: Final = (
    "My connection dropped while you were writing that reply, and all I received is this beginning:\n\n"
    "{quote}\n\n"
    "Please write your reply again from the start, beginning with exactly that text, word for word and "
    "without the markers around it, and without a comment about the interruption."
)
"""Used when too little was received for a quote to mark a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the core needs to know of a policy, under the names of the policy's fields. Times in seconds. The
    policy has the defaults; `settings_of` makes these of it."""

    max_attempts: int
    deadline: float
    """Infinite where there is none."""
    continuation: str
    continuation_template: str | None
    quote_length: int
    unverified: str
    hold: frozenset[str]
    completed_tools: str
    rerun_server_tools: bool
    max_tokens: str
    usage: str
    fallback_models: tuple[Mapping[str, Any], ...]
    """Each as the request fields that it changes, the model among them."""
    max_input_multiple: float | None
    retry_after_max: float
    first_event_timeout: float
    silence_timeout: float
    stall_timeout: float

    def holds(self, kind: object) -> bool:
        """Whether a block of this type is handed over only when complete. The tools of MCP servers are
        tools of the server's."""
        return kind in self.hold or (kind == "mcp_tool_use" and "server_tool_use" in self.hold)
