"""Which streams share a retry budget."""

from __future__ import annotations

import os
from typing import Any

import pytest

from resilient_stream._policy.accounts import Registry, account, shared_budget


def test_one_budget_per_api_and_credential() -> None:
    """The same pair shares a budget, a slash apart or not; any other pair has its own."""
    one = shared_budget("https://api.example", "key-1")
    assert shared_budget("https://api.example/", "key-1") is one
    others = [
        shared_budget("https://api.example", "key-2"),
        shared_budget("https://api.example", None),
        shared_budget("https://api.example", "None"),
        shared_budget("https://other.example", "key-1"),
    ]
    assert len({id(budget) for budget in [one, *others]}) == 5


SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA1/20261121/us-east-1/bedrock/aws4_request, Signature="


@pytest.mark.parametrize(
    ("url", "headers", "expected"),
    [
        ("https://api.example/v1/messages?beta=true", {"x-api-key": "k"}, ("https://api.example", "k")),
        ("https://gate.example/team/v1/messages", {"x-api-key": "k"}, ("https://gate.example/team", "k")),
        (
            "https://v.example/v1/projects/p/models/m",
            {"authorization": "Bearer t"},
            ("https://v.example", "Bearer t"),
        ),
        (
            "https://b.example:8/model/claude/invoke",
            {"authorization": SIGNED + "1"},
            ("https://b.example:8", "AKIA1"),
        ),
        (
            "https://b.example:8/model/other/invoke",
            {"authorization": SIGNED + "2"},
            ("https://b.example:8", "AKIA1"),
        ),
        ("https://b.example/v1/messages", {}, ("https://b.example", None)),
    ],
)
def test_an_account_is_a_base_url_and_a_credential(url: str, headers: dict[str, str], expected: Any) -> None:
    """Neither the model nor the signature of one request makes another account; a gateway's path does."""
    assert account(url, headers) == expected


def test_address_and_credential_do_not_run_together() -> None:
    """The border between address and credential is part of the key."""
    registry = Registry()
    assert registry.budget("https://a", "bc") is not registry.budget("https://ab", "c")


def test_no_credential_is_kept() -> None:
    """Neither the credential nor a plain digest of it is in the registry: its digests are its own."""
    first, second = Registry(), Registry()
    for registry in (first, second):
        registry.budget("https://user:hunter2@api.example", "sk-ant-hidden")
    kept = repr(vars(first))
    assert "sk-ant" not in kept
    assert "hunter2" not in kept
    assert first._budgets.keys() != second._budgets.keys()


def test_the_registry_is_bounded_and_drops_the_unused() -> None:
    """Beyond its size the registry forgets the budget longest unused, never one in use."""
    registry = Registry(largest=3)
    busy, idle = registry.budget("u", "busy"), registry.budget("u", "idle")
    for number in range(10):
        registry.budget("u", str(number))
        assert registry.budget("u", "busy") is busy
    assert len(registry._budgets) == 3
    assert registry.budget("u", "idle") is not idle


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_budgets_of_its_own() -> None:
    """It waits for no lock that a thread of its parent had taken, and starts with a full supply."""
    registry = Registry()
    budget = registry.budget("https://a", "b")
    with registry._lock:
        child = os.fork()
        if child == 0:  # pragma: no cover -- another process
            os._exit(registry.budget("https://a", "b") is budget or len(registry._budgets) != 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert registry.budget("https://a", "b") is budget
