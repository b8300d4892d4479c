"""HTTP/2, really spoken: many streams on one connection, of which each may break by itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import anthropic
import anyio
import anyio.to_thread
import pytest

from resilient_stream import RetryPolicy, policy_option, report
from resilient_stream.testing import Cut, Reset, Stall, Status
from tests.support.doors import DOORS, HTTP, Door, each, entered, told
from tests.support.http2 import (
    PROMPTLY,
    Die,
    Garbage,
    GoAway,
    Hold,
    Http2,
    Instead,
    Then,
    http2,
    http2_client,
    speaking_http2,
)
from tests.support.loops import on_loop
from tests.support.surfaces import asking
from tests.support.worlds import HASTY, TEXT, WORLDS, Seen, World, async_client, every_world, sync_client


def asked(world: World, url: str, policy: RetryPolicy | None = HASTY) -> Seen:
    """What a program saw of one stream over HTTP/2."""
    seen = world.stream(url, policy, {"http_client": http2_client(asynchronous=world.run is not None)})
    assert seen.error is not None or seen.version == "HTTP/2"
    return seen


@every_world
def test_healthy_bytes_are_the_upstreams(world: World) -> None:
    """With nothing failing, the body is byte for byte what the bare client reads."""
    with http2() as ours, http2() as bare:
        first, second = (
            world.body(url, policy, {"http_client": http2_client(asynchronous=world.run is not None)})
            for url, policy in ((ours.url, HASTY), (bare.url, None))
        )
    assert first.body == second.body
    assert first.body.endswith(b'{"type":"message_stop"}\n\n')
    assert (first.version, second.version) == ("HTTP/2", "HTTP/2")


AFTER = 9
"""Events that have come when a stream breaks; it is inside its text."""

HTTP_DOORS = [door for door in DOORS if door.package in HTTP]

QUIET = HASTY.replace(silence_timeout=0.4)
"""For silences."""

ENDINGS: dict[str, tuple[Any, str, int]] = {
    "RST_STREAM": (Then(after=AFTER, step=Reset()), "closed", 1),
    "GOAWAY": (Then(after=AFTER, step=GoAway()), "closed", 2),
    "GOAWAY to all": (Then(after=AFTER, step=GoAway(0)), "closed", 2),
    "GOAWAY to those behind the first": (Then(after=AFTER, step=GoAway(1)), "closed", 2),
    "END_STREAM": (Cut(after=AFTER, how="clean"), "truncated", 1),
    "FIN": (Then(after=AFTER, step=Die()), "closed", 2),
    "garbage": (Then(after=AFTER, step=Garbage()), "closed", 2),
    "silence": (Stall(after=AFTER), "silent", 2),
}
"""How a stream ends, what kind of failure that is, and how many connections it takes in all."""


@every_world
@pytest.mark.parametrize("ending", list(ENDINGS))
def test_a_cut_is_invisible(world: World, ending: str) -> None:
    """However a stream ends inside its text, the answer comes out whole, once, and the report says how it ended; a
    connection that lives is used again, one that does not is not."""
    fault, kind, connections = ENDINGS[ending]
    with http2(Status(529), fault, Status(529)) as server:
        seen = asked(world, server.url, QUIET if kind == "silent" else HASTY)
    assert seen.error is None
    assert seen.text == TEXT
    assert [block.text for block in seen.message.content] == [TEXT]
    assert seen.message.stop_reason == "end_turn"
    assert seen.kinds == ["overloaded", kind, "overloaded", None]
    assert seen.forms == ["first", "restart", "user_turn", "user_turn"]
    assert [seam.verified for seam in seen.report.seams] == [True]
    assert server.connections == connections


@pytest.mark.parametrize("ending", list(ENDINGS))
@pytest.mark.parametrize("door", HTTP_DOORS, ids=[door.name for door in HTTP_DOORS])
def test_a_cut_is_invisible_without_the_sdk_too(door: Door, ending: str) -> None:
    """To clients of httpx and httpx2, which keep their own transports and connections."""
    fault, kind, connections = ENDINGS[ending]
    with http2(Status(529), fault, Status(529)) as server:
        seen = door.stream(server.url, QUIET if kind == "silent" else HASTY, speaking_http2())
        assert server.connections == connections
    assert (seen.text, seen.ending) == (TEXT, "whole")
    assert seen.kinds == ["overloaded", kind, "overloaded", None]


@every_world
def test_a_reset_of_the_connection_is_invisible_too(world: World) -> None:
    """Python's TLS tells an RST from a FIN in some worlds only."""
    with http2(Then(after=AFTER, step=Die(rude=True))) as server:
        seen = asked(world, server.url)
    assert seen.text == TEXT
    assert seen.kinds in (["reset", None], ["closed", None])


