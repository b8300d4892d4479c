"""Usage as it is told: cumulative numbers, the last of which counts, unless it says nothing.

A gateway that does not know a number spells it 0 or null, or leaves the object out. The numbers never
shrink, so such a value takes nothing back of what was told before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def kept(before: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """What was told, with the numbers from before in place of those that say nothing."""
    return {name: _known(before.get(name), value) for name, value in told.items()}


def shown(before: Mapping[str, Any], told: Any) -> dict[str, Any]:
    """The usage that a ``message_delta`` has to show: the SDK can't do without it, nor without its output."""
    usage = kept(before, told if isinstance(told, Mapping) else {})
    if usage.get("output_tokens") is None:
        usage["output_tokens"] = before.get("output_tokens") or 0
    return usage


def _known(before: Any, value: Any) -> Any:
    if isinstance(before, Mapping) and isinstance(value, Mapping):
        return kept(before, value)
    return before if before and value in (None, 0) else value
