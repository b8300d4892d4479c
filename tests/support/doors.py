"""The doors by which a program reaches the API: the SDK, httpx and httpx2, each sync and on every event loop.

A law of the adapters is written once, for a `Door`. A sync client works inside a coroutine as well: it blocks,
and nobody else is there.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import anthropic
import httpx
import httpx2
import pytest

from resilient_stream import RetryPolicy, StreamReport, report, resilient

from .loops import LOOPS, on_loop
from .sdk import by_the_sdk
from .worlds import ASK, HASTY, USER_TURN_MODEL

PACKAGES: Final = ("sdk", "httpx", "httpx2")
HTTP: Final = PACKAGES[1:]

EXCEPTIONS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    # faults of the catalogue
    **dict.fromkeys(
        ["r301", "r302", "r303", "r307", "r308"],
        (HTTP, "these clients follow redirects above their transports, to a path that is not protected"),
    ),
    "redirect_loop": (HTTP, "as the redirects: the client gives up by itself"),
    # laws
    "test_attempts_never_multiply": (HTTP, "these clients don't try again by themselves"),
    **dict.fromkeys(
        [
            "test_the_sdks_exception_is_the_one_without_the_library",
            "test_an_error_told_in_a_stream_has_the_streams_headers",
        ],
        (HTTP, "these clients hand on what came: the page, or the event; there is no exception"),
    ),
    "test_others_in_the_chain_see_the_response_itself": (HTTP, "middleware is the SDK's"),
    "test_off_brings_the_sdks_retries_back": (HTTP, "these clients don't try again by themselves"),
    "test_a_call_may_have_a_policy_of_its_own": (HTTP, "a request has no place for an option"),
    "test_a_call_with_an_option_looks_like_one_without": (HTTP, "as above"),
}
"""What is not tried through which doors, and why: a fault or a law, the doors, the reason."""

HEADERS: Final = {"x-api-key": "key", "anthropic-version": "2023-06-01"}

STATUSES: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The status that an error event stands for."""

WIRE: Final = {
    "message_start",
    "message_delta",
    "message_stop",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
}
"""Events that come over the wire; the SDK adds some of its own."""

BREAKS: Final = (
    anthropic.AnthropicError,
    httpx.HTTPError,
    httpx2.HTTPError,
    ValueError,
    AssertionError,
    LookupError,
)
"""What reading a broken stream may raise, through any door and without the library too."""

T = TypeVar("T")


async def told(value: Any) -> Any:
    """A value, or what its awaitable gives."""
    return await value if inspect.isawaitable(value) else value


async def each(source: Any) -> AsyncGenerator[Any]:
    """What a sync or async iterable gives."""
    if isinstance(source, AsyncIterator) or hasattr(source, "__aiter__"):
        async for item in source:
            yield item
    else:
        for item in source:
            yield item


@asynccontextmanager
async def entered(manager: Any) -> AsyncGenerator[Any]:
    """A sync or async context."""
    if hasattr(manager, "__aenter__"):
        async with manager as value:
            yield value
    else:
        with manager as value:
            yield value


def events_of(raw: bytes) -> list[Mapping[str, Any]]:
    """The events of a body, read as the standard says."""
    frames = raw.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n\n")[:-1]
    data = ["\n".join(line[5:] for line in frame.split("\n") if line.startswith("data:")) for frame in frames]
    return [json.loads(each) for each in data if each]


