"""What a request says, and how it changes from attempt to attempt."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._core.plan.request_body import forced_tool, patched, structured
from tests.support.machines import REQUEST
from tests.support.streams import Json

ASKED = REQUEST | {"speed": "fast", "thinking": {"type": "between_tools"}, "stop_sequences": None}


@pytest.mark.parametrize(
    ("entry", "changes"),
    [
        ({}, {"thinking": {"type": "disabled"}}),
        (
            {"max_tokens": 9, "temperature": 0.5},
            {"thinking": {"type": "disabled"}, "max_tokens": 9, "temperature": 0.5},
        ),
        (
            {"thinking": {"type": "adaptive"}, "speed": "fast"},
            {"thinking": {"type": "adaptive"}, "speed": "fast"},
        ),
        ({"thinking": {"type": "between_tools"}}, {"thinking": {"type": "between_tools"}}),
        ({"thinking": None, "system": None}, {}),
        (
            {"output_config": {"effort": "low"}},
            {"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}},
        ),
        ({"output_config": None}, {"thinking": {"type": "disabled"}}),
    ],
    ids=str,
)
def test_a_fallback_is_a_patch(entry: Json, changes: Json) -> None:
    """What it sets overrides, None takes out; speed is dropped and thinking between tools disabled, unless it sets them."""
    gone = {"speed", "thinking"} | {name for name, value in entry.items() if value is None}
    kept = {name: value for name, value in ASKED.items() if name not in gone}
    assert patched(ASKED, {"model": "b", **entry}) == kept | {"model": "b"} | changes
    assert ASKED["speed"] == "fast"


@pytest.mark.parametrize(
    ("own", "entry", "merged"),
    [
        ({"effort": "high"}, {"effort": "low"}, {"effort": "low"}),
        ({"effort": "high", "format": {"type": "x"}}, {"format": None}, {"effort": "high"}),
        ({"effort": "high"}, {"effort": None}, None),
        ("odd", {"effort": "low"}, {"effort": "low"}),
    ],
)
def test_output_config_is_patched_one_level_deep(own: Any, entry: Json, merged: Json | None) -> None:
    """Field by field; where nothing is left of it, it goes."""
    made = patched(REQUEST | {"output_config": own}, {"model": "b", "output_config": entry})
    assert made.get("output_config") == merged
    assert ("output_config" in made) is (merged is not None)


def test_requests_with_a_fixed_answer_are_known() -> None:
    """By their fields, whatever odd values are in them."""
    assert not structured({"output_config": "odd"})
    assert not structured({"output_config": {"effort": "low"}})
    assert not forced_tool({"tool_choice": {"type": "auto"}})
    assert not forced_tool({"tool_choice": "odd"})
