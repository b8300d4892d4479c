"""The core's settings are the policy's fields."""

from __future__ import annotations

import math
from dataclasses import fields

from resilient_stream import RetryPolicy
from resilient_stream._core.settings import DEFAULT_TEMPLATE, WHOLE_TEMPLATE, Settings
from resilient_stream.anthropic import ResumeMiddleware


def test_defaults_are_the_policys() -> None:
    """Every setting has the default that the policy has; no deadline is an infinite one."""
    policy = RetryPolicy()
    for field in fields(Settings):
        name = {"template": "continuation_template"}.get(field.name, field.name)
        default = getattr(policy, name)
        wanted = math.inf if name == "deadline" and default is None else default
        assert getattr(Settings(), field.name) == wanted, field.name


def test_a_policy_becomes_settings() -> None:
    """What a policy says is what the core acts on."""
    made = ResumeMiddleware(
        RetryPolicy(max_attempts=3, deadline=9, hold=(), fallback_models=("m", {"model": "n"}))
    )
    assert made._settings.deadline == 9
    assert made._settings.max_attempts == 3
    assert made._settings.hold == frozenset()
    assert made._settings.fallback_models == ({"model": "m"}, {"model": "n"})


def test_templates_have_a_place_for_the_quote() -> None:
    """Both built-in wordings quote, once."""
    assert DEFAULT_TEMPLATE.count("{quote}") == WHOLE_TEMPLATE.count("{quote}") == 1


def test_tools_of_the_servers_are_held_together() -> None:
    """Those of MCP servers too; nothing else is held that was not named."""
    kinds = ("text", "thinking", "tool_use", "server_tool_use", "mcp_tool_use", None)
    for hold in (set[str](), {"tool_use"}, {"thinking"}):
        assert {kind for kind in kinds if Settings(hold=frozenset(hold)).holds(kind)} == hold
    servers = Settings(hold=frozenset({"server_tool_use"}))
    assert {kind for kind in kinds if servers.holds(kind)} == {"server_tool_use", "mcp_tool_use"}
