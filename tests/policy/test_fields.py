"""What a policy's fields may hold, and how a wrong value is told."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest
import tenacity
from hypothesis import given, settings
from hypothesis import strategies as st
from tenacity.asyncio.retry import retry_if_exception as async_retry_if_exception

from resilient_stream._core.failures import FINAL_KINDS, RETRYABLE_KINDS, Kind
from resilient_stream._core.plan.prompts import WORDINGS
from resilient_stream._policy.budget import RetryBudget
from resilient_stream._policy.fields import PolicyFields
from resilient_stream.errors import PolicyError
from resilient_stream.policy import RetryPolicy

WAITS = ["wait_initial", "wait_max", "overload_wait_initial", "overload_wait_max", "retry_after_max"]
CLOCKS = ["connect_timeout", "unreachable_timeout", "first_event_timeout", "silence_timeout", "stall_timeout"]
COUNTS = ["max_attempts", "max_barren_attempts"]
NUMBERS = [*WAITS, *CLOCKS, *COUNTS, "deadline", "max_input_multiple"]
SWITCHES = ["enabled", "rerun_server_tools", "heal_history", "telemetry"]
WORDS = {
    "continuation": ["auto", "prefill", "user_turn", "restart_only", "never"],
    "unverified": ["accept", "ask", "refuse"],
    "completed_tools": ["finish", "regenerate"],
    "max_tokens": ["reduce", "keep"],
    "usage": ["serving", "total"],
}


def policy(**fields: Any) -> RetryPolicy:
    """A policy of fields that may be wrong."""
    return RetryPolicy(**fields)


def complaint(**fields: Any) -> str:
    """What is said about wrong fields."""
    with pytest.raises(PolicyError) as caught:
        policy(**fields)
    assert caught.value.__suppress_context__
    return str(caught.value)


def test_what_may_be_given_is_what_there_is() -> None:
    """The fields that type checkers know are the policy's, in its order."""
    assert list(PolicyFields.__annotations__) == list(RetryPolicy.model_fields)


@pytest.mark.parametrize("field", NUMBERS)
@pytest.mark.parametrize("wrong", [True, "8", "8s", math.nan, math.inf, -1, timedelta(seconds=8), [8], 1j])
def test_a_wrong_number_is_told(field: str, wrong: object) -> None:
    """No number field takes a bool, a word, another unit, a negative or an endless number."""
    said = complaint(**{field: wrong})
    assert said.startswith(f"{field} = {wrong!r}: should be ")


@pytest.mark.parametrize("field", [*CLOCKS, *COUNTS, "deadline", "max_input_multiple"])
def test_zero_is_refused_where_it_would_stop_everything(field: str) -> None:
    """A clock, a deadline or a number of attempts of 0 would mean no stream at all."""
    assert f"{field} = 0: should be greater than" in complaint(**{field: 0})


def test_waits_may_be_zero() -> None:
    """Waits can be switched off."""
    assert policy(**dict.fromkeys(WAITS, 0)).wait_max == 0


@pytest.mark.parametrize("field", [*WAITS, *CLOCKS])
def test_milliseconds_are_told(field: str) -> None:
    """Five minutes in milliseconds are more than a day in seconds, and the unit is named."""
    assert complaint(**{field: 300_000}).endswith("(seconds, up to a day)")
    assert "less than or equal to 86400 " in complaint(**{field: 300_000})


@pytest.mark.parametrize("field", COUNTS)
def test_half_a_request_is_refused(field: str) -> None:
    """Numbers of requests are whole."""
    assert "should be a valid integer (a number of requests, up to a billion)" in complaint(**{field: 2.5})


@pytest.mark.parametrize("field", SWITCHES)
@pytest.mark.parametrize("wrong", ["no", 0, None])
def test_a_switch_is_a_bool(field: str, wrong: object) -> None:
    """A word or a number is no switch: "no" must not mean yes."""
    assert complaint(**{field: wrong}) == f"{field} = {wrong!r}: should be a valid boolean"


@pytest.mark.parametrize("field", WORDS)
def test_a_choice_lists_its_words(field: str) -> None:
    """Each choice takes its words and tells them when it gets another."""
    for word in WORDS[field]:
        assert getattr(policy(**{field: word}), field) == word
    said = complaint(**{field: "maybe"})
    assert said.startswith(f"{field} = 'maybe': should be ")
    assert all(repr(word) in said for word in WORDS[field])


