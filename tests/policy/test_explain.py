"""A policy in plain words."""

from __future__ import annotations

import random

import pytest
import tenacity

from resilient_stream._core.failures import (
    CONNECTION_KINDS,
    FINAL_KINDS,
    RETRYABLE_KINDS,
    Failure,
    Kind,
    Phase,
)
from resilient_stream._core.verdict import History, Retry
from resilient_stream._policy.judge import Judgement
from resilient_stream.policy import RetryPolicy

MET = sorted(set(Kind) - {Kind.BUDGET})
"""The kinds of failure that an attempt can have."""


def retried(policy: RetryPolicy, failure: Failure) -> bool:
    """What the judge does."""
    judge = Judgement(policy, random.Random(0), None)
    history = History(started=0.0, now=0.0, attempts=1, barren=1)
    return isinstance(judge.verdict(failure, history, ConnectionError("lost")), Retry)


def lines(policy: RetryPolicy) -> dict[str, str]:
    """The lines of an explanation by their first word."""
    return {line.split()[0].rstrip(":"): line for line in policy.explain().splitlines() if line}


@pytest.mark.parametrize("kind", MET)
@pytest.mark.parametrize(
    "policy",
    [RetryPolicy(), RetryPolicy(retry_on={"reset"}), *map(RetryPolicy.preset, ["batch", "agent", "observe"])],
    ids=["default", "reset", "batch", "agent", "observe"],
)
def test_the_explanation_agrees_with_the_verdict(policy: RetryPolicy, kind: Kind) -> None:
    """What the table says of a kind is what the judge does."""
    plain = retried(policy, Failure(kind, Phase.BODY))
    allowed = retried(policy, Failure(kind, Phase.BODY, should_retry=True))
    said = " yes " if plain else " only if x-should-retry: true " if allowed else " never "
    assert said in lines(policy)[kind]


@pytest.mark.parametrize("kind", MET)
def test_the_explanation_tells_class_and_limit_of_each_kind(kind: Kind) -> None:
    """A kind's line has its class, and how many in a row."""
    said = lines(RetryPolicy(max_barren_attempts=5))[kind].split()
    if kind in FINAL_KINDS:
        assert said[1] == "final"
    else:
        assert said[1] == ("connection" if kind in CONNECTION_KINDS else "overload")
        assert "yes 5 in a row" in " ".join(said)


@pytest.mark.parametrize("kind", sorted(RETRYABLE_KINDS))
def test_the_explanation_tells_the_wait_of_each_kind(kind: Kind) -> None:
    """A kind's line ends with its own range."""
    broken, patient = "none after progress, else up to 0.5 s, doubling to 8 s", "up to 1 s, doubling to 30 s"
    assert lines(RetryPolicy())[kind].endswith(f"  {broken if kind in CONNECTION_KINDS else patient}")


def test_the_explanation_tells_limits() -> None:
    """The limits are in the text, with their numbers."""
    said = RetryPolicy(deadline=90, retry_after_max=20, max_input_multiple=2).explain()
    for part in [
        "Requests: at most 16, 8 in a row without progress.",
        "Deadline: no request is sent later than 90 s after the call.",
        "Retry-After: obeyed up to 20 s; above that, the stream gives up.",
        "at most 2 times",
        "Retry budget: shared. A retry that it does not cover waits for its turn.",
        "Waits for a turn count toward the limits above",
        "Timeouts: 5 s to connect, 300 s until the first event, 300 s without a byte, 600 s with nothing but pings.",
        "If one of the last three fires, it doubles for the next attempt, up to four times its value.",
        "Continuation: auto. A seam that can't be verified: accept.",
        "Blocks held until complete: tool_use.",
    ]:
        assert part in said
    assert "own strategies" not in said


def test_the_explanation_tells_what_is_not_limited() -> None:
    """Limits that are off are said to be off, and the user's own strategies are named."""
    policy = RetryPolicy(
        enabled=False,
        max_input_multiple=None,
        budget=None,
        stop=tenacity.stop_never,
        wait=tenacity.wait_none(),
        retry=tenacity.retry_always,
    )
    said = policy.explain()
    assert said.startswith("The policy is switched off")
    for part in [
        "Deadline: none.",
        "Billed input: no limit.",
        "Retry budget: none.",
        "also decide: stop, retry.",
    ]:
        assert part in said
    assert "decided by the policy's own strategy" in lines(policy)["reset"]


def test_the_explanation_names_the_models_that_follow() -> None:
    """In their order, and when they are asked; nothing else of a fallback's fields."""
    said = RetryPolicy(fallback_models=["claude-a", {"model": "claude-b", "system": "sparrow"}]).explain()
    beyond = "gives up or, after an overload or a rate limit, goes on with the next model."
    assert f"up to 60 s; above that, the stream {beyond}" in said
    assert "in a row, it asks the next of these models: claude-a, claude-b." in said
    assert "sparrow" not in said


def test_the_explanation_of_one_request_has_no_limits_of_more() -> None:
    """Where nothing is retried, nothing is said of how."""
    said = RetryPolicy.preset("observe").replace(stop=tenacity.stop_never).explain()
    assert said.split("\n\n")[1].splitlines() == [
        "Requests: one, and never another.",
        "Timeouts: 5 s to connect, 300 s until the first event, 300 s without a byte, 600 s with nothing but pings.",
        "Continuation: never. A seam that can't be verified: accept.",
        "Blocks held until complete: none.",
    ]


def test_the_explanation_is_aligned() -> None:
    """The table's columns stand under one another."""
    table = RetryPolicy().explain().split("\n\n")[0].splitlines()
    assert {line.index("  yes") for line in table if "  yes" in line} == {table[0].index("  retried")}
    assert all(line == line.rstrip() for line in table)
