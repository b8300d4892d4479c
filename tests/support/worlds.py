"""One definition, every world: how a law is run through the sync client, under asyncio and under trio."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import anthropic
import httpx2
import pytest
import trio
import uvloop

from resilient_stream import RetryPolicy, StreamReport, report, resilient
from resilient_stream.testing import ANSWER, StandIn

ASK: Final[list[Any]] = [{"role": "user", "content": "Tell me about tides."}]
CUT_HISTORY: Final[list[Any]] = [
    *ASK,
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": ""}]},
    {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "The moon pulls."},
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
            {"type": "text", "text": " "},
        ],
    },
    {"role": "user", "content": "Go on."},
]
"""A history that the API refuses: it has what cuts have left behind."""

TEXT: Final = f"{ANSWER[:600].rstrip()}."
USER_TURN_MODEL: Final = "claude-sonnet-5"
PREFILL_MODEL: Final = "claude-haiku-4-5"

HASTY: Final = RetryPolicy(
    wait_initial=0.001,
    wait_max=0.002,
    overload_wait_initial=0.001,
    overload_wait_max=0.002,
    budget=None,
)
"""The defaults, with waits short enough for a test."""

NERVOUS: Final = HASTY.replace(first_event_timeout=0.4, silence_timeout=0.4, stall_timeout=0.15)
"""For faults that are a silence: the clocks are short too."""


@dataclass
class Seen:
    """What a user's program saw of one stream."""

    text: str = ""
    events: list[Any] = field(default_factory=list)
    message: Any = None
    error: Exception | None = None
    told: StreamReport | None = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    version: str = ""
    """Of HTTP, as the response tells it."""

    @property
    def report(self) -> StreamReport:
        """What `report` tells of it; there must be one."""
        assert self.told is not None
        return self.told

    @property
    def kinds(self) -> list[str | None]:
        """The failure kind of each attempt."""
        return [
            None if attempt.failure is None else attempt.failure.kind.value
            for attempt in self.report.attempts
        ]

    @property
    def forms(self) -> list[str]:
        """What each attempt was."""
        return [attempt.kind.value for attempt in self.report.attempts]


def _request(options: dict[str, Any]) -> dict[str, Any]:
    return {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK, **options}


def _reported(seen: Seen, source: object) -> None:
    with contextlib.suppress(LookupError):
        seen.told = report(source)


def sync_client(url: str, policy: RetryPolicy | None, **options: Any) -> anthropic.Anthropic:
    """A sync client of the stand-in; resilient unless the policy is None."""
    known: dict[str, Any] = {"base_url": url, "api_key": "key", **options}
    client = anthropic.Anthropic(**known)
    return client if policy is None else resilient(client, policy)


def async_client(url: str, policy: RetryPolicy | None, **options: Any) -> anthropic.AsyncAnthropic:
    """An async client of the stand-in; resilient unless the policy is None."""
    known: dict[str, Any] = {"base_url": url, "api_key": "key", **options}
    client = anthropic.AsyncAnthropic(**known)
    return client if policy is None else resilient(client, policy)


def _sync_stream(
    url: str, policy: RetryPolicy | None, client: dict[str, Any], options: dict[str, Any]
) -> Seen:
    seen = Seen()
    with sync_client(url, policy, **client) as made:
        try:
            with made.messages.stream(**_request(options)) as stream:
                seen.version = stream.response.http_version
                for event in stream:
                    seen.events.append(event)
                    if event.type == "text":
                        seen.text += event.text
                seen.message = stream.get_final_message()
                _reported(seen, stream)
        except (anthropic.AnthropicError, httpx2.HTTPError, ValueError, AssertionError, LookupError) as error:
            seen.error = error
            _reported(seen, error)
    return seen


async def _async_stream(
    url: str, policy: RetryPolicy | None, client: dict[str, Any], options: dict[str, Any]
) -> Seen:
    seen = Seen()
    async with async_client(url, policy, **client) as made:
        try:
            async with made.messages.stream(**_request(options)) as stream:
                seen.version = stream.response.http_version
                async for event in stream:
                    seen.events.append(event)
                    if event.type == "text":
                        seen.text += event.text
                seen.message = await stream.get_final_message()
                _reported(seen, stream)
        except (anthropic.AnthropicError, httpx2.HTTPError, ValueError, AssertionError, LookupError) as error:
            seen.error = error
            _reported(seen, error)
    return seen


def _sync_body(url: str, policy: RetryPolicy | None, client: dict[str, Any], options: dict[str, Any]) -> Seen:
    seen = Seen()
    with sync_client(url, policy, **client) as made:
        create = made.messages.with_streaming_response.create
        try:
            with create(**_request(options), stream=True) as response:
                seen.headers, seen.version = dict(response.headers), response.http_version
                for chunk in response.iter_bytes():
                    seen.body += chunk
        except (anthropic.AnthropicError, httpx2.HTTPError) as error:
            seen.error = error
    return seen


async def _async_body(
    url: str, policy: RetryPolicy | None, client: dict[str, Any], options: dict[str, Any]
) -> Seen:
    seen = Seen()
    async with async_client(url, policy, **client) as made:
        create = made.messages.with_streaming_response.create
        try:
            async with create(**_request(options), stream=True) as response:
                seen.headers, seen.version = dict(response.headers), response.http_version
                async for chunk in response.iter_bytes():
                    seen.body += chunk
        except (anthropic.AnthropicError, httpx2.HTTPError) as error:
            seen.error = error
    return seen


Runner = Callable[[Callable[[], Awaitable[Seen]]], Seen]


@dataclass(frozen=True)
class World:
    """One of the worlds a program may live in."""

    name: str
    run: Runner | None = None

    def stream(
        self,
        url: str,
        policy: RetryPolicy | None = HASTY,
        client: dict[str, Any] | None = None,
        **options: Any,
    ) -> Seen:
        """Read one ``messages.stream`` to its end, or to the exception."""
        if self.run is None:
            return _sync_stream(url, policy, client or {}, options)
        return self.run(lambda: _async_stream(url, policy, client or {}, options))

    def body(
        self,
        url: str,
        policy: RetryPolicy | None = HASTY,
        client: dict[str, Any] | None = None,
        **options: Any,
    ) -> Seen:
        """Read the raw bytes of one stream, to their end or to the exception."""
        if self.run is None:
            return _sync_body(url, policy, client or {}, options)
        return self.run(lambda: _async_body(url, policy, client or {}, options))


def _asyncio(main: Callable[[], Awaitable[Seen]]) -> Seen:
    async def run() -> Seen:
        return await main()

    return asyncio.run(run())


def _trio(main: Callable[[], Awaitable[Seen]]) -> Seen:
    return trio.run(main)


def _uvloop(main: Callable[[], Awaitable[Seen]]) -> Seen:
    async def run() -> Seen:
        return await main()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


WORLDS: Final[Sequence[World]] = (
    World("sync"),
    World("asyncio", _asyncio),
    World("trio", _trio),
    World("uvloop", _uvloop),
)

every_world = pytest.mark.parametrize("world", WORLDS, ids=[world.name for world in WORLDS])
sync_and_asyncio = pytest.mark.parametrize("world", WORLDS[:2], ids=[world.name for world in WORLDS[:2]])
"""For the many; trio meets one of each family."""
both_forms = pytest.mark.parametrize("model", [USER_TURN_MODEL, PREFILL_MODEL])


def stand_in(*faults: Any, **options: Any) -> StandIn:
    """A stand-in that says `TEXT` unless told otherwise."""
    told: dict[str, Any] = {"reply": TEXT, "faults": list(faults), **options}
    return StandIn(**told)
