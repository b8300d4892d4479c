"""Hypothesis as the laws want it: no deadline, and the same examples in every ordinary run."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.laws.sizes import EXAMPLES, LARGE

settings.register_profile(
    "laws",
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not LARGE,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("laws")
