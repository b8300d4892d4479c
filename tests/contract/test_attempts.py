"""How often is asked, how long is waited, and what is raised in the end."""

from __future__ import annotations

import json
import pickle
from typing import Any

import anthropic
import pytest
from tenacity import retry_if_exception_type, stop_after_attempt, wait_fixed

from resilient_stream import ResumeMiddleware, RetryBudget, RetryPolicy, report, resilient
from resilient_stream.testing import (
    ANSWER,
    CutHead,
    ErrorEvent,
    Fault,
    RetryAfter,
    Stall,
    Status,
    cut_at,
    refusing,
)
from tests.support.doors import Door, every_door, every_loop
from tests.support.worlds import (
    ASK,
    HASTY,
    NERVOUS,
    TEXT,
    USER_TURN_MODEL,
    stand_in,
    sync_client,
)

THREE = HASTY.replace(max_attempts=3)


@every_door
@pytest.mark.parametrize(
    "fault", [Status(529), CutHead("rst"), CutHead("fin"), cut_at(1500, "rst"), cut_at(200, "clean")], ids=str
)
def test_an_upstream_that_always_fails_sees_max_attempts(door: Door, fault: Fault) -> None:
    """No more, and each is in the report."""
    with stand_in(always=fault) as server:
        seen = door.stream(server.url, THREE)
        assert len(server.requests) == 3
    assert seen.ending == ("529" if fault == Status(529) else "broken")
    assert len(seen.report.attempts) == 3


@every_door
@pytest.mark.parametrize("max_retries", [0, 5])
@pytest.mark.parametrize("fault", [Status(529), CutHead("rst"), cut_at(1500, "rst")], ids=str)
def test_attempts_never_multiply(door: Door, max_retries: int, fault: Fault) -> None:
    """Whatever ``max_retries`` the client has."""
    with stand_in(always=fault) as server:
        seen = door.stream(server.url, THREE, {"max_retries": max_retries})
        assert len(server.requests) == len(seen.report.attempts) == 3


@every_door
def test_refused_connections_never_multiply(door: Door) -> None:
    """A port that refuses is asked ``max_attempts`` times; the door's own error is raised, or is its cause."""
    with refusing() as url:
        seen = door.stream(url, THREE, {"max_retries": 2})
    assert seen.ending == "broken"
    assert "ConnectError" in lineage(seen.error)
    assert seen.kinds == ["connect"] * 3


def lineage(error: BaseException | None) -> list[str]:
    """The classes of an exception and of what led to it."""
    return [] if error is None else [type(error).__name__, *lineage(error.__cause__)]


BROKEN, LATE = ("APIConnectionError", "RemoteProtocolError"), ("APITimeoutError", "ReadTimeout")


@every_loop
@pytest.mark.parametrize(
    ("fault", "ending", "raised", "cause"),
    [
        (cut_at(1500, "rst"), "broken", BROKEN, "ReadError"),
        (cut_at(1500, "fin"), "broken", BROKEN, "RemoteProtocolError"),
        (cut_at(1500, "clean"), "broken", BROKEN, None),
        (CutHead("fin"), "broken", BROKEN, "RemoteProtocolError"),
        (Stall(after=7), "timeout", LATE, "ReadTimeout"),
        (ErrorEvent(after=7, error="overloaded_error"), "529", ("OverloadedError", None), None),
        (ErrorEvent(after=7, error="rate_limit_error"), "429", ("RateLimitError", None), None),
        (Status(529), "529", ("OverloadedError", None), None),
        (Status(429), "429", ("RateLimitError", None), None),
    ],
    ids=str,
)
def test_giving_up_ends_in_the_doors_own_way(
    door: Door, fault: Fault, ending: str, raised: tuple[str, str | None], cause: str | None
) -> None:
    """The SDK raises its own class. httpx and httpx2 raise theirs for what broke; what the API answered or told they
    hand on. Where an exception led to it, that is the cause."""
    with stand_in(always=fault) as server:
        seen = door.stream(server.url, NERVOUS.replace(max_attempts=1))
    name = raised[door.package != "sdk"]
    assert (seen.ending, seen.report.outcome) == (ending, "failed")
    assert lineage(seen.error)[:1] == ([] if name is None else [name])
    assert cause is None or cause in lineage(seen.error)


@every_door
def test_the_last_response_is_handed_on_as_it_came(door: Door) -> None:
    """Status, headers and bytes of the upstream's own last page, where no head was handed over."""
    with stand_in(always=Status(529, message="busy")) as server:
        bare, seen = (
            door.stream(server.url, policy, {"max_retries": 0})
            for policy in (None, HASTY.replace(max_attempts=2))
        )
    pages = [getattr(one.error, "response", None) for one in (bare, seen)]
    raw = [one.raw if page is None else page.content for one, page in zip((bare, seen), pages, strict=True)]
    headers = [
        dict(one.headers if page is None else page.headers)
        for one, page in zip((bare, seen), pages, strict=True)
    ]
    assert raw[1] == raw[0].replace(b"req_0001", b"req_0003")
    for name in ("content-type", "content-length"):
        assert headers[0][name] == headers[1][name]
    assert seen.kinds == ["overloaded"] * 2