@every_world
@pytest.mark.parametrize("step", [Reset(), GoAway(0), Garbage(), Die()], ids=lambda step: type(step).__name__)
def test_an_end_before_the_head_is_asked_again(world: World, step: Any) -> None:
    """What breaks before anything was answered is a broken connection, not a mistake of the user's."""
    with http2(Instead(step=step)) as server:
        seen = asked(world, server.url)
        first, second = server.requests
    assert seen.text == TEXT
    assert seen.kinds in (["closed", None], ["reset", None])  # under uvloop either may be seen first
    assert first.body == second.body


@every_world
def test_a_request_that_can_never_be_sent_is_not_asked_again(world: World) -> None:
    """HTTP/2 forbids the header; the connection lives on and serves the next."""
    with http2() as server:
        http: Any = {"http_client": http2_client(asynchronous=world.run is not None)}
        seen = world.stream(server.url, HASTY, {**http, "default_headers": {"te": "gzip"}})
        assert not server.requests
    assert isinstance(seen.error, anthropic.APIConnectionError)
    assert seen.kinds == ["rejected"]


@every_world
@pytest.mark.parametrize("at", range(0, 4600, 230))
def test_a_reset_at_any_byte_is_invisible(world: World, at: int) -> None:
    """Inside an event, between two, in the first and in the last."""
    with http2(Then(at=at, step=Reset())) as server:
        seen = asked(world, server.url)
        assert server.connections == 1
    assert seen.text == TEXT
    assert seen.report.outcome == "completed"


# -- several streams on one connection -------------------------------------------------------------

Job = Callable[[Any], Coroutine[Any, Any, Any]]
HELD = Then(after=AFTER, step=Hold())


def together(world: World, server: Http2, *jobs: Job) -> list[Any]:
    """What each of several threads or tasks gets that share one client.

    A thread begins when the request of the one before has come: httpcore2 takes a stream's number and uses it later,
    and a connection breaks on which a greater number was used between.
    """
    http: Any = {"http_client": http2_client(asynchronous=world.run is not None)}
    if world.run is None:
        with sync_client(server.url, HASTY, **http) as client, ThreadPoolExecutor(len(jobs)) as threads:
            running = list[Future[Any]]()
            for job in jobs:
                running.append(threads.submit(asyncio.run, job(client)))
                assert server.wait_requests(len(running))
            return [job.result() for job in running]
    got: dict[int, Any] = {}

    async def main() -> None:
        async with async_client(server.url, HASTY, **http) as client, anyio.create_task_group() as tasks:

            async def run(number: int, job: Job) -> None:
                got[number] = await job(client)

            for number, job in enumerate(jobs):
                tasks.start_soon(run, number, job)

    on_loop(world.name, main)
    return [got[number] for number in range(len(jobs))]


async def reads(client: Any, **options: Any) -> tuple[str, list[Any]]:
    """A stream read to its end: its text, and the kinds of its failures."""
    async with entered(client.messages.stream(**asking(), **options)) as stream:
        text = "".join([piece async for piece in each(stream.text_stream)])
        assert stream.response.http_version == "HTTP/2"
    attempts = report(stream).attempts
    return text, [attempt.failure and attempt.failure.kind.value for attempt in attempts]


WHOLE = (TEXT, [None])


def conducted(server: Http2, *, once: Callable[[], object]) -> threading.Thread:
    """A thread that lets the held streams go on, once that is true."""

    def conduct() -> None:
        once()
        server.go_on()

    thread = threading.Thread(target=conduct, daemon=True)
    thread.start()
    return thread


