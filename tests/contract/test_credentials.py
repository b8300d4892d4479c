"""A credential that is refused or runs out in the middle of a stream is had anew, as before a first request."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import anthropic
import pytest
from anthropic.lib import credentials
from anthropic.lib.credentials import AccessToken

from resilient_stream import ResumeMiddleware, report, resilient
from resilient_stream.testing import Status, cut_at
from tests.support.doors import each, entered, told
from tests.support.loops import LOOPS, on_loop
from tests.support.worlds import ASK, HASTY, TEXT, USER_TURN_MODEL, World, every_world, stand_in

CUT: Final = cut_at(1500, "rst")
REVOKED: Final = Status(401, error="authentication_error", message="OAuth token has been revoked")


@dataclass
class Provider:
    """Gives a token that is another one after each refresh that was forced."""

    forced: list[bool] = field(default_factory=list)

    def __call__(self, *, force_refresh: bool = False) -> AccessToken:
        """As the SDK asks."""
        self.forced.append(force_refresh)
        return AccessToken(token=f"token-{1 + sum(self.forced)}", expires_at=int(time.time()) + 3600)


def tokens(server: Any) -> list[str]:
    """What each request was sent with."""
    return [request.headers["authorization"].removeprefix("Bearer ") for request in server.requests]


def known(provider: Any, **more: Any) -> dict[str, Any]:
    """The options of a client that has no other credential."""
    return {"api_key": None, "credentials": provider, **more}


@every_world
def test_a_token_that_is_revoked_in_mid_stream_is_had_anew(world: World) -> None:
    """The continuation goes once more, with the new token, at the cost of no attempt."""
    provider = Provider()
    with stand_in(CUT, REVOKED) as server:
        seen = world.stream(server.url, client=known(provider))
        assert tokens(server) == ["token-1", "token-1", "token-2"]
    assert (seen.error, seen.text, seen.kinds) == (None, TEXT, ["reset", None])
    assert provider.forced == [False, True]


@every_world
@pytest.mark.parametrize("max_retries", [0, 2])
def test_a_first_request_has_the_same(world: World, max_retries: int) -> None:
    """Whatever the SDK's own retries may be."""
    provider = Provider()
    with stand_in(REVOKED) as server:
        seen = world.stream(server.url, client=known(provider, max_retries=max_retries))
        assert tokens(server) == ["token-1", "token-2"]
    assert (seen.error, seen.text, seen.kinds) == (None, TEXT, [None])


@every_world
def test_a_later_attempt_has_the_same(world: World) -> None:
    """A restart is no continuation, and no first request."""
    provider = Provider()
    with stand_in(Status(529), REVOKED) as server:
        seen = world.stream(server.url, client=known(provider))
        assert tokens(server) == ["token-1", "token-1", "token-2"]
    assert (seen.error, seen.text, seen.kinds) == (None, TEXT, ["overloaded", None])


@every_world
def test_a_stream_has_one_new_token(world: World) -> None:
    """Refused again, the request is refused: the failure before it is raised."""
    for faults, sent in (([CUT, REVOKED, REVOKED], 3), ([CUT, REVOKED, CUT, REVOKED], 4)):
        provider = Provider()
        with stand_in(*faults) as server:
            seen = world.stream(server.url, client=known(provider))
            assert len(server.requests) == sent
        assert type(seen.error) is anthropic.APIConnectionError
        assert seen.report.reason == "the continuation was rejected"
        assert seen.report.partial is not None
        assert sum(provider.forced) == 1


@every_world
def test_a_twice_refused_first_request_is_not_sent_again(world: World) -> None:
    """The SDK's loop around ours does not begin again."""
    with stand_in(always=REVOKED) as server:
        bare = world.stream(server.url, None, client=known(Provider()))
        without = len(server.requests)
        seen = world.stream(server.url, client=known(Provider()))
        assert len(server.requests) - without == without == 2
    assert type(seen.error) is type(bare.error) is anthropic.AuthenticationError


@every_world
@pytest.mark.parametrize("faults", [[], [CUT]])
def test_one_layer_of_two_has_the_new_token(world: World, faults: list[Any]) -> None:
    """The other does not ask for one more."""
    provider = Provider()
    with stand_in(*faults, always=REVOKED) as server:
        layers = known(provider, middleware=[ResumeMiddleware(HASTY), ResumeMiddleware(HASTY)])
        seen = world.stream(server.url, None, client=layers)
        assert len(server.requests) == 2 + len(faults)
    assert isinstance(seen.error, anthropic.APIConnectionError if faults else anthropic.AuthenticationError)


@every_world
@pytest.mark.parametrize("static", [{"api_key": "k"}, {"api_key": None, "auth_token": "t"}])
def test_a_credential_that_never_changes_is_not_tried_again(world: World, static: dict[str, Any]) -> None:
    """As on a first request."""
    with stand_in(CUT, REVOKED) as server:
        seen = world.stream(server.url, client=static)
        assert len(server.requests) == 2
    assert seen.report.reason == "the continuation was rejected"


@pytest.mark.skipif(not hasattr(credentials, "AsyncAccessTokenProvider"), reason="this SDK has none")
def test_an_async_provider_is_awaited() -> None:
    """On the loop that reads."""
    sync = Provider()

    async def provider(*, force_refresh: bool = False) -> AccessToken:
        return sync(force_refresh=force_refresh)

    for loop in LOOPS:
        sync.forced.clear()
        with stand_in(CUT, REVOKED) as server:
            url = server.url

            async def law() -> None:
                client = resilient(anthropic.AsyncAnthropic(credentials=provider, base_url=url), HASTY)  # noqa: B023
                assert await read(client) == TEXT

            on_loop(loop, law)
        assert sync.forced == [False, True]


async def read(client: Any) -> str:
    """The text of one stream of any client."""
    asked: dict[str, Any] = {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK}
    async with entered(client), entered(client.messages.stream(**asked)) as stream:
        async for _ in each(stream):
            pass
        assert len(report(stream).attempts) == 2
        text: str = await told(stream.get_final_text())
    return text


def _foundry(ask: Callable[[], str], url: str) -> Any:
    sdk: Any = anthropic  # which does not export it by name
    return sdk.AnthropicFoundry(azure_ad_token_provider=ask, base_url=url)


def _vertex(ask: Callable[[], str], url: str) -> Any:
    class Credentials:
        """A token that has always run out."""

        expired, token = True, ""

        def refresh(self, request: object) -> None:
            """Have the next."""
            self.token = ask()

    sdk: Any = anthropic
    return sdk.AnthropicVertex(credentials=Credentials(), region="r", project_id="p", base_url=url)


@pytest.mark.parametrize("client_of", [_foundry, _vertex])
def test_a_cloud_is_asked_for_a_token_before_each_attempt(
    client_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that ran out with the first half of an answer does not lose the second."""
    refresh = "anthropic.lib.vertex._client.refresh_auth"  # Google's own package is not needed
    monkeypatch.setattr(refresh, lambda credentials: credentials.refresh(None))
    given: list[str] = []

    def ask() -> str:
        given.append(f"token-{len(given) + 1}")
        return given[-1]

    with stand_in(CUT) as server:
        client = resilient(client_of(ask, server.url), HASTY)
        coroutine = read(client)
        with pytest.raises(StopIteration, match="tides"):
            coroutine.send(None)
        assert tokens(server) == given[-2:]
        assert len(set(given)) == len(given) >= 2
