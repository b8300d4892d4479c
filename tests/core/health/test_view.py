"""What a stream asks of a view, and tells it."""

from __future__ import annotations

from resilient_stream._core.health.view import Claim, View
from resilient_stream._policy.budget import RetryBudget


def test_the_budget_of_a_process_is_a_view() -> None:
    """What the core declares, the retry budget answers."""
    view: View = RetryBudget(reserve=1)
    claim = Claim(model="m", longest=8.0)
    assert view.balance == 1
    assert view.ask(0.0, claim) is None
    assert view.ask(0.0, Claim(model="m")) is not None


def test_what_a_view_keeps_with_a_claim_is_not_shown() -> None:
    """The repr of a claim leads to no other stream."""
    assert "held" not in repr(Claim(held="somebody", paid="somebody"))