@every_door
def test_what_was_received_hangs_on_the_exception(door: Door) -> None:
    """Giving up loses nothing: the partial is what was handed over, and is accepted as history."""
    with stand_in(cut_at(2000, "rst"), *[Status(529)] * 2) as server:
        seen = door.stream(server.url, THREE)
        assert seen.text
        partial = seen.report.partial
        assert partial is not None
        assert [block["text"] for block in partial["content"]] == [seen.text]
        history: list[Any] = [*ASK, partial, {"role": "user", "content": "Go on."}]
        with sync_client(server.url, None) as client:
            client.messages.create(model=USER_TURN_MODEL, max_tokens=100, messages=history)
    assert seen.kinds == ["reset", "overloaded", "overloaded"]
    assert seen.ending == "529"


@every_door
def test_a_note_says_what_was_tried_and_what_to_do(door: Door) -> None:
    """The exception tells attempts, reason and where the partial is; never what was said."""
    with stand_in(always=cut_at(1500, "rst")) as server:
        seen = door.stream(server.url, THREE)
    (note,) = seen.error.__notes__  # type: ignore[union-attr]  # it failed
    assert "3 attempts" in note
    assert "report(error)" in note
    assert "docs/failures.md#reset" in note
    assert seen.text[:20] not in note


@every_door
def test_content_stays_out_of_what_is_printed(door: Door) -> None:
    """Neither the report's repr, str, dump nor pickle, nor the exception, has prompt, reply or key."""
    with stand_in(always=cut_at(1500, "rst")) as server:
        seen = door.stream(server.url, THREE)
    told = report(seen.error)
    printed = (
        f"{told!r} {told} {told.model_dump()} {told.model_dump_json()} {seen.error!r} {pickle.dumps(told)!r}"
    )
    for secret in (seen.text[:12], ASK[0]["content"], '"key"'):
        assert secret not in printed
    assert json.loads(told.model_dump_json())["outcome"] == "failed"
    assert pickle.loads(pickle.dumps(told)).partial is None  # noqa: S301 -- our own bytes


@every_door
def test_a_rejected_continuation_does_not_mask_the_failure(door: Door) -> None:
    """When every form of continuation gets a 400, the failure that led to it is raised."""
    with stand_in(cut_at(1500, "rst"), always=Status(400)) as server:
        seen = door.stream(server.url)
    assert seen.ending == "broken"
    assert seen.kinds[0] == "reset"
    assert set(seen.kinds[1:]) == {"rejected"}


@every_door
def test_retry_after_beyond_the_limit_is_raised_at_once(door: Door) -> None:
    """A server that asks for an hour is not waited for; the reason says how long it asked."""
    with stand_in(always=RetryAfter(429, seconds=3600)) as server:
        seen = door.stream(server.url)
        assert len(server.requests) == 1
    assert seen.ending == "429"
    assert "3600" in seen.report.reason


@every_door
def test_no_wait_passes_the_deadline(door: Door) -> None:
    """A wait that would pass the deadline is not begun."""
    with stand_in(always=RetryAfter(429, seconds=30)) as server:
        seen = door.stream(server.url, HASTY.replace(deadline=5.0))
        assert len(server.requests) == 1
    assert seen.ending == "429"


@every_door
def test_tenacity_strategies_join_the_policy(door: Door) -> None:
    """A user's stop, wait and retry are obeyed; ``retry`` is given the exception that would be raised."""
    raised = anthropic.APIError if door.package == "sdk" else door.http.HTTPError
    policy = HASTY.replace(
        stop=stop_after_attempt(2), wait=wait_fixed(0.001), retry=retry_if_exception_type(raised)
    )
    with stand_in(always=Status(529)) as server:
        door.stream(server.url, policy)
        assert len(server.requests) == 2
    with stand_in(always=Status(529)) as server:
        door.stream(server.url, HASTY.replace(retry=retry_if_exception_type(TypeError)))
        assert len(server.requests) == 1


@every_door
def test_an_empty_budget_has_retries_wait_for_their_turn(door: Door) -> None:
    """What a stream can't afford it waits for, as long as it would have tried; then its failure is raised."""
    policy = HASTY.replace(budget=RetryBudget(reserve=2, ratio=0.0), max_barren_attempts=5)
    with stand_in(always=CutHead("rst")) as server:
        seen = door.stream(server.url, policy)
        assert len(server.requests) == 3
    assert seen.ending == "broken"
    assert "2 of these were waits for a turn in the retry budget (0 units left)" in seen.report.reason
    assert seen.report.limit == "budget"
    assert policy.budget.state.waiting == 0  # type: ignore[union-attr]  # ours