@dataclass
class Through:
    """What a program saw of one stream, in words that hold for each door."""

    text: str = ""
    types: list[str] = field(default_factory=list)
    """Of the events that came over the wire."""
    error: Exception | None = None
    ending: str = ""
    """``whole``; ``cut``, where nothing was said; ``broken``; ``timeout``; or the status that was answered, or that
    an error event stands for."""
    told: StreamReport | None = None
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""
    """The body, where the door shows it."""
    made: Any = None
    """The message, where the door puts one together."""
    iterations: list[Any] = field(default_factory=list)
    """Of the final usage, as the stream tells them."""

    @property
    def message(self) -> dict[str, Any]:
        """The message, as the SDK puts it together."""
        whole: dict[str, Any] = (
            by_the_sdk(self.raw) if self.made is None else self.made.to_dict(mode="json", warnings=False)
        )
        return whole

    @property
    def report(self) -> StreamReport:
        """What `report` tells of it; there must be one."""
        assert self.told is not None
        return self.told

    @property
    def kinds(self) -> list[str | None]:
        """The failure kind of each attempt."""
        return [None if one.failure is None else one.failure.kind.value for one in self.report.attempts]

    @property
    def forms(self) -> list[str]:
        """What each attempt was."""
        return [attempt.kind.value for attempt in self.report.attempts]

    def read(self) -> None:
        """Read the events of the body, where the door shows it."""
        if self.raw and self.status == 200:
            events = events_of(self.raw)
            deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
            self.text = "".join(delta.get("text", "") for delta in deltas)
            self.types = [event["type"] for event in events]
            for event in events:
                if event["type"] == "message_delta":
                    self.iterations = event["usage"].get("iterations") or []

    def note(self, source: object) -> None:
        """Keep what `report` tells of this, if anything."""
        with contextlib.suppress(LookupError):
            self.told = report(source)


