"""The part of a policy that the core acts on."""

from __future__ import annotations

import math
from typing import Any

from resilient_stream._core.settings import Settings

from .model import RetryPolicy


def settings_of(policy: RetryPolicy) -> Settings:
    """The core's settings of a policy: its fields of the same names.

    No deadline is an infinite one, and each fallback model is a mapping of request fields.
    """
    known: dict[str, Any] = {name: getattr(policy, name) for name in Settings._fields}
    known["deadline"] = math.inf if policy.deadline is None else policy.deadline
    known["fallback_models"] = tuple(
        {"model": entry} if isinstance(entry, str) else dict(entry) for entry in policy.fallback_models
    )
    return Settings(**known)
