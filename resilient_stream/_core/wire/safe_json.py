"""Parses JSON from outside safely, and makes values fit to be sent as JSON.

JSON from outside may be nested without end, and hold numbers of any length, halves of surrogate pairs, NaN
and infinity. Python's parser accepts some of this and fails on the rest in several ways; `parse` fails in
one way. A request is UTF-8 and strict JSON, which allows no halves, no NaN and no infinity; `encodable`
replaces them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

MAX_DEPTH: Final = 200
"""How deep JSON may be nested: the limit of jiter, with which the SDK reads the inputs of tools. What the API
sends has about ten levels, and an input rarely more."""

LONGEST_ID: Final = 200
"""The most characters that are kept of an id. The API's own have about thirty."""

_LONE_HALVES: Final = re.compile("[\ud800-\udfff]")
_REPLACEMENT: Final = "\ufffd"


def parse(text: str) -> Any:
    """The value that ``text`` represents.

    Raises:
        ValueError: it is not JSON, or nested more than `MAX_DEPTH` deep, or has a number of more digits than
            Python reads.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise ValueError("nested too deeply")
    return value


def _is_deeper(value: Any, limit: int) -> bool:
    """Whether containers are nested more than ``limit`` levels deep."""
    level = [value] if isinstance(value, list | dict) else []
    for _ in range(limit):
        inner = (each for one in level for each in (one.values() if isinstance(one, dict) else one))
        level = [each for each in inner if isinstance(each, list | dict)]
    return bool(level)


def encodable(value: Any, depth: int = MAX_DEPTH) -> Any:
    """``value`` in a form that a request can contain: the same object if it needs no change.

    Halves of surrogate pairs become U+FFFD, and NaN and infinity become null, as they do in JavaScript.

    Args:
        value: JSON as Python has it. A model of the SDK's becomes its fields where it can't be sent as it is;
            all else that is not JSON is left alone.
        depth: levels that are looked at; deeper ones are left alone.
    """
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "model_dump"):
        fields: object = value.model_dump(exclude_unset=True, warnings=False)
        fit: object = encodable(fields, depth)
        return value if fit is fields else fit
    if depth == 0 or not isinstance(value, Mapping | list | tuple):
        return value
    if isinstance(value, Mapping):
        pairs = {encodable(name): encodable(each, depth - 1) for name, each in value.items()}
        unchanged = all(name in pairs and pairs[name] is each for name, each in value.items())
        return value if unchanged else pairs
    items = [encodable(each, depth - 1) for each in value]
    return value if all(a is b for a, b in zip(items, value, strict=True)) else items


def whole_names(value: Any) -> Any:
    """``value`` with U+FFFD for each lone half in the names of its fields, on which pydantic fails: the same
    object if there is none.

    Args:
        value: what `parse` has returned.
    """
    if isinstance(value, dict):
        pairs = {whole(name): whole_names(each) for name, each in value.items()}
        unchanged = all(name in pairs and pairs[name] is each for name, each in value.items())
        return value if unchanged else pairs
    if isinstance(value, list):
        items = [whole_names(each) for each in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


def is_encodable(value: Any) -> bool:
    """Whether a request can contain ``value`` unchanged."""
    fit: object = encodable(value)
    return fit is value


def identifier(value: object) -> str | None:
    """An id from outside for reports and logs, cut to `LONGEST_ID`; None if it is not text."""
    return whole(value[:LONGEST_ID]) if isinstance(value, str) else None


def whole(text: str) -> str:
    """``text`` with U+FFFD for each lone half of a surrogate pair."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _LONE_HALVES.sub(_REPLACEMENT, text)
    return text
