"""The part of a policy that the core acts on."""

from __future__ import annotations

import math

from resilient_stream import RetryPolicy
from resilient_stream._core.settings import Settings
from resilient_stream._policy.settings import settings_of


def test_every_setting_is_the_policys_field_of_that_name() -> None:
    """What a policy says is what the core acts on, defaults included: they are written in one place."""
    for policy in (RetryPolicy(), RetryPolicy.preset("agent"), RetryPolicy.preset("interactive")):
        for name in Settings._fields:
            if name not in ("deadline", "fallback_models"):
                assert getattr(settings_of(policy), name) == getattr(policy, name), name


def test_a_deadline_is_a_number() -> None:
    """No deadline is one that never comes."""
    assert settings_of(RetryPolicy()).deadline == math.inf
    assert settings_of(RetryPolicy(deadline=9)).deadline == 9


def test_a_fallback_is_a_mapping() -> None:
    """A model's name alone changes the model alone; the policy's own mapping is not shared."""
    policy = RetryPolicy(fallback_models=("m", {"model": "n", "max_tokens": 5}))
    made = settings_of(policy).fallback_models
    assert made == ({"model": "m"}, {"model": "n", "max_tokens": 5})
    assert made[1] is not policy.fallback_models[1]
