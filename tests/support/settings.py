"""Settings for tests of the core."""

from __future__ import annotations

from typing import Any

from resilient_stream._core.settings import Settings
from resilient_stream._policy.settings import settings_of
from resilient_stream.policy import RetryPolicy


def settings_with(**fields: Any) -> Settings:
    """The core's settings of the default policy with these fields changed."""
    return settings_of(RetryPolicy(**fields))