@dataclass(frozen=True)
class Door:
    """One way in.

    Args:
        package: ``sdk``, ``httpx`` or ``httpx2``.
        loop: the event loop; None for a sync client.
    """

    package: str
    loop: str | None = None

    @property
    def name(self) -> str:
        """For test ids."""
        return f"{self.package}-{self.loop or 'sync'}"

    @property
    def http(self) -> Any:
        """The HTTP package below."""
        return sys.modules["httpx2" if self.package == "sdk" else self.package]

    def run(self, law: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine function where clients of this door live."""
        if self.loop is not None:
            return on_loop(self.loop, law)
        try:
            law().send(None)
        except StopIteration as done:
            value: T = done.value
            return value
        raise AssertionError("a sync client has waited for an event loop")

    def client(self, url: str, policy: RetryPolicy | str | None = HASTY, **options: Any) -> Any:
        """A client of the stand-in; resilient unless the policy is None."""
        prefix = "" if self.loop is None else "Async"
        if self.package == "sdk":
            made = getattr(anthropic, f"{prefix}Anthropic")(**{"base_url": url, "api_key": "key", **options})
        else:
            known = {"follow_redirects": True, "timeout": 20.0, **options}
            known.pop("max_retries", None)  # they have none
            made = getattr(self.http, f"{prefix}Client")(base_url=url, headers=HEADERS, **known)
        return made if policy is None else resilient(made, policy)

    async def open(self, client: Any, **fields: Any) -> Any:
        """A stream that has begun: the SDK's ``Stream``, or the package's ``Response``."""
        ask = asking(**fields)
        if self.package == "sdk":
            return await told(client.messages.create(**ask))
        return await told(client.send(client.build_request("POST", "/v1/messages", json=ask), stream=True))

    def pieces(self, opened: Any) -> AsyncGenerator[Any]:
        """What comes of a stream that was opened: events, or bytes."""
        if self.package == "sdk":
            return each(opened)
        return each(opened.iter_bytes() if self.loop is None else opened.aiter_bytes())

    def left(self, opened: Any) -> Any:
        """Close what was opened, from anywhere; None, or an awaitable."""
        return opened.close() if self.loop is None else getattr(opened, "response", opened).aclose()

    async def read(self, client: Any, **fields: Any) -> Through:
        """Read one stream of a client to its end, or to the exception."""
        through = Through()
        try:
            await (_by_the_sdk if self.package == "sdk" else self._by_http)(through, client, asking(**fields))
        except BREAKS as error:
            through.error = error
            through.note(error)
        with contextlib.suppress(ValueError, LookupError):  # without the library anything may have come
            through.read()
        through.ending = self._ending(through)
        return through

    def stream(
        self,
        url: str,
        policy: RetryPolicy | str | None = HASTY,
        client: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Through:
        """Read one stream of a client made for it."""
        return self.streams(url, 1, policy, client, **fields)[-1]

    def streams(
        self,
        url: str,
        number: int,
        policy: RetryPolicy | str | None = HASTY,
        client: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> list[Through]:
        """Read some streams of one client, one after the other."""

        async def law() -> list[Through]:
            async with entered(self.client(url, policy, **(client or {}))) as made:
                return [await self.read(made, **fields) for _ in range(number)]

        return self.run(law)

    async def _by_http(self, through: Through, client: Any, ask: dict[str, Any]) -> None:
        async with entered(client.stream("POST", "/v1/messages", json=ask)) as response:
            through.status, through.headers = response.status_code, dict(response.headers)
            through.note(response)
            async for chunk in self.pieces(response):
                through.raw += chunk
        through.note(response)

    def _ending(self, through: Through) -> str:
        error: Any = through.error
        if isinstance(error, (anthropic.APITimeoutError, self.http.TimeoutException)):
            return "timeout"
        answer = getattr(error, "response", None)
        if answer is None and self.package != "sdk":
            answer = getattr(getattr(error, "__cause__", None), "response", None)
        if answer is not None:
            return str(answer.status_code)
        if error is not None:
            return "broken"
        if through.status not in (0, 200):
            return str(through.status)
        if through.types[-1:] == ["error"]:
            return str(STATUSES[events_of(through.raw)[-1]["error"]["type"]])
        return "whole" if through.types[-1:] == ["message_stop"] else "cut"


async def _by_the_sdk(through: Through, client: Any, ask: dict[str, Any]) -> None:
    del ask["stream"]
    async with entered(client.messages.stream(**ask)) as stream:
        through.status, through.headers = stream.response.status_code, dict(stream.response.headers)
        async for event in each(stream):
            if event.type == "text":
                through.text += event.text
            if event.type in WIRE:
                through.types.append(event.type)
            if event.type == "message_delta":
                through.iterations = event.to_dict(warnings=False)["usage"].get("iterations") or []
        through.made = await told(stream.get_final_message())
        through.note(stream)


def asking(**fields: Any) -> dict[str, Any]:
    """The fields of a streaming request."""
    return {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK, "stream": True, **fields}


def excepted(name: str, door: Door) -> bool:
    """Whether a law or a fault is not tried through a door."""
    return door.package in EXCEPTIONS.get(name, ((), ""))[0]


DOORS: Final = [Door(package, loop) for package in PACKAGES for loop in (None, "asyncio")]
ALL_DOORS: Final = [Door(package, loop) for package in PACKAGES for loop in (None, *LOOPS)]
ASYNC_DOORS: Final = [door for door in ALL_DOORS if door.loop is not None]
SYNC_DOORS: Final = [door for door in ALL_DOORS if door.loop is None]

Law = TypeVar("Law", bound=Callable[..., None])


def _through(doors: list[Door], law: Law) -> Law:
    tried = [door for door in doors if not excepted(law.__name__, door)]
    parametrised: Law = pytest.mark.parametrize("door", tried, ids=[door.name for door in tried])(law)
    return parametrised


def every_door(law: Law) -> Law:
    """Run a law through each door, sync and under asyncio, but for what `EXCEPTIONS` has."""
    return _through(DOORS, law)


def every_loop(law: Law) -> Law:
    """The same on every event loop, for what waits, closes or is cancelled: one of each family."""
    return _through(ALL_DOORS, law)


def every_async_door(law: Law) -> Law:
    """The same for async clients, on every event loop."""
    return _through(ASYNC_DOORS, law)


def every_sync_door(law: Law) -> Law:
    """The same for sync clients."""
    return _through(SYNC_DOORS, law)


def through(names: list[str], loops: tuple[str | None, ...] = (None, "asyncio")) -> pytest.MarkDecorator:
    """Each of many cases, by its ``name``, through each package, sync and async in turn, but for what `EXCEPTIONS` has."""
    doors = [
        (name, Door(package, loops[(case + number) % len(loops)]))
        for case, name in enumerate(names)
        for number, package in enumerate(PACKAGES)
    ]
    met = [(name, door) for name, door in doors if not excepted(name, door)]
    return pytest.mark.parametrize(("name", "door"), met, ids=[f"{name}-{door.name}" for name, door in met])