@every_world
@pytest.mark.parametrize("ending", ["RST_STREAM", "END_STREAM"])
def test_of_several_streams_only_the_cut_one_is_asked_again(world: World, ending: str) -> None:
    """One stream breaks and is continued on the same connection, while the others are held; all come whole.

    It is the last, so that no other one begins while it is continued (see `together`).
    """
    fault, kind, _ = ENDINGS[ending]
    with http2(HELD, HELD, fault, None) as server:
        conducted(server, once=lambda: server.wait_requests(4))
        got = together(world, server, reads, reads, reads)
        assert server.connections == 1
    assert sorted(got, key=lambda one: len(one[1])) == [WHOLE, WHOLE, (TEXT, [kind, None])]


@every_world
@pytest.mark.parametrize("ending", ["GOAWAY", "FIN"])
def test_streams_that_lose_their_connection_together_all_go_on(world: World, ending: str) -> None:
    """Each is continued by itself, on a new connection that they share again."""
    fault, _, _ = ENDINGS[ending]
    with http2(HELD, HELD, fault) as server:
        got = together(world, server, reads, reads, reads)
        assert (server.connections, len(server.requests)) == (2, 6)
    assert [text for text, _ in got] == [TEXT] * 3
    assert [len(kinds) for _, kinds in got] == [2, 2, 2]


@every_world
def test_a_stream_that_is_left_leaves_the_others(world: World) -> None:
    """Who has seen enough goes; the connection stays, and the others come whole over it."""
    left = threading.Event()

    async def leaves(client: Any) -> tuple[str, str]:
        async with entered(client.messages.stream(**asking())) as stream:
            pieces = each(stream.text_stream)
            first = await anext(pieces)
            await pieces.aclose()
        left.set()
        return first, report(stream).outcome

    with http2(HELD, HELD, HELD) as server:
        conducted(server, once=lambda: server.wait_requests(3) and left.wait(PROMPTLY))
        (first, outcome), *others = together(world, server, leaves, reads, reads)
        assert (server.connections, len(server.requests)) == (1, 3)
    assert TEXT.startswith(first)
    assert outcome == "cancelled"
    assert others == [WHOLE, WHOLE]


@every_world
def test_closing_one_stream_leaves_the_others_open(world: World) -> None:
    """A close from another thread or task returns at once and harms no other stream. A task that reads is out at
    once as well; a thread, which nothing wakes but bytes of its stream, with the next of them."""
    closed, ended = threading.Event(), threading.Event()

    async def is_closed(client: Any) -> tuple[str, list[Any]]:
        stream = await told(client.messages.create(**asking(), stream=True))
        seen = threading.Event()

        async def read() -> None:
            with pytest.raises(anthropic.APIConnectionError):
                async for event in each(stream):
                    if event.type == "content_block_delta":
                        seen.set()
            ended.set()

        if world.run is None:
            reader = threading.Thread(target=lambda: asyncio.run(read()), daemon=True)
            reader.start()
            assert seen.wait(PROMPTLY)
            stream.close()
            reader.join(PROMPTLY)
            closed.set()
        else:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read)
                await anyio.to_thread.run_sync(seen.wait, PROMPTLY)
                await anyio.wait_all_tasks_blocked()
                with anyio.fail_after(PROMPTLY):
                    await stream.response.aclose()
            assert ended.is_set()
            closed.set()
        assert ended.is_set()
        return report(stream).outcome, []

    with http2(HELD, HELD, HELD) as server:
        conducted(server, once=lambda: server.wait_requests(3) and closed.wait(PROMPTLY))
        got = together(world, server, is_closed, reads, reads)
        assert (server.connections, len(server.requests)) == (1, 3)
    assert got == [("cancelled", []), WHOLE, WHOLE]


@pytest.mark.parametrize("world", WORLDS[1:], ids=[world.name for world in WORLDS[1:]])
def test_a_silent_stream_among_others_is_continued(world: World) -> None:
    """The connection lives, so its own timeout never comes; each stream of an async client is timed by itself."""
    with http2(Stall(after=AFTER), HELD, None) as server:

        async def impatient(client: Any) -> tuple[str, list[Any]]:
            return await reads(client, extra_headers=policy_option(QUIET))

        async def second(client: Any) -> tuple[str, list[Any]]:
            await anyio.to_thread.run_sync(server.wait_requests, 1)
            return await reads(client)

        conducted(server, once=lambda: server.wait_requests(3))
        got = together(world, server, impatient, second)
        assert server.connections == 1
    assert got == [(TEXT, ["silent", None]), WHOLE]
