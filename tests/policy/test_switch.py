"""The switch in the environment."""

from __future__ import annotations

import pytest

from resilient_stream import PolicyError, RetryPolicy
from resilient_stream._policy.switch import environment_override


@pytest.mark.parametrize("environ", [{}, {"RESILIENT_STREAM": ""}, {"RESILIENT_STREAM": "  "}], ids=str)
def test_without_the_switch_nothing_changes(environ: dict[str, str]) -> None:
    """An unset or empty variable leaves the policy the very same."""
    policy = RetryPolicy(max_attempts=3)
    assert environment_override(policy, environ) is policy


@pytest.mark.parametrize("word", ["off", "OFF", " off "])
def test_off_switches_off(word: str) -> None:
    """RESILIENT_STREAM=off disables, and keeps the rest."""
    switched = environment_override(RetryPolicy(max_attempts=3), {"RESILIENT_STREAM": word})
    assert switched == RetryPolicy(max_attempts=3, enabled=False)


def test_observe_never_sends_a_second_request() -> None:
    """RESILIENT_STREAM=observe takes the retries away from any policy, and keeps what does not matter."""
    for policy in (
        RetryPolicy.preset("batch"),
        RetryPolicy(completed_tools="regenerate", wait=lambda _: 1.0, silence_timeout=9),
    ):
        switched = environment_override(policy, {"RESILIENT_STREAM": "observe"})
        assert (switched.max_attempts, switched.continuation, switched.hold) == (1, "never", frozenset())
        assert (switched.silence_timeout, switched.wait) == (policy.silence_timeout, policy.wait)


def test_the_switch_only_takes_away() -> None:
    """A policy that is off stays off."""
    assert not environment_override(RetryPolicy(enabled=False), {"RESILIENT_STREAM": "observe"}).enabled


@pytest.mark.parametrize("word", ["on", "batch", "0", "offf"])
def test_a_misspelt_switch_is_told(word: str) -> None:
    """Any other value is refused with the variable's name and what it may be."""
    with pytest.raises(
        PolicyError, match=f"^RESILIENT_STREAM='{word}' in the environment: should be off, obs"
    ):
        environment_override(RetryPolicy(), {"RESILIENT_STREAM": word})


def test_the_environment_is_the_process_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a mapping the real environment is read, at the moment of the call."""
    monkeypatch.setenv("RESILIENT_STREAM", "off")
    assert not environment_override(RetryPolicy()).enabled