@settings(deadline=None)
@given(
    st.sets(st.sampled_from(sorted(RETRYABLE_KINDS))), st.sampled_from([list, tuple, set, frozenset, iter])
)
def test_kinds_may_be_strings(kinds: set[Kind], collection: Any) -> None:
    """Any collection of kinds or of their names becomes a frozen set of kinds."""
    for given_kinds in (collection(kinds), collection([kind.value for kind in kinds])):
        kept = policy(retry_on=given_kinds).retry_on
        assert kept == kinds
        assert isinstance(kept, frozenset)
        assert all(isinstance(kind, Kind) for kind in kept)


@pytest.mark.parametrize("wrong", ["bogus", 3, None, [1], *sorted(FINAL_KINDS)])
def test_a_wrong_kind_is_told(wrong: object) -> None:
    """A kind that does not exist or can never be retried is named, with those that can."""
    said = complaint(retry_on=["reset", wrong])
    assert said.startswith("retry_on = ['reset', ")
    assert said.endswith(f"not {wrong!r}")
    assert all(kind in said for kind in RETRYABLE_KINDS)


@pytest.mark.parametrize("field", ["retry_on", "hold", "fallback_models"])
@pytest.mark.parametrize("wrong", ["reset", b"reset", 3, None, {"reset": 1}])
def test_a_single_thing_is_no_collection(field: str, wrong: object) -> None:
    """A bare string, where a collection is wanted, is not taken apart into letters."""
    assert f"{field} = {wrong!r}: should be a collection of" in complaint(**{field: wrong})


def test_hold_takes_any_collection() -> None:
    """Blocks to hold may be a tuple, a list or a set, and nothing at all."""
    assert policy(hold=()).hold == frozenset()
    assert policy(hold=["tool_use", "thinking", "server_tool_use"]).hold == {
        "tool_use",
        "thinking",
        "server_tool_use",
    }
    assert complaint(hold=["text"]).endswith("server_tool_use, thinking, tool_use; not 'text'")


@pytest.mark.parametrize(
    "wrong", ["", "  ", 3, None, {}, {"model": ""}, {"max_tokens": 1}, {"model": "a", 1: 2}]
)
def test_a_fallback_names_a_model(wrong: object) -> None:
    """A fallback is a model id, or a mapping of named fields with one."""
    said = complaint(fallback_models=["claude-a", wrong])
    assert 'a mapping of request fields with a "model"' in said
    assert said.endswith(f"not {wrong!r}")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"stream": False}, "leave the request's stream alone"),
        ({"messages": [], "stream": True}, "leave the request's messages and stream alone"),
        ({"metadata": object()}, "be JSON: Object of type object"),
        ({"temperature": math.inf}, "be JSON: Out of range float values"),
        ({"temperature": math.nan}, "be JSON: Out of range float values"),
    ],
)
def test_a_fallback_is_a_patch_that_can_be_sent(fields: dict[str, Any], why: str) -> None:
    """It changes neither the conversation nor the way to answer, and is refused before the outage, not in it."""
    assert why in complaint(fallback_models=[{"model": "claude-b", **fields}])


@pytest.mark.parametrize("kind", [dict, MappingProxyType])
def test_a_fallback_is_copied(kind: Any) -> None:
    """A policy does not change when the caller's mapping does."""
    thinking = {"type": "disabled"}
    patch: Mapping[str, Any] = kind({"model": "claude-b", "thinking": thinking})
    made = policy(fallback_models=["claude-a", patch])
    thinking["type"] = "enabled"
    assert made.fallback_models == ("claude-a", {"model": "claude-b", "thinking": {"type": "disabled"}})


def test_a_template_needs_its_place() -> None:
    """The words of a continuation must say where the quote goes; other braces are free."""
    assert policy(continuation_template='{"a": "{quote}"}').continuation_template == '{"a": "{quote}"}'
    assert [policy(continuation_template=name).continuation_template for name in WORDINGS] == list(WORDINGS)
    for wrong in ("go on", "{ quote }", 3):
        assert complaint(continuation_template=wrong).endswith("the placeholder {quote}")