@every_door
def test_a_failure_that_is_final_is_no_limit(door: Door) -> None:
    """A rejection is the failure's own end; where the policy ends it, the report names its limit."""
    with stand_in(always=Status(400)) as server:
        seen = door.stream(server.url)
    assert seen.report.limit is None
    with stand_in(always=Status(529)) as server:
        assert door.stream(server.url, HASTY.replace(max_attempts=2)).report.limit == "attempts"


@every_door
def test_others_in_the_chain_see_the_response_itself(door: Door) -> None:
    """Middleware further out may read the error response; what the SDK makes of it then has a report, and no note."""
    bodies: list[bytes] = []

    def look(request: Any, call_next: Any) -> Any:
        response = call_next(request)
        bodies.append(response.http_response.read())
        return response

    async def look_async(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        bodies.append(await response.http_response.aread())
        return response

    chain = [look if door.loop is None else look_async, ResumeMiddleware(HASTY.replace(max_attempts=2))]
    with stand_in(always=Status(529)) as server:
        seen = door.stream(server.url, None, {"middleware": chain})
    assert isinstance(seen.error, anthropic.OverloadedError)
    assert seen.error.response.content == bodies[0]
    assert (seen.report.limit, getattr(seen.error, "__notes__", [])) == ("attempts", [])


def test_clients_made_per_request_share_a_budget() -> None:
    """Many clients of one API and key draw on one budget, through whichever door; a client with another key does
    not."""
    policy = HASTY.replace(budget="shared", max_attempts=31, max_barren_attempts=31)
    hasty = policy.replace(max_barren_attempts=2)
    doors = (Door("sdk"), Door("httpx"), Door("httpx2", "asyncio"))
    with stand_in(always=CutHead("rst")) as server:
        for door, allowed in zip(doors, (policy, hasty, hasty), strict=True):
            assert door.stream(server.url, allowed).ending == "broken"
        before = len(server.requests)
        assert 31 + 2 <= before <= 31 + 4, "half a second later a probe is due"
        with anthropic.Anthropic(base_url=server.url, api_key="other") as other:
            client = resilient(other, policy)
            with pytest.raises(anthropic.APIConnectionError):
                client.messages.create(model=USER_TURN_MODEL, max_tokens=9, messages=ASK, stream=True)
        assert len(server.requests) == before + 31


@every_door
def test_progress_resets_the_count(door: Door) -> None:
    """Attempts that bring something new don't count as barren; those that don't, do."""
    policy = HASTY.replace(max_attempts=12, max_barren_attempts=2)
    faults = [cut_at(2500, "rst") for _ in range(5)]
    with stand_in(*faults, reply=ANSWER) as server:
        seen = door.stream(server.url, policy)
        assert len(server.requests) == 6
    assert seen.text == ANSWER
    with stand_in(always=Status(529)) as server:
        door.stream(server.url, policy)
        assert len(server.requests) == 2


@every_door
def test_usage_is_the_serving_attempts(door: Door) -> None:
    """The final usage is what the serving attempt reported, with every attempt in ``iterations``."""
    with stand_in(cut_at(1500, "rst")) as server:
        seen = door.stream(server.url)
    usage = seen.message["usage"]
    first, second = seen.report.attempts
    assert (usage["input_tokens"], usage["output_tokens"]) == (
        second.usage["input_tokens"],
        second.usage["output_tokens"],
    )
    assert [entry["input_tokens"] for entry in seen.iterations] == [
        first.usage["input_tokens"],
        second.usage["input_tokens"],
    ]
    assert (first.usage_source, second.usage_source) == ("estimated", "reported")
    assert seen.report.usage["input_tokens"] == first.usage["input_tokens"] + second.usage["input_tokens"]


def test_policies_by_name() -> None:
    """A preset's name will do for a policy; a wrong one is refused with the right ones."""
    with pytest.raises(ValueError, match="interactive"):
        sync_client("http://127.0.0.1:1", "interactiv")  # type: ignore[arg-type]  # a name will do
    with sync_client("http://127.0.0.1:1", "batch") as client:  # type: ignore[arg-type]  # a name will do
        assert client.middleware[0].policy == RetryPolicy.preset("batch")  # type: ignore[union-attr]  # ours


@every_loop
def test_a_silence_that_lasts_is_waited_for_in_the_end(door: Door) -> None:
    """What the silence clock took for death it waits for twice as long in the next attempt, on the socket too."""
    policy = HASTY.replace(silence_timeout=0.5, first_event_timeout=60, stall_timeout=60)
    with stand_in(Stall(at=1000), Stall(at=1000, seconds=0.6, then="go_on")) as server:
        seen = door.stream(server.url, policy)
    assert (seen.error, seen.text, seen.kinds) == (None, TEXT, ["silent", None])
