"""Every door of every client class, on real sockets: a stream survives an overload, then a cut."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from anthropic.resources.beta.messages import Messages

from resilient_stream import ResumeMiddleware, RetryPolicy, report, resilient
from resilient_stream.testing import Cut, Status, cut_at
from tests.support.surfaces import SURFACES, Got, Surface, asking, runner, turns
from tests.support.worlds import ASK, CUT_HISTORY, HASTY, PREFILL_MODEL, TEXT, USER_TURN_MODEL, stand_in

sync_and_async = pytest.mark.parametrize("prefix", ["", "Async"], ids=["sync", "async"])

THREADS = "thread" in inspect.signature(Messages.tool_runner).parameters
threads_known = pytest.mark.skipif(not THREADS, reason="this SDK has no message threads")


def anthropic_(made: Any, url: str) -> Any:
    """The first-party client."""
    return made(base_url=url, api_key="key")


def vertex(made: Any, url: str) -> Any:
    """Google's: the model is in the path."""
    return made(base_url=url, project_id="p", region="r", access_token="token")


def foundry(made: Any, url: str) -> Any:
    """Microsoft's."""
    return made(base_url=url, api_key="key")


def mantle(made: Any, url: str) -> Any:
    """Bedrock's newer one."""
    return made(base_url=url, api_key="key", aws_region="eu-west-1")


def aws(made: Any, url: str) -> Any:
    """Claude on AWS."""
    return made(base_url=url, api_key="key", aws_region="eu-west-1", workspace_id="w")


HOSTS: dict[str, Callable[[Any, str], Any]] = {
    "Anthropic": anthropic_,
    "AnthropicVertex": vertex,
    "AnthropicFoundry": foundry,
    "AnthropicBedrockMantle": mantle,
    "AnthropicAWS": aws,
}


def client_of(host: str, prefix: str, url: str, policy: RetryPolicy = HASTY) -> Any:
    """A resilient client of that class."""
    client = resilient(HOSTS[host](getattr(anthropic, prefix + host), url), policy)
    assert type(client).__name__ == prefix + host
    return client


async def through(door: Surface, client: Any, **options: Any) -> Got:
    """Ask through a door, and leave."""
    try:
        return await door(client, asking(**options))
    finally:
        closed = client.close()
        if inspect.isawaitable(closed):
            await closed


@sync_and_async
@pytest.mark.parametrize(
    ("host", "door", "model"),
    [
        *(("Anthropic", door, USER_TURN_MODEL) for door in SURFACES),
        ("Anthropic", "stream", PREFILL_MODEL),
        *((host, "stream", USER_TURN_MODEL) for host in list(HOSTS)[1:]),
        *((host, "beta_create", PREFILL_MODEL) for host in list(HOSTS)[1:]),
    ],
)
def test_every_door_survives(host: str, door: str, model: str, prefix: str) -> None:
    """A 529 before the head, a cut inside the text, a 529 to the continuation: the text comes whole, once. A restart is
    the same request; a continuation, in the form that the model takes, only adds messages behind the user's.
    To hosts with paths or addresses of their own the history goes healed."""
    messages = ASK if host == "Anthropic" else CUT_HISTORY
    with stand_in(Status(529), cut_at(1500, "rst"), Status(529), None) as server:
        client = client_of(host, prefix, server.url)
        got = asyncio.run(through(SURFACES[door], client, model=model, messages=messages))
        form = "prefill" if model == PREFILL_MODEL else "user_turn"
        assert [request.form for request in server.requests] == ["fresh", "fresh", form, form]
        assert {request.path.partition("?")[0] for request in server.requests} == {
            server.requests[0].path.partition("?")[0]
        }
        assert {request.json["model"] for request in server.requests} == {model}
        first, again, *continued = server.requests
        assert first.body == again.body
        history = first.json["messages"]
        for request in continued:
            assert request.json["messages"][: len(history)] == history
            assert request.json.keys() == first.json.keys()
    assert got.text == TEXT
    told = report(got.source)
    assert [attempt.kind for attempt in told.attempts] == ["first", "restart", form, form]
    assert [seam.verified for seam in told.seams] == [True]


