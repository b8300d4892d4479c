"""The policy as a value."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
import tenacity
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from resilient_stream._core.failures import RETRYABLE_KINDS
from resilient_stream._policy.budget import RetryBudget
from resilient_stream._policy.fields import Continuation, Holdable
from resilient_stream.errors import PolicyError
from resilient_stream.observe import Observer
from resilient_stream.policy import RetryPolicy

PROMISED: dict[str, object] = {
    "enabled": True,
    "max_attempts": 16,
    "max_barren_attempts": 8,
    "deadline": None,
    "wait_initial": 0.5,
    "wait_max": 8,
    "overload_wait_initial": 1,
    "overload_wait_max": 30,
    "retry_after_max": 60,
    "connect_timeout": 5,
    "unreachable_timeout": 60,
    "first_event_timeout": 300,
    "silence_timeout": 300,
    "stall_timeout": 600,
    "retry_on": RETRYABLE_KINDS,
    "continuation": "auto",
    "continuation_template": None,
    "quote_length": 80,
    "unverified": "accept",
    "hold": {"tool_use"},
    "completed_tools": "finish",
    "rerun_server_tools": False,
    "max_tokens": "reduce",
    "usage": "serving",
    "heal_history": True,
    "fallback_models": (),
    "max_input_multiple": 5,
    "budget": "shared",
    "journal_failure": "continue",
    "stop": None,
    "wait": None,
    "retry": None,
    "observers": (),
    "telemetry": True,
}

seconds = st.floats(0.001, 80_000)
texts = st.text(max_size=30)
json_values = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
models = texts.filter(str.strip)
patches = st.builds(
    lambda patch, model: {**patch, "model": model}, st.dictionaries(texts, json_values, max_size=3), models
)
plain_fields = st.fixed_dictionaries(
    {},
    optional={
        "enabled": st.booleans(),
        "max_attempts": st.integers(1, 10**9),
        "deadline": st.none() | st.floats(0.001, 1e12),
        "wait_initial": st.floats(0, 8),
        "wait_max": st.floats(8, 86_400),
        "silence_timeout": seconds,
        "retry_on": st.sets(st.sampled_from(sorted(RETRYABLE_KINDS))),
        "continuation": st.sampled_from(get_args(Continuation)),
        "quote_length": st.integers(40, 400),
        "continuation_template": st.none() | st.builds("{}{{quote}}{}".format, texts, texts),
        "hold": st.sets(st.sampled_from(get_args(Holdable))),
        "fallback_models": st.lists(models | patches, max_size=3),
        "max_input_multiple": st.none() | st.floats(1, 1e9),
        "budget": st.sampled_from(["shared", None]),
    },
)


def test_the_defaults_are_those_promised() -> None:
    """Every field of the contract is there, with its default, and no other."""
    assert RetryPolicy()._values() == PROMISED


def test_every_field_is_documented() -> None:
    """Below each field stands what it means, its default, and the unit where it is a time."""
    source = inspect.getsource(RetryPolicy)
    for name, field in RetryPolicy.model_fields.items():
        documented = source.split(f"    {name}: ", 1)[1].split('"""', 2)
        assert "\n\n" not in documented[0], name
        assert "Default" in documented[1], name
        if "seconds" in (field.description or ""):
            assert "Seconds" in documented[1], name


def test_it_is_frozen() -> None:
    """A policy cannot be changed once it is made."""
    with pytest.raises(ValidationError, match="frozen"):
        RetryPolicy().max_attempts = 3  # type: ignore[misc]  # the mistake


def test_it_is_a_value() -> None:
    """Equal fields make equal policies, which hash, copy and pickle alike; a copy has the same observers and budget."""
    one, other = (RetryPolicy(max_attempts=3, fallback_models=[{"model": "a", "n": [n]}]) for n in (1, 1.0))
    assert one == other != RetryPolicy()
    assert len({one, other}) == 1
    shared = one.replace(observers=[Observer()], budget=RetryBudget())
    assert copy.deepcopy([shared]) == [shared]
    assert copy.copy(shared) is shared.model_copy() is shared.model_copy(deep=True) is shared
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one  # noqa: S301 -- our own bytes


