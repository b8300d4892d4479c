"""The part of a policy that the core acts on, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Settings(NamedTuple):
    """The part of a policy that the core acts on, under the names of the policy's fields. Times are in
    seconds. The policy has the defaults; `settings_of` makes the settings."""

    max_attempts: int
    deadline: float
    """Infinite if there is none."""
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
        """Whether a block of this type is delivered only when complete. The tools of MCP servers count as
        server tools."""
        return kind in self.hold or (kind == "mcp_tool_use" and "server_tool_use" in self.hold)
