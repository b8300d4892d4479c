"""Usage as the API reports it: cumulative numbers, of which the last counts, unless it is empty.

A gateway that does not know a number sends 0 or null, or leaves the object out. Numbers never shrink, so such
a value does not replace an earlier one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from .safe_json import LONGEST_ID, whole

MOST_NAMES: Final = 100
"""The most names that are kept of one attempt's usage. The API's own usage has about ten."""
LONGEST_VALUE: Final = 16 * 1024
"""The most characters of JSON that are kept under one name. The longest value that the API sends is the list
of iterations, with about 200 for each."""


def bounded(told: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a usage object that is kept besides the known names: a limited number of names, and values
    of limited length."""
    room = MOST_NAMES - len(known)
    kept = dict[str, Any]()
    for name, value in told.items():
        if (name in known or room > 0) and len(name) <= LONGEST_ID and _short(value):
            room -= name not in known
            kept[whole(name)] = value
    return kept


def _short(value: Any) -> bool:
    if value is None or isinstance(value, float) or (isinstance(value, int) and value.bit_length() < 64):
        return True  # as nearly all are; writing one as JSON takes 6 us
    return len(json.dumps(value)) <= LONGEST_VALUE


def kept(before: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """The reported usage, with the earlier numbers in place of empty ones."""
    return {name: _known(before.get(name), value) for name, value in told.items()}


def shown(before: Mapping[str, Any], told: Any) -> dict[str, Any]:
    """The usage that a ``message_delta`` has to show: the SDK needs it, with its output tokens."""
    usage = kept(before, told if isinstance(told, Mapping) else {})
    if usage.get("output_tokens") is None:
        usage["output_tokens"] = before.get("output_tokens") or 0
    return usage


def _known(before: Any, value: Any) -> Any:
    if isinstance(before, Mapping) and isinstance(value, Mapping):
        return kept(before, value)
    return before if before and value in (None, 0) else value