def test_objects_that_do_not_hash_do_no_harm() -> None:
    """A policy hashes whatever the caller's observers and strategies are; equal ones alike."""

    @dataclass
    class Told(Observer):
        lines: list[str]

    one, other = (RetryPolicy(observers=[Told([])], max_attempts=3) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other) != hash(RetryPolicy())


@pytest.mark.parametrize("deep", [False, True])
def test_pydantics_own_copy_is_checked(deep: bool) -> None:
    """What it changes is a new policy, and the old one stays as it was."""
    policy = RetryPolicy(max_attempts=3)
    changed = policy.model_copy(update={"deadline": 9}, deep=deep)
    assert changed == RetryPolicy(max_attempts=3, deadline=9)
    assert policy == RetryPolicy(max_attempts=3)
    with pytest.raises(PolicyError, match="max_attempts = 0"):
        policy.model_copy(update={"max_attempts": 0}, deep=deep)


@pytest.mark.parametrize(
    "pair", [("wait_initial", "wait_max"), ("overload_wait_initial", "overload_wait_max")]
)
def test_a_first_wait_above_the_last_is_told(pair: tuple[str, str]) -> None:
    """A backoff cannot begin above its ceiling; the two fields and values are named."""
    low, high = pair
    fields: Any = {low: 10, high: 9.5}
    with pytest.raises(PolicyError, match=rf"^{low} = 10 should not exceed {high} = 9.5 \(seconds\)$"):
        RetryPolicy(**fields)
    fields[high] = 10
    RetryPolicy(**fields)


def test_calls_cannot_be_taken_back() -> None:
    """Regenerating tool calls that are not held is a contradiction, and told as one."""
    RetryPolicy(completed_tools="regenerate")
    with pytest.raises(
        PolicyError, match='completed_tools = "regenerate" should come with "tool_use" in hold'
    ):
        RetryPolicy(completed_tools="regenerate", hold={"thinking"})


def test_replace_changes_a_copy() -> None:
    """replace() gives a new policy with the rest as it was, objects included."""
    own = RetryPolicy(max_attempts=3, budget=RetryBudget(), stop=tenacity.stop_never)
    changed = own.replace(deadline=9)
    assert (changed.max_attempts, changed.deadline, own.deadline) == (3, 9, None)
    assert changed.budget is own.budget
    assert changed.stop is own.stop


@pytest.mark.parametrize("wrong", [{"max_attempts": 0}, {"wait_max": 0.1}, {"max_attemps": 1}], ids=str)
def test_replace_checks_again(wrong: Any) -> None:
    """A change is checked as a new policy is, against the fields that stay too."""
    with pytest.raises(PolicyError):
        RetryPolicy().replace(**wrong)


def wordy(policy: RetryPolicy) -> bool:
    """Whether there are words in it that no log should have."""
    patches = [entry for entry in policy.fallback_models if not isinstance(entry, str)]
    values = [value for patch in patches for name, value in patch.items() if name != "model"]
    plain = all(value is None or isinstance(value, int | float) for value in values)
    return policy.continuation_template is not None or not plain


@settings(deadline=None)
@given(plain_fields)
def test_its_repr_is_short_and_makes_it_again(fields: Any) -> None:
    """The repr shows what differs from the defaults, and evaluates to an equal policy; where words are left out, not at all."""
    policy = RetryPolicy(**fields)
    if wordy(policy):
        with pytest.raises(SyntaxError):
            compile(repr(policy), "repr", "eval")
    else:
        assert eval(repr(policy), {"RetryPolicy": RetryPolicy}) == policy  # noqa: S307 -- our own
    assert str(policy) == repr(policy)
    for name, value in PROMISED.items():
        assert (f"{name}=" in repr(policy)) >= (getattr(policy, name) != value)


def test_the_repr_of_the_default_is_empty() -> None:
    """A default, even where it is spelt out, is not shown."""
    assert repr(RetryPolicy(max_attempts=16)) == "RetryPolicy()"
    assert repr(RetryPolicy(hold={"tool_use", "thinking"}, wait_max=9)) == (
        "RetryPolicy(wait_max=9.0, hold={'thinking', 'tool_use'})"
    )


WORDS: dict[str, Any] = {
    "continuation_template": "a sparrow in {quote}",
    "fallback_models": [
        "a",
        {"model": "b", "max_tokens": 9, "system": "a sparrow", "tools": [{"x": "sparrow"}]},
    ],
}


