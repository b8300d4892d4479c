"""The core's settings."""

from __future__ import annotations

from tests.support.settings import settings_with


def test_tools_of_the_servers_are_held_together() -> None:
    """Those of MCP servers too; nothing else is held that was not named."""
    kinds = ("text", "thinking", "tool_use", "server_tool_use", "mcp_tool_use", None)
    for hold in (set[str](), {"tool_use"}, {"thinking"}):
        assert {kind for kind in kinds if settings_with(hold=hold).holds(kind)} == hold
    servers = settings_with(hold={"server_tool_use"})
    assert {kind for kind in kinds if servers.holds(kind)} == {"server_tool_use", "mcp_tool_use"}
