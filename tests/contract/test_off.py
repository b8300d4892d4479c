"""Off is off: over the catalogue of faults, what the bare client does, to the byte and to the exception. And where
nothing fails, any policy is as good as off."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Final

import pytest

from resilient_stream import RetryPolicy, policy_option, policy_scope
from resilient_stream.testing import CATALOGUE, Received, StandIn
from tests.support.doors import Door, every_door, every_loop, excepted
from tests.support.worlds import HASTY, TEXT, World, every_world, sync_and_asyncio

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


def met(door: Door, name: str, policy: RetryPolicy | None, **fields: Any) -> Any:
    """Everything that can be seen of a fault, from both ends."""
    client: dict[str, Any] = {"max_retries": 0} | ({"timeout": 0.3} if name in SILENCES else {})
    with StandIn(reply=TEXT, faults=list(CATALOGUE[name].faults)) as server:
        seen = door.stream(server.url, policy, client, **fields)
        assert server.wait_closed()
        message = None if seen.made is None else seen.made.to_dict(warnings=False)
        said = (seen.types, seen.text, message, seen.raw, seen.status, seen.ending)
        return said, told(seen.error), sent(server.requests), seen.told


@every_door
@pytest.mark.parametrize("name", SAMPLE)
def test_off_is_the_bare_client(door: Door, name: str) -> None:
    """Bytes, events, messages, exceptions with their causes, and requests are those without the library."""
    assert met(door, name, OFF) == met(door, name, None)


@every_loop
def test_where_nothing_fails_nothing_is_changed(door: Door) -> None:
    """Bytes, events, message and requests are those without the library, under a policy that would try again."""
    said, error, asked, report = met(door, "ok", HASTY)
    assert [said, error, asked, None] == [*met(door, "ok", None)]
    assert report.outcome == "completed"


@every_world
def test_where_nothing_fails_the_sdk_shows_the_upstreams_bytes(world: World) -> None:
    """Which ``with_streaming_response`` hands on."""
    with StandIn(reply=TEXT) as ours, StandIn(reply=TEXT) as bare:
        assert world.body(ours.url, HASTY).body == world.body(bare.url, None).body != b""


@sync_and_asyncio
@pytest.mark.parametrize("name", SAMPLE)
def test_off_has_the_bytes_of_the_bare_sdk(world: World, name: str) -> None:
    """Which the SDK shows through ``with_streaming_response``."""
    client: dict[str, Any] = {"max_retries": 0} | ({"timeout": 0.3} if name in SILENCES else {})
    bodies = []
    for policy in (OFF, None):
        with StandIn(reply=TEXT, faults=list(CATALOGUE[name].faults)) as server:
            seen = world.body(server.url, policy, client)
            bodies.append((seen.body, told(seen.error), sent(server.requests)))
    assert bodies[0] == bodies[1]


@every_door
@pytest.mark.parametrize("how", ["block", "call", "environment"])
@pytest.mark.parametrize("name", ["rst_mid_chunk", "s529"])
def test_off_for_some_calls_is_too(door: Door, name: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a resilient client is switched off for a block, for a call, or for the process."""
    if how == "call" and excepted("test_a_call_may_have_a_policy_of_its_own", door):
        return
    bare = met(door, name, None)
    if how == "environment":
        monkeypatch.setenv("RESILIENT_STREAM", "off")
    scope = policy_scope("off") if how == "block" else contextlib.nullcontext()
    options: dict[str, Any] = {"extra_headers": policy_option("off")} if how == "call" else {}
    with scope:
        assert met(door, name, HASTY, **options) == bare


@every_door
def test_observe_from_the_environment_sends_nothing_more(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """``RESILIENT_STREAM=observe`` lays the preset over a policy that would retry; what failed is told."""
    monkeypatch.setenv("RESILIENT_STREAM", "observe")
    with StandIn(reply=TEXT, faults=list(CATALOGUE["rst_mid_chunk"].faults)) as server:
        seen = door.stream(server.url, HASTY)
        assert len(server.requests) == 1
    assert (seen.kinds, seen.ending) == (["reset"], "broken")