def test_a_budget_is_shared_or_given_or_none() -> None:
    """The budget is the word, an object, or nothing."""
    own = RetryBudget()
    assert [policy(budget=each).budget for each in ("shared", own, None)] == ["shared", own, None]
    for wrong in ("own", 60, RetryBudget):
        assert f'budget = {wrong!r}: should be "shared", a RetryBudget, a RedisBudget, or None' in complaint(
            budget=wrong
        )


STRATEGIES: dict[str, Any] = {
    "stop": tenacity.stop_after_attempt(3),
    "wait": tenacity.wait_fixed(3),
    "retry": tenacity.retry_if_exception_type(OSError),
}


@pytest.mark.parametrize("field", STRATEGIES)
def test_strategies_and_callables_are_kept(field: str) -> None:
    """A tenacity strategy of the right family, and any plain callable, is taken as it is."""
    for each in (STRATEGIES[field], STRATEGIES[field].__call__, functools.partial(max, 1), lambda _: 1, None):
        assert getattr(policy(**{field: each}), field) == each


@pytest.mark.parametrize("field", STRATEGIES)
def test_a_wrong_strategy_is_told(field: str) -> None:
    """A number, a class instead of an object, and a strategy of another family are refused."""
    others = [strategy for name, strategy in STRATEGIES.items() if name != field]
    for wrong in (3, "x", type(STRATEGIES[field]), *others):
        said = complaint(**{field: wrong})
        assert said.startswith(f"{field} = ")
        assert "should be None, a tenacity strategy such as" in said


@pytest.mark.parametrize("field", STRATEGIES)
def test_an_async_strategy_is_told(field: str) -> None:
    """An async strategy is refused: its answer, a coroutine, would always be true."""

    async def late(_: object) -> bool:
        return False

    assert "not an async one" in complaint(**{field: late})
    assert "not an async one" in complaint(**{field: functools.partial(late, 1)})


def test_tenacitys_async_strategies_are_told() -> None:
    """The same for the async strategies that tenacity brings."""

    async def late(_: BaseException) -> bool:
        return False

    assert "not an async one" in complaint(retry=async_retry_if_exception(late))


def test_a_misspelt_field_is_told() -> None:
    """An unknown field is refused, with the one that was probably meant, or with all there are."""
    assert complaint(max_attemps=3) == "unknown field 'max_attemps'; did you mean 'max_attempts'?"
    assert all(name in complaint(zzz=3) for name in RetryPolicy.model_fields)


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Two mistakes are one error with two sentences."""
    said = complaint(max_attempts=0, wait_max="8s")
    assert "max_attempts = 0" in said
    assert "wait_max = '8s'" in said


def nested(depth: int) -> list[Any]:
    """Lists in lists."""
    deep: list[Any] = []
    for _ in range(depth):
        deep = [deep]
    return deep


class Unprintable:
    """What no message can show."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "make",
    [lambda: -(10**5000), lambda: nested(100_000), lambda: [Unprintable()]],
    ids=["too long", "too deep", "unprintable"],
)
def test_a_value_that_cannot_be_printed_is_told_all_the_same(make: Callable[[], Any]) -> None:
    """In any field, a number of 5,000 digits, a list 100,000 deep and a broken ``__repr__`` are a PolicyError, not one
    of their own."""
    wrong = make()
    for field in RetryPolicy.model_fields:
        said = complaint(**{field: wrong})
        assert said.startswith(field)
        assert len(said) < 1000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("continuation_template", "{quote}\ud83d"),
        ("fallback_models", ["claude-\ud83d"]),
        ("fallback_models", [{"model": "m", "system": "\ud83d"}]),
        ("fallback_models", [{"model": "m", "metadata": {"\ud83d": 1}}]),
    ],
)
def test_what_no_request_could_carry_is_refused(field: str, value: object) -> None:
    """Half of a surrogate pair would fail in the middle of a stream; it is told when the policy is made."""
    assert "half of a surrogate pair" in complaint(**{field: value})


def test_a_fallback_nested_without_end_is_refused() -> None:
    """It would fail when the request is written."""
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"a": deep}
    assert "nested too deeply" in complaint(fallback_models=[{"model": "m", "x": deep}])
    for _ in range(100_000):
        deep = {"a": deep}
    assert "nested too deeply" in complaint(fallback_models=[{"model": "m", "x": deep}])