@sync_and_async
def test_a_host_with_the_model_in_the_path_falls_back_on_another(prefix: str) -> None:
    """The fallback model goes where the SDK puts it, and the path with it."""
    policy = HASTY.replace(fallback_models=("claude-haiku-4-5@20251001",))
    with stand_in(Status(529), Status(529), cut_at(1500, "rst"), None) as server:
        client = client_of("AnthropicVertex", prefix, server.url, policy)
        got = asyncio.run(through(SURFACES["stream"], client, model="claude-sonnet-5"))
        first, *_, last = server.requests
    assert got.text == TEXT
    assert first.path.endswith("/models/claude-sonnet-5:streamRawPredict")
    assert last.path.endswith("/models/claude-haiku-4-5@20251001:streamRawPredict")
    assert report(got.source).attempts[-1].kind == "prefill"  # the id of a host is known for what it is


@sync_and_async
def test_a_tool_runner_goes_on(prefix: str) -> None:
    """The turns of ``tool_runner(stream=True, thread=False)`` are resumed like any stream."""

    async def door(client: Any, ask: dict[str, Any]) -> Got:
        return await runner(client, ask, **({"thread": False} if THREADS else {}))

    with stand_in(Status(529), cut_at(1500, "rst")) as server:
        got = asyncio.run(through(door, client_of("Anthropic", prefix, server.url)))
    assert got.text == TEXT
    assert report(got.source).resumed


@threads_known
@sync_and_async
def test_a_tool_runner_on_a_thread_restarts(prefix: str) -> None:
    """On a message thread a stream is asked again as long as nothing was handed over."""
    with stand_in(Status(529), cut_at(300, "rst")) as server:
        got = asyncio.run(through(runner, client_of("Anthropic", prefix, server.url)))
    assert got.text == TEXT
    assert [attempt.kind for attempt in report(got.source).attempts] == ["first", "restart", "restart"]


@threads_known
@sync_and_async
def test_a_tool_runner_on_a_thread_gives_up_with_what_came(prefix: str) -> None:
    """After that no continuation exists: the failure is raised, the text that came is in the report."""
    with stand_in(cut_at(1500, "rst")) as server:
        with pytest.raises(anthropic.APIConnectionError) as caught:
            asyncio.run(through(runner, client_of("Anthropic", prefix, server.url)))
        assert len(server.requests) == 1
    told = report(caught.value)
    assert told.reason == "a message thread can't be continued"
    assert told.partial is not None and TEXT.startswith(told.partial["content"][0]["text"])


@threads_known
@sync_and_async
def test_a_thread_finished_by_a_call_begins_another(prefix: str) -> None:
    """The API holds no answer that broke off; the SDK says everything again, and the tool has run once."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "tide", "input": {"place": "Harbour"}}
    cut = Cut(after="content_block_stop", how="rst")

    def author(request: Any) -> Any:
        return [call] if len(request["messages"]) == 1 else TEXT

    with stand_in(cut, reply=author) as server:
        client = client_of("Anthropic", prefix, server.url)
        texts = asyncio.run(turns(client, asking()))
        assert [request.json["thread"]["type"] for request in server.requests] == [
            "create",
            "continue",
            "create",
        ]
        last = server.requests[-1].json["messages"]
    assert texts == ["", TEXT]
    assert [block["type"] for block in last[1]["content"]] == ["tool_use"]
    assert [block["content"] for block in last[2]["content"]] == ["Harbour"]


@pytest.mark.parametrize("composed", ["resilient", "by hand", "behind another"])
@sync_and_async
def test_the_timeout_of_a_copy_counts(prefix: str, composed: str) -> None:
    """A client's own timeout bounds the head where it is the shorter one, if it was set later, too."""

    class Further(anthropic.Middleware):
        def handle(self, request: anthropic.APIRequest, call_next: Any) -> Any:
            return call_next(request)

        async def handle_async(self, request: anthropic.APIRequest, call_next: Any) -> Any:
            return await call_next(request)

    with stand_in() as server:
        bare = anthropic_(getattr(anthropic, f"{prefix}Anthropic"), server.url)
        if composed == "resilient":
            client = resilient(bare, HASTY).with_options(timeout=7.0)
        else:
            further_in = [Further()] if composed == "behind another" else []
            client = bare.with_options(timeout=7.0, middleware=[ResumeMiddleware(HASTY), *further_in])
        got = asyncio.run(through(SURFACES["create"], client))
    request = got.source.response.request
    assert request.extensions["timeout"]["connect"] == (7.0 if composed == "behind another" else 5.0)
    assert request.extensions["timeout"]["read"] == 7.0