def test_prompts_and_secrets_stay_out_of_what_is_printed() -> None:
    """Lengths and names of fields are shown, not what they hold; models and numbers are."""
    policy = RetryPolicy().replace(**WORDS)
    assert repr(policy) == (
        "RetryPolicy(continuation_template=<20 characters>, fallback_models=('a', "
        "{'model': 'b', 'max_tokens': 9, 'system': <9 characters>, 'tools': <list>}))"
    )
    assert "sparrow" not in f"{policy} {policy.explain()} {[policy]} {list(policy.__repr_args__())}"
    wrong: list[dict[str, Any]] = [
        {"continuation_template": "a sparrow"},
        {"fallback_models": {"system": "a sparrow"}},
        {"fallback_models": [{"model": "", "system": "a sparrow"}]},
        {"fallback_models": [{"model": ["a sparrow"]}]},
        {"fallback_models": [{"model": "b", "stream": True, "system": "a sparrow"}]},
        {"fallback_models": [{"model": "b", "system": "a sparrow", "metadata": object()}]},
    ]
    for fields in wrong:
        with pytest.raises(PolicyError) as caught:
            RetryPolicy(**fields)
        with pytest.raises(ValidationError) as pydantics:
            RetryPolicy.model_validate(fields)
        assert str(caught.value) in str(pydantics.value)
        assert "sparrow" not in f"{caught.value} {pydantics.value}"


@settings(deadline=None)
@given(plain_fields)
def test_toml_and_json_round_trip(fields: Any) -> None:
    """What is written reads as an equal policy, which hashes alike, whatever the plain fields hold."""
    policy = RetryPolicy(**fields)
    again = RetryPolicy.from_toml(policy.to_toml())
    assert again == RetryPolicy.model_validate_json(policy.model_dump_json()) == policy
    assert hash(again) == hash(policy)


def test_toml_holds_every_field() -> None:
    """A written policy does not change with later defaults: all fields are in it, one a line."""
    written = RetryPolicy().to_toml().splitlines()
    assert [line.split(" = ")[0] for line in written] == list(PROMISED)
    assert 'deadline = "none"' in written


OBJECTS: dict[str, Any] = {
    "stop": tenacity.stop_never,
    "wait": tenacity.wait_none(),
    "retry": tenacity.retry_always,
    "budget": RetryBudget(),
    "fallback_models": [{"model": "claude-a", "metadata": None}],
    "observers": [Observer()],
}


@pytest.mark.parametrize("field", OBJECTS)
def test_objects_are_not_written(field: str) -> None:
    """What TOML cannot say is refused by name, not left out."""
    policy = RetryPolicy().replace(**{field: OBJECTS[field]})
    with pytest.raises(PolicyError, match=f"^{field} holds .* can't be written in TOML"):
        policy.to_toml()


def test_a_preset_is_a_policy() -> None:
    """A preset by its name has the fields of its file."""
    assert RetryPolicy.preset("off") == RetryPolicy(enabled=False)


def test_a_wrong_field_names_its_file(tmp_path: Path) -> None:
    """The error of a policy file begins with the file's name."""
    path = tmp_path / "mine.toml"
    path.write_text("max_attempts = 0")
    with pytest.raises(PolicyError, match=r"mine\.toml: max_attempts = 0: should be greater"):
        RetryPolicy.from_toml(path)


def test_it_can_be_part_of_another_model() -> None:
    """In a pydantic model of the user's a wrong policy is one of that model's errors."""

    class Settings(BaseModel):
        policy: RetryPolicy = RetryPolicy()

    assert Settings.model_validate({"policy": {"max_attempts": 3}}).policy.max_attempts == 3
    with pytest.raises(ValidationError, match="did you mean 'max_attempts'"):
        Settings.model_validate({"policy": {"max_attemps": 3}})


def test_type_checkers_know_the_fields() -> None:
    """Sets may be given as any collection: this test is for mypy and pyright, which read it."""
    policy = RetryPolicy(hold=(), retry_on=["reset"], deadline=60, wait=tenacity.wait_fixed(1))
    assert policy.replace(hold=["thinking"], stop=lambda state: state.attempt_number > 3).hold == {"thinking"}
