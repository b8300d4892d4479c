"""Which models accept a conversation that ends with an assistant turn.

Models up to the 4.5 family accept it; later ones refuse it. An unknown id is treated as a new model.
"""

from __future__ import annotations

import re
from typing import Final

DECORATION: Final = re.compile(
    r"^(?:.*/)?(?:[a-z]+\.)*(?:anthropic[./])?|(?:@|-)(?:\d{8}|latest|default)\b|-v\d+(?::\d+)?$"
)
"""What Bedrock, Vertex and dated ids add to a model's name."""

ACCEPTS_PREFILL: Final = frozenset(
    {
        "claude-haiku-4-5",
        "claude-opus-4-5",
        "claude-sonnet-4-5",
        "claude-opus-4-1",
        "claude-opus-4-0",
        "claude-opus-4",
        "claude-sonnet-4-0",
        "claude-sonnet-4",
        "claude-3-7-sonnet",
        "claude-3-5-sonnet",
        "claude-3-5-haiku",
        "claude-3-opus",
        "claude-3-haiku",
    }
)


def bare_name(model: str) -> str:
    """A model id without the host's additions and without a date."""
    return DECORATION.sub("", model)


def accepts_prefill(model: str) -> bool:
    """Whether a model continues a final assistant turn."""
    return bare_name(model) in ACCEPTS_PREFILL


LISTED: Final = (
    "claude-opus-5",
    "claude-sonnet-5",
    "claude-opus-4-6",
    "claude-sonnet-4-6",
    "claude-opus-4-5",
    "claude-sonnet-4-5",
    "claude-haiku-4-5",
)
"""The models that ``GET /v1/models`` lists, the newest first. Messages are answered under any name."""
