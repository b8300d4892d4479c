"""Off is off: over the catalogue of faults, what the bare SDK does, to the byte and to the exception."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Final

import pytest

from resilient_stream import RetryPolicy, policy_option, policy_scope
from resilient_stream.testing import CATALOGUE, Received, StandIn
from tests.support.worlds import HASTY, TEXT, Seen, World, every_world, sync_and_asyncio

from .test_catalogue import SILENCES

SAMPLE: Final = [
    "ok",
    "rst_mid_chunk",
    "clean_end_mid_event",
    "stall_mid",
    "gzip_corrupt",
    "json_cut",
    "rst_after_message_stop",
    "error_event_overloaded",
    "no_headers",
    "fin_before_headers",
    "html_200",
    "s529",
]
"""One fault of each family."""

OFF: Final = RetryPolicy.preset("off")


def sent(requests: Sequence[Received]) -> list[Any]:
    """What the upstream was sent, the SDK's own notes and the address apart."""
    return [
        (
            request.path,
            request.body,
            sorted(
                (k, v) for k, v in request.headers.items() if not k.startswith("x-stainless") and k != "host"
            ),
        )
        for request in requests
    ]


def told(error: BaseException | None) -> list[Any]:
    """An exception and what it was made from: classes, texts and notes."""
    chain: list[Any] = []
    while error is not None:
        chain.append((type(error), str(error), getattr(error, "__notes__", [])))
        error = error.__cause__
    return chain


def met(world: World, name: str, policy: RetryPolicy | None, raw: bool, **options: Any) -> Any:
    """Everything that can be seen of a fault, from both ends."""
    client: dict[str, Any] = {"max_retries": 0} | ({"timeout": 0.5} if name in SILENCES else {})
    with StandIn(reply=TEXT, faults=list(CATALOGUE[name].faults)) as server:
        ask = world.body if raw else world.stream
        seen: Seen = ask(server.url, policy, client, **options)
        assert server.wait_closed()
        events = [repr(event) for event in seen.events]
        return (
            seen.body,
            events,
            seen.text,
            repr(seen.message),
            told(seen.error),
            sent(server.requests),
            seen.told,
        )


@sync_and_asyncio
@pytest.mark.parametrize("name", SAMPLE)
def test_off_is_the_bare_sdk(world: World, name: str) -> None:
    """Bytes, events, messages, exceptions with their causes, and requests are those without the library."""
    for raw in (False, True) if world.run is None else (False,):
        assert met(world, name, OFF, raw) == met(world, name, None, raw)


@sync_and_asyncio
@pytest.mark.parametrize("how", ["block", "call", "environment"])
@pytest.mark.parametrize("name", ["rst_mid_chunk", "s529"])
def test_off_for_some_calls_is_too(
    world: World, name: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a resilient client is switched off for a block, for a call, or for the process."""
    bare = met(world, name, None, raw=False)
    if how == "environment":
        monkeypatch.setenv("RESILIENT_STREAM", "off")
    scope = policy_scope("off") if how == "block" else contextlib.nullcontext()
    options: dict[str, Any] = {"extra_headers": policy_option("off")} if how == "call" else {}
    with scope:
        assert met(world, name, HASTY, raw=False, **options) == bare


@every_world
def test_observe_from_the_environment_sends_nothing_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``RESILIENT_STREAM=observe`` lays the preset over a policy that would retry; what failed is told."""
    monkeypatch.setenv("RESILIENT_STREAM", "observe")
    with StandIn(reply=TEXT, faults=list(CATALOGUE["rst_mid_chunk"].faults)) as server:
        seen = world.stream(server.url, HASTY)
        assert len(server.requests) == 1
    assert seen.kinds == ["reset"]
    assert seen.error is not None
