"""Programs that speak to the API without the SDK: httpx and httpx2, sync, under asyncio and under trio."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final

import httpx
import httpx2
import pytest
import trio
import uvloop

from resilient_stream import RetryPolicy, StreamReport, report
from resilient_stream.httpx import AsyncResilientTransport, ResilientTransport

from .doors import HEADERS, events_of
from .worlds import ASK, HASTY, USER_TURN_MODEL


def asking(**fields: Any) -> dict[str, Any]:
    """The JSON of a streaming request."""
    return {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK, "stream": True, **fields}


@dataclass
class HttpSeen:
    """What a program saw of one stream."""

    raw: bytes = b""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None
    told: StreamReport | None = None

    @property
    def text(self) -> str:
        """The text of all deltas."""
        deltas = [event["delta"] for event in events_of(self.raw) if event["type"] == "content_block_delta"]
        return "".join(delta.get("text", "") for delta in deltas)

    @property
    def whole(self) -> bool:
        """Whether the message came to its stop."""
        return [event["type"] for event in events_of(self.raw)][-1:] == ["message_stop"]

    @property
    def report(self) -> StreamReport:
        """The report; there must be one."""
        assert self.told is not None
        return self.told

    @property
    def kinds(self) -> list[str | None]:
        """The failure kind of each attempt."""
        return [None if one.failure is None else one.failure.kind.value for one in self.report.attempts]


def _note(seen: HttpSeen, source: object) -> None:
    with contextlib.suppress(LookupError):
        seen.told = report(source)


@dataclass(frozen=True)
class HttpWorld:
    """One package in one world."""

    package: ModuleType
    run: Callable[[Callable[[], Awaitable[HttpSeen]]], HttpSeen] | None = None

    @property
    def name(self) -> str:
        """For test ids."""
        return f"{self.package.__name__}-{'sync' if self.run is None else self.run.__name__.strip('_')}"

    def client(self, policy: RetryPolicy | None = HASTY, **options: Any) -> Any:
        """A client of the package; through our transport unless the policy is None."""
        kind = self.package.Client if self.run is None else self.package.AsyncClient
        ours = ResilientTransport if self.run is None else AsyncResilientTransport
        if policy is not None and "transport" not in options:
            options["transport"] = ours(policy=policy)
        return kind(**{"timeout": 20.0, **options})

    def stream(
        self,
        url: str,
        policy: RetryPolicy | None = HASTY,
        *,
        client: Any = None,
        send: Mapping[str, Any] | None = None,
    ) -> HttpSeen:
        """Read one stream to its end, or to the exception."""
        made = self.client(policy) if client is None else client
        asked = {"json": asking(), "headers": HEADERS, **(send or {})}
        if self.run is None:
            return _sync(made, f"{url}/v1/messages", asked)
        return self.run(lambda: _async(made, f"{url}/v1/messages", asked))


def _sync(client: Any, url: str, asked: Mapping[str, Any]) -> HttpSeen:
    seen = HttpSeen()
    with client:
        try:
            with client.stream("POST", url, **asked) as response:
                seen.status, seen.headers = response.status_code, dict(response.headers)
                for chunk in response.iter_bytes():
                    seen.raw += chunk
            _note(seen, response)
        except (httpx.HTTPError, httpx2.HTTPError) as error:
            seen.error = error
            _note(seen, error)
    return seen


async def _async(client: Any, url: str, asked: Mapping[str, Any]) -> HttpSeen:
    seen = HttpSeen()
    async with client:
        try:
            async with client.stream("POST", url, **asked) as response:
                seen.status, seen.headers = response.status_code, dict(response.headers)
                async for chunk in response.aiter_bytes():
                    seen.raw += chunk
            _note(seen, response)
        except (httpx.HTTPError, httpx2.HTTPError) as error:
            seen.error = error
            _note(seen, error)
    return seen


def _asyncio(main: Callable[[], Awaitable[HttpSeen]]) -> HttpSeen:
    async def run() -> HttpSeen:
        return await main()

    return asyncio.run(run())


def _trio(main: Callable[[], Awaitable[HttpSeen]]) -> HttpSeen:
    return trio.run(main)


def _uvloop(main: Callable[[], Awaitable[HttpSeen]]) -> HttpSeen:
    async def run() -> HttpSeen:
        return await main()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


HTTP_WORLDS: Final[Sequence[HttpWorld]] = tuple(
    HttpWorld(package, run) for package in (httpx, httpx2) for run in (None, _asyncio, _trio, _uvloop)
)
every_http_world = pytest.mark.parametrize("world", HTTP_WORLDS, ids=[world.name for world in HTTP_WORLDS])
httpx_sync_and_asyncio = pytest.mark.parametrize(
    "world", HTTP_WORLDS[:2], ids=[world.name for world in HTTP_WORLDS[:2]]
)
"""For the many; httpx2 and trio meet one of each family."""
