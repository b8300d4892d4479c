import pytest

from resilient_stream import Observer, RedisBudget, RetryBudget, RetryPolicy
from resilient_stream._gateway.errors import Refused
from resilient_stream._gateway.policies import Policies, tenant
from resilient_stream._gateway.request import Incoming


def naming(policy: str) -> Incoming:
    """A request that names a policy."""
    return Incoming("POST", b"/v1/messages", [(b"resilient-policy", policy.encode())])


def test_a_request_without_a_name_has_the_gateways_policy() -> None:
    """Watched by the gateway and by the policy's own observers."""
    own, ours = Observer(), Observer()
    policies = Policies(RetryPolicy(max_attempts=3, observers=(own,)), ours)
    policy = policies.of(Incoming("POST", b"/v1/messages", [])).policy
    assert (policy.max_attempts, policy.observers) == (3, (own, ours))


def test_a_request_names_a_preset() -> None:
    """Watched as well, and read once."""
    ours = Observer()
    policies = Policies(None, ours)
    layer = policies.of(naming("batch"))
    assert layer.policy == RetryPolicy.preset("batch").replace(observers=(ours,))
    assert policies.of(naming("batch")) is layer


def test_presets_draw_on_the_budget_that_processes_share() -> None:
    """If the gateway's own policy does; a preset that has none stays without."""
    with RedisBudget("redis://127.0.0.1:1/0") as budget:
        policies = Policies(RetryPolicy(budget=budget), Observer())
        assert policies.of(naming("batch")).policy.budget is budget
        assert policies.of(naming("observe")).policy.budget is None
    assert (
        Policies(RetryPolicy(budget=RetryBudget()), Observer()).of(naming("batch")).policy.budget == "shared"
    )


def test_all_policies_learn_together() -> None:
    """What a model has refused is known whatever policy a request names."""
    policies = Policies(None, Observer())
    assert policies.of(naming("batch"))._refused is policies._own._refused


@pytest.mark.parametrize("name", ["x", "../batch", "batch.toml", "max_attempts = 9", "BATCH"])
def test_only_presets_can_be_named(name: str) -> None:
    """No file, and no text."""
    with pytest.raises(Refused) as refused:
        Policies(None, Observer()).of(naming(name))
    assert refused.value.status == 400


def test_tenants_are_credentials() -> None:
    """The same for the same, another for another, and not the credential itself."""
    one, same, bearer, none = (
        tenant(Incoming("POST", b"/", headers))
        for headers in (
            [(b"x-api-key", b"sk-1")],
            [(b"x-api-key", b"sk-1"), (b"x-other", b"1")],
            [(b"authorization", b"sk-1")],
            [],
        )
    )
    assert one == same
    assert len({one, bearer, none}) == 3
    assert "sk-1" not in one
