"""The environment variable ``RESILIENT_STREAM``, which changes every policy of a process without a deploy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from resilient_stream.errors import PolicyError

from .model import RetryPolicy
from .presets import preset_fields

SWITCH: Final = "RESILIENT_STREAM"
"""The environment variable."""

SWITCHES: Final = ("off", "observe")
"""Its values: the presets that only switch something off."""


def environment_override(policy: RetryPolicy, environ: Mapping[str, str] = os.environ) -> RetryPolicy:
    """The policy after ``RESILIENT_STREAM`` was applied: ``off``, ``observe``, or unchanged.

    The variable only switches off: a policy with ``enabled=False`` stays off under ``observe``.

    Raises:
        PolicyError: the variable has any other value. A misspelt value must not be ignored.
    """
    word = environ.get(SWITCH, "").strip().lower()
    if not word:
        return policy
    if word not in SWITCHES:
        raise PolicyError(f"{SWITCH}={environ[SWITCH]!r} in the environment: should be off, observe or empty")
    return policy.replace(**preset_fields(word))  # replace() checks them
