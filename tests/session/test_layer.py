"""Which calls are protected, what their histories become, and what streams of one client share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from resilient_stream import Pin, RetryBudget, RetryPolicy, policy_option, policy_scope
from resilient_stream._core.plan.planner import Step
from resilient_stream._core.turn.transcript import Block
from resilient_stream._policy.scope import HEADER
from resilient_stream._session.layer import MOST_REFUSALS, MOST_TENANTS, Layer, Refusals

BODY: dict[str, Any] = {"model": "claude-opus-5", "messages": [{"role": "user", "content": "Tides?"}]}
UNSENDABLE = [
    {"role": "user", "content": "Tides?"},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": ""}]},
    {"role": "user", "content": "Go on."},
]
ASK = {"method": "POST", "path": "/v1/messages", "streams": True, "body": BODY}


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({}, None),
        ({"path": "/gateway/v1/messages", "method": "post"}, None),
        ({"streams": False}, "not a stream"),
        ({"method": "GET"}, "not a request for a message"),
        ({"path": "/v1/messages/count_tokens"}, "not a request for a message"),
        ({"path": "/v1/messages/batches"}, "not a request for a message"),
        ({"body": None}, "the body is not a JSON object"),
        ({"body": [BODY]}, "the body is not a JSON object"),
    ],
)
def test_a_stream_of_a_message_is_protected_and_nothing_else(
    other: dict[str, Any], reason: str | None
) -> None:
    """What is not protected is so for a reason that can be told."""
    known: Any = {**ASK, **other}
    assert Layer(RetryPolicy()).why_not(**known) == reason
    assert Layer(RetryPolicy.preset("off")).why_not(**known) == "the policy is switched off"


def test_a_history_is_healed_where_the_api_would_refuse_it() -> None:
    """On the endpoints that take one, unless the policy leaves it alone; the caller's body is not changed."""
    layer, body = Layer(RetryPolicy()), {**BODY, "messages": UNSENDABLE}
    for path in ("/v1/messages", "/v1/messages/count_tokens"):
        healed = layer.healed(path, body)
        assert healed is not None
        assert healed["messages"] == [UNSENDABLE[0], UNSENDABLE[2]]
        assert healed["model"] == body["model"]
    assert body["messages"] is UNSENDABLE
    assert len(UNSENDABLE) == 3
    for other in (BODY, {"messages": "no list"}, None, "text"):
        assert layer.healed("/v1/messages", other) is None
    assert layer.healed("/v1/complete", body) is None
    for leaving in (RetryPolicy(heal_history=False), RetryPolicy.preset("off")):
        assert Layer(leaving).healed("/v1/messages", body) is None


OPAQUE = ["prod-writer", "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3", ""]
SIGNED = {"type": "thinking", "thinking": "whole", "signature": "c2ln"}
SAID = {"type": "text", "text": "So."}


def answered(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    """A history of one answer."""
    return [*BODY["messages"], {"role": "assistant", "content": list(blocks)}, UNSENDABLE[2]]


def left(model: str, *blocks: dict[str, Any], later: Sequence[Any] = ()) -> Any:
    """What an answer becomes in a request to a model; None where nothing changes."""
    body = {"model": model, "messages": [*answered(*blocks), *later]}
    healed = Layer(RetryPolicy()).healed("/v1/messages", body)
    return None if healed is None else healed["messages"][1]["content"]


@pytest.mark.parametrize("model", [*OPAQUE, "claude-opus-5", "eu.anthropic.claude-opus-5-v1:0"])
@pytest.mark.parametrize("mark", [SIGNED, {"type": "redacted_thinking", "data": "c2ln"}])
def test_a_history_is_healed_by_what_it_holds(model: str, mark: dict[str, Any]) -> None:
    """A thought without a signature goes where another one is signed, in its turn or in another, whatever the model is called."""
    cut = {"type": "thinking", "thinking": "a cut thought", "signature": ""}
    assert left(model, cut, mark, SAID) == [mark, SAID]
    assert left(model, cut, SAID, later=answered(mark, SAID)[1:]) == [SAID]


@pytest.mark.parametrize("model", OPAQUE)
def test_a_thought_that_was_cut_here_is_known_again(model: str) -> None:
    """By its text, also where no other is signed; one of another model's own stays, as its host wants it."""
    thought = {"type": "thinking", "thinking": "a thought of another model's"}
    assert left(model, thought, SAID) is None
    turn = Layer(RetryPolicy()).begin(BODY).record.turn
    turn.blocks = [Block({"type": "thinking", "thinking": f"a cut thought of {model}"})]
    turn.abandon(unanswered=True)
    cut = {"type": "thinking", "thinking": f"a cut thought of {model}", "signature": ""}
    assert left(model, cut, thought, SAID) == [thought, SAID]


def test_what_is_chosen_for_a_call_counts_for_that_call() -> None:
    """Another policy has a layer of its own, which shares what was learnt; without one it is the very same."""
    layer, other = Layer(RetryPolicy()), RetryPolicy(max_attempts=2)
    assert layer.chosen() is layer
    with policy_scope(layer.policy):
        assert layer.chosen() is layer
    with policy_scope(other):
        assert layer.chosen().policy is other
    chosen = layer.chosen(policy_option(other)[HEADER])
    assert chosen.policy is other
    assert chosen.runtime is layer.runtime
    chosen.begin(BODY).planner.refused.add(("m", Step.PREFILL))
    assert ("m", Step.PREFILL) in layer.begin(BODY).planner.refused


def test_tenants_do_not_learn_from_each_other() -> None:
    """What one tenant's model refused says nothing of another's."""
    layer = Layer(RetryPolicy())
    layer.begin(BODY, tenant="a").planner.refused.add(("m", Step.PREFILL))
    assert layer.begin(BODY, tenant="a").planner.refused
    assert not layer.begin(BODY, tenant="b").planner.refused


def test_what_is_remembered_is_bounded() -> None:
    """However many models and tenants there are: the newest are kept."""
    layer = Layer(RetryPolicy())
    for number in range(MOST_TENANTS + 9):
        layer.begin(BODY, tenant=str(number))
    assert len(layer._refused) == MOST_TENANTS
    assert str(MOST_TENANTS + 8) in layer._refused
    refused = Refusals()
    for number in range(MOST_REFUSALS + 9):
        refused.add((str(number), Step.PREFILL))
        refused.add((str(number), Step.PREFILL))
        assert (str(number), Step.PREFILL) in refused
    assert len(refused) == MOST_REFUSALS


def test_a_pinned_conversation_begins_where_it_was_served() -> None:
    """The pin of the block counts, and follows what becomes of the stream."""
    layer = Layer(RetryPolicy(fallback_models=("claude-sonnet-5",)))
    with Pin("claude-sonnet-5") as pin:
        context = layer.begin(BODY)
    assert context.planner.model == context.watch.stream.model == "claude-sonnet-5"
    context.machine(lambda failure: RuntimeError(failure.kind)).start(0.0)
    context.record.ledger.outcome = "failed"
    assert pin.model is None


def test_a_budget_of_the_callers_is_drawn_on() -> None:
    """One that was given with the policy is the stream's from the start; none is none."""
    own = RetryBudget()
    for budget, wanted in ((own, own), (None, None), ("shared", None)):
        policy = RetryPolicy(budget=budget)  # type: ignore[arg-type]  # a list's type is wider
        assert Layer(policy).begin(BODY).judge._turns.view is wanted
