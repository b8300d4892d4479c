"""Runs streams in the background, with or without readers."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import anyio
import anyio.to_thread

from resilient_stream._telemetry.guard import guarded
from resilient_stream.errors import StreamBusy

from .entrance import Entrance
from .entries import Head
from .group import waker
from .scope import journal_key

log: Final = logging.getLogger("resilient_stream")

NAMED: Final = ("model", "max_tokens", "messages")
"""The fields of a request that the SDK takes as named parameters."""


class _Outcome:
    """Whether a stream has begun, or why it has not."""

    def __init__(self, told: Callable[[], object]) -> None:
        self.begun = False
        self.error: Exception | None = None
        self._told = told

    def begins(self) -> None:
        """Note that the journal has the stream."""
        self.begun = True
        self._told()

    def ends(self, error: Exception | None) -> None:
        """Note that the stream has ended."""
        if error is not None and self.begun:
            guarded(log.warning, f"a stream in the background failed: {type(error).__name__}")
        self.error = error
        self._told()


def start(entrance: Entrance, client: Any, key: str, request: Mapping[str, Any]) -> None:
    """Run a stream of a sync client in a thread. Return once the journal has it."""
    known = threading.Event()
    outcome = _Outcome(known.set)

    def run() -> None:
        error = None
        try:
            with client.messages.create(**_asked(key, request)) as stream:
                for _ in stream:
                    pass
        except Exception as raised:  # noqa: BLE001 -- raised to the caller that began it
            error = raised
        outcome.ends(error)

    with entrance.telling(key, outcome.begins):
        threading.Thread(target=run, name=f"resilient-stream {key}", daemon=True).start()
        known.wait()
    if outcome.error is not None and not outcome.begun:
        raise outcome.error


async def astart(
    entrance: Entrance, client: Any, key: str, request: Mapping[str, Any], tasks: set[asyncio.Task[None]]
) -> None:
    """Run a stream of an async client in a task of asyncio. Return once the journal has it."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "journal.astart needs asyncio; under trio, start journal.arun in a nursery of yours"
        ) from None
    known = anyio.Event()
    outcome = _Outcome(waker(known.set))

    async def run() -> None:
        error = None
        try:
            await arun(client, key, request)
        except Exception as raised:  # noqa: BLE001 -- raised to the caller that began it
            error = raised
        outcome.ends(error)

    with entrance.telling(key, outcome.begins):
        task = loop.create_task(run())
        tasks.add(task)  # the loop holds it only weakly
        task.add_done_callback(tasks.discard)
        await known.wait()
    if outcome.error is not None and not outcome.begun:
        raise outcome.error


async def arun(client: Any, key: str, request: Mapping[str, Any]) -> None:
    """Run a stream of an async client to its end."""
    async with await client.messages.create(**_asked(key, request)) as stream:
        async for _ in stream:
            pass


def recover(entrance: Entrance, client: Any, heads: list[Head]) -> list[str]:
    """Continue these streams. Return the keys of those that were continued."""
    taken = list[str]()
    for head in heads:
        with suppress(StreamBusy):  # another process was quicker
            start(entrance, client, head.key, again(entrance.kept(head.key)[0]))
            taken.append(head.key)
    return taken


async def arecover(
    entrance: Entrance, client: Any, heads: list[Head], tasks: set[asyncio.Task[None]]
) -> list[str]:
    """As `recover`."""
    taken = list[str]()
    for head in heads:
        with suppress(StreamBusy):  # another process was quicker
            kept, _ = await anyio.to_thread.run_sync(entrance.kept, head.key)
            await astart(entrance, client, head.key, again(kept), tasks)
            taken.append(head.key)
    return taken


def again(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call that repeats a stored request."""
    body = dict(kept["body"])
    named = {name: body.pop(name) for name in NAMED}
    body.pop("stream", None)
    return {**named, "extra_body": body, "extra_headers": dict(kept["headers"])}


def _asked(key: str, request: Mapping[str, Any]) -> dict[str, Any]:
    headers = {**(request.get("extra_headers") or {}), **journal_key(key)}
    return {**request, "stream": True, "extra_headers": headers}
