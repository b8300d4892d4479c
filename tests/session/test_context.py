"""The parts of one stream."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from resilient_stream import RedisBudget, RetryBudget, RetryPolicy
from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._policy.accounts import shared_budget
from resilient_stream._session.layer import Layer

BODY: dict[str, Any] = {"model": "claude-opus-5", "messages": [{"role": "user", "content": "Tides?"}]}
URL = httpx2.URL("https://context.test/v1/messages")


def test_a_machine_has_the_parts_of_its_stream() -> None:
    """What the machine notes is what is reported, and it raises what the adapter makes."""
    context, raised = Layer(RetryPolicy()).begin(BODY), KeyError()
    machine = context.machine(lambda failure: raised)
    assert machine.record is context.record
    assert machine.error_for(Failure(Kind.RESET, Phase.BODY)) is raised


def test_streams_to_one_account_draw_on_one_budget() -> None:
    """By address and credential, known once the first request is made."""
    one, two, other = (Layer(RetryPolicy()).begin(BODY) for _ in range(3))
    one.addressed(URL, {"x-api-key": "a"})
    two.addressed(URL.copy_with(path="/v1/messages/x"), {"x-api-key": "a"})
    other.addressed(URL, {"x-api-key": "b"})
    assert one.judge._turns.view is two.judge._turns.view is shared_budget("https://context.test", "a")
    assert other.judge._turns.view is shared_budget("https://context.test", "b")


def test_streams_of_processes_draw_on_the_budget_that_these_share() -> None:
    """Each account has one of its own there, too."""
    with RedisBudget("redis://127.0.0.1:1/0") as budget:
        budget.close()  # no thread is needed
        one, other = (Layer(RetryPolicy(budget=budget)).begin(BODY) for _ in range(2))
        one.addressed(URL, {"x-api-key": "a"})
        other.addressed(URL, {"x-api-key": "b"})
        assert one.judge._turns.view is budget.budget("https://context.test", "a")
        assert other.judge._turns.view is budget.budget("https://context.test", "b")


@pytest.mark.parametrize("budget", [None, RetryBudget()])
def test_another_budget_stays_what_it_is(budget: RetryBudget | None) -> None:
    """A policy without the shared budget is never given it."""
    context = Layer(RetryPolicy(budget=budget)).begin(BODY)
    context.addressed(URL, {})
    assert context.judge._turns.view is budget


def test_who_answers_is_told_as_soon_as_it_is_known() -> None:
    """At the call if the address is known then, else with the first request; the provider is as it was said."""
    stream = Layer(RetryPolicy()).begin(BODY).watch.stream
    assert (stream.provider, stream.server_address) == ("anthropic", None)
    context = Layer(RetryPolicy()).begin(BODY, url=URL, provider="aws.bedrock")
    assert context.watch.stream.server_address == "context.test"
    context.addressed(httpx2.URL("http://other.test:81"), {})
    stream = context.watch.stream
    assert (stream.provider, stream.server_address, stream.server_port) == ("aws.bedrock", "other.test", 81)
