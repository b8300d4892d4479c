"""A policy for some calls only, and the pin of a conversation."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import anyio
import pytest
from anthropic import APIRequest, Omit, omit
from anthropic._models import FinalRequestOptions
from anyio.abc import TaskStatus

from resilient_stream import Pin, PolicyError, RetryPolicy, policy_option, policy_scope, resilient
from resilient_stream._core.plan.planner import Form
from resilient_stream._core.record.ledger import Attempt, Ledger
from resilient_stream._policy import scope
from resilient_stream._policy.scope import HEADER, pin
from tests.support.stages import ASYNC, run

ONE, OTHER = RetryPolicy(max_attempts=3), RetryPolicy(max_attempts=4)


def request(**headers: Any) -> APIRequest:
    """A call with these extra headers."""
    options: dict[str, Any] = {"headers": headers} if headers else {}
    return APIRequest(
        options=FinalRequestOptions(method="post", url="/v1/messages", **options), cast_to=object, stream=True
    )


def chosen(call: APIRequest) -> RetryPolicy | None:
    """The policy that was chosen for a call."""
    return scope.chosen(call.headers.get(HEADER))


def test_nothing_is_chosen_outside() -> None:
    """Without a scope and without an option the client's own policy counts."""
    assert chosen(request()) is None
    assert chosen(request(accept="x")) is None
    assert pin() is None


def test_the_innermost_scope_counts() -> None:
    """Scopes nest; leaving one, by an exception too, brings the outer one back."""
    with policy_scope(ONE) as yielded:
        assert chosen(request()) is yielded is ONE
        with pytest.raises(KeyError), policy_scope(OTHER):
            assert chosen(request()) is OTHER
            raise KeyError
        assert chosen(request()) is ONE
    assert chosen(request()) is None


def test_the_option_outranks_the_scope() -> None:
    """What is said with the call is the most particular."""
    with policy_scope(ONE):
        assert chosen(request(**policy_option(OTHER))) is OTHER


@pytest.mark.parametrize("wrong", [1, {"deadline": 3}, RetryPolicy])
def test_what_is_no_policy_is_refused(wrong: Any) -> None:
    """At once, naming it."""
    with pytest.raises(PolicyError, match="should be a RetryPolicy, the name of a preset, or None; not"):
        resilient(anthropic.Anthropic(api_key="x"), wrong)


def test_policies_are_named_as_everywhere() -> None:
    """A preset's name, a policy, or None for the defaults; a wrong name is told at once."""
    with policy_scope("batch") as batch, policy_scope(None) as default:
        assert (batch, default) == (RetryPolicy.preset("batch"), RetryPolicy())
    assert chosen(request(**policy_option("agent"))) == RetryPolicy.preset("agent")
    with pytest.raises(PolicyError, match="interactive"):
        policy_option("interactiv")
    with pytest.raises(PolicyError, match="interactive"), policy_scope("interactiv"):
        pass  # pragma: no cover -- it is never entered


@pytest.mark.parametrize("word", ["off", "observe"])
def test_the_environment_outranks_both(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The switch holds for what a block or a call chooses, too."""
    monkeypatch.setenv("RESILIENT_STREAM", word)
    with policy_scope("batch") as batch:
        assert chosen(request()) is batch
    mine = chosen(request(**policy_option("batch")))
    for policy in (batch, mine):
        assert policy is not None
        assert (policy.enabled, policy.max_attempts) == ((False, 64) if word == "off" else (True, 1))


def test_the_option_is_no_header() -> None:
    """Its value is the SDK's own sign for a header that is left out; anybody else's sign is none of ours."""
    ((name, value),) = policy_option("batch").items()
    assert name == HEADER
    assert isinstance(value, Omit)
    assert chosen(request(**{HEADER: omit})) is None
    assert chosen(request(**{HEADER: "batch"})) is None


@pytest.mark.parametrize("world", ASYNC)
def test_tasks_have_the_scope_they_were_begun_in(world: str) -> None:
    """Tasks that run at the same time do not see each other's scopes."""
    seen: list[object] = []

    async def turn(policy: RetryPolicy, mine: anyio.Event, *, task_status: TaskStatus[None]) -> None:
        with policy_scope(policy):
            task_status.started()
            await mine.wait()
            seen.append(chosen(request()))

    async def law() -> None:
        first, second = anyio.Event(), anyio.Event()
        with policy_scope("batch") as outer:
            async with anyio.create_task_group() as tasks:
                await tasks.start(turn, ONE, first)
                await tasks.start(turn, OTHER, second)
                seen.append(chosen(request()))
                first.set()
                await anyio.wait_all_tasks_blocked()
                second.set()
            assert seen == [outer, ONE, OTHER]

    run(world, law)


def test_threads_have_the_scope_that_is_handed_to_them() -> None:
    """A bare thread begins outside; one with a copied context, as `asyncio.to_thread` makes it, inside."""

    async def thread() -> object:
        return await asyncio.to_thread(lambda: chosen(request()))

    with policy_scope(ONE), ThreadPoolExecutor(1) as pool:
        assert asyncio.run(thread()) is ONE
        assert pool.submit(contextvars.copy_context().run, chosen, request()).result() is ONE
        assert pool.submit(contextvars.Context().run, chosen, request()).result() is None


def ledger(outcome: str | None, *models: str) -> Ledger:
    """A stream that went through these models."""
    attempts = [Attempt(number, Form.FIRST, model) for number, model in enumerate(models, 1)]
    return Ledger(attempts=attempts, outcome=outcome)


def test_a_pin_follows_its_conversation() -> None:
    """It stands where the last turn was completed; turns that run or were left move nothing; a failure loosens it."""
    mine = Pin()
    seen: list[str | None] = []
    for turn in (
        ledger("completed", "a"),
        ledger("completed", "a", "b"),
        ledger(None, "b", "c"),
        ledger("cancelled", "b", "c"),
        ledger("finished_with_tools", "c"),
        ledger("failed", "c"),
    ):
        mine.follow(turn)
        seen.append(mine.model)
    assert seen == ["a", "b", "b", "b", "c", None]


def test_the_innermost_pin_counts() -> None:
    """One pin may be entered again and again, within others too; a stored model makes it anew."""
    outer, inner = Pin(), Pin("b")
    with outer:
        with inner as entered, outer:
            assert (entered, pin()) == (inner, outer)
        assert pin() is outer
    assert pin() is None
    assert (repr(outer), repr(inner), inner.model) == ("Pin(None)", "Pin('b')", "b")


def test_a_pin_takes_off_itself() -> None:
    """Conversations that overlap, in generators for instance, end in any order; where it is not, nothing is taken."""
    one, other = Pin("a"), Pin("b")
    one.__enter__()
    other.__enter__()
    one.__exit__()
    assert pin() is other
    one.__exit__()
    assert pin() is other
    other.__exit__()
    assert pin() is None
