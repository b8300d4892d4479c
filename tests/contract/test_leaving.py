"""Streams that are left: closed, dropped, cancelled. Nothing is sent after, and nothing stays open."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import anthropic
import anyio
import pytest

from resilient_stream import report
from resilient_stream.testing import Fault, Late, RetryAfter, Stall, Status, cut_at
from tests.support.doors import (
    BREAKS,
    Door,
    entered,
    every_async_door,
    every_door,
    every_loop,
    every_sync_door,
    told,
)
from tests.support.worlds import ASK, HASTY, TEXT, USER_TURN_MODEL, stand_in, sync_client

REQUEST: dict[str, Any] = {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK}

PLACES: dict[str, list[Fault | None]] = {
    "in the first attempt": [Stall(after=7)],
    "in a continuation": [cut_at(1500, "rst"), Stall(after=12)],
    "in a wait": [cut_at(1500, "rst"), RetryAfter(429, seconds=30)],
}
"""Where a stream may be when it is left, and the faults that bring it there."""
places = pytest.mark.parametrize("place", list(PLACES))

SENDING: list[Fault | None] = [cut_at(1500, "rst"), Late(60)]
"""As above, but nothing has come of the continuation, not even a head."""
places_or_sending = pytest.mark.parametrize("place", [*PLACES, "in a send"])


def meanwhile(action: Callable[[], Any]) -> threading.Thread:
    """Do something in another thread."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


async def drain(door: Door, stream: Any) -> None:
    """Read on until there is no more."""
    async for _ in door.pieces(stream):
        pass


def reading(door: Door, stream: Any, raised: list[Exception]) -> Callable[[], None]:
    """Read in another thread; what that raises."""

    def read() -> None:
        try:
            door.run(lambda: drain(door, stream))
        except BREAKS as error:
            raised.append(error)

    return read


@every_sync_door
@places
def test_close_from_another_thread(door: Door, place: str) -> None:
    """``close()`` from another thread ends a wait or a blocked read at once, and nothing is sent after."""
    faults, raised = PLACES[place], list[Exception]()
    with stand_in(*faults, always=Status(500)) as server, door.client(server.url) as client:
        stream = door.run(lambda: door.open(client))
        reader = meanwhile(reading(door, stream, raised))
        assert server.wait_requests(len(faults))
        door.left(stream)
        reader.join(60)
        assert not reader.is_alive(), "the reader was not woken"
        assert len(raised) == 1
        assert len(server.requests) == len(faults)
        assert place == "in a wait" or server.wait_closed()  # while it waits its connection is idle
        assert report(stream).outcome == "cancelled"


@every_sync_door
def test_close_while_a_continuation_is_sent(door: Door) -> None:
    """``close()`` returns at once. A blocked thread can't be called back from a connection that is not known yet, so
    the attempt dies by its timeout; nothing is sent after."""
    policy, raised = HASTY.replace(first_event_timeout=0.4), list[Exception]()
    with stand_in(*SENDING, always=Status(500)) as server, door.client(server.url, policy) as client:
        stream = door.run(lambda: door.open(client))
        reader = meanwhile(reading(door, stream, raised))
        assert server.wait_requests(2)
        door.left(stream)
        assert reader.is_alive()
        reader.join(60)
        assert len(raised) == 1
        assert len(server.requests) == 2
        assert server.wait_closed()
        assert [attempt.failure and attempt.failure.kind for attempt in report(stream).attempts] == [
            "reset",
            "cancelled",
        ]


@every_async_door
@places_or_sending
def test_cancellation(door: Door, place: str) -> None:
    """Cancelling ends a wait, a send or a read at once; nothing is sent after, and no connection is left."""
    faults = PLACES.get(place, SENDING)

    async def main() -> None:
        with stand_in(*faults, always=Status(500)) as server:
            async with door.client(server.url) as client, anyio.create_task_group() as group:
                group.start_soon(door.read, client)
                assert await anyio.to_thread.run_sync(server.wait_requests, len(faults))
                group.cancel_scope.cancel()
            assert len(server.requests) == len(faults)
            assert await anyio.to_thread.run_sync(server.wait_closed)

    door.run(main)


@every_async_door
@places_or_sending
def test_close_from_another_task(door: Door, place: str) -> None:
    """``close()`` from another task ends a wait, a send or a blocked read at once."""
    faults, raised = PLACES.get(place, SENDING), list[Exception]()

    async def main() -> None:
        with stand_in(*faults, always=Status(500)) as server:
            async with door.client(server.url) as client:
                stream = await door.open(client)

                async def read() -> None:
                    try:
                        await drain(door, stream)
                    except BREAKS as error:
                        raised.append(error)

                async with anyio.create_task_group() as group:
                    group.start_soon(read)
                    assert await anyio.to_thread.run_sync(server.wait_requests, len(faults))
                    await door.left(stream)
                assert len(raised) == 1
            assert len(server.requests) == len(faults)
            assert await anyio.to_thread.run_sync(server.wait_closed)

    door.run(main)


@every_door
@places
def test_left_early(door: Door, place: str) -> None:
    """Closing releases the connection, whichever attempt is running."""

    async def main(url: str) -> Any:
        async with entered(door.client(url)) as client:
            stream = await door.open(client)
            pieces = door.pieces(stream)
            for _ in range(12):
                await anext(pieces)
            await pieces.aclose()
            await told(door.left(stream))
            assert await anyio.to_thread.run_sync(server.wait_closed) if door.loop else server.wait_closed()
            return stream

    with stand_in(*PLACES[place][:-1]) as server:
        assert report(door.run(lambda: main(server.url))).outcome == "cancelled"


new_sdk = pytest.mark.skipif(
    anthropic.__version__.startswith("1."),
    reason="streams of the SDK's 1.x refer to themselves and wait for the collector",
)


@new_sdk
def test_dropped_without_reading() -> None:
    """A stream that is dropped unread releases its connection at once."""
    with stand_in(pace=0.05) as server, sync_client(server.url, HASTY) as client:
        gc.disable()
        try:
            client.messages.create(**REQUEST, stream=True)
            assert server.wait_closed()
        finally:
            gc.enable()


@new_sdk
def test_dropped_while_reading() -> None:
    """A stream that is dropped half read releases its connection at once."""
    with stand_in(pace=0.01) as server, sync_client(server.url, HASTY) as client:
        gc.disable()
        try:
            stream = client.messages.create(**REQUEST, stream=True)
            next(iter(stream))
            del stream
            assert server.wait_closed()
        finally:
            gc.enable()


def test_a_held_stream_stays_open() -> None:
    """A stream that is held is not closed under the consumer, whatever else is dropped."""
    with stand_in() as server, sync_client(server.url, HASTY) as client:
        events = iter(client.messages.create(**REQUEST, stream=True))
        next(events)
        gc.collect()
        assert [event.type for event in events][-1] == "message_stop"


@every_loop
def test_a_finished_stream_gives_its_connection_back(door: Door) -> None:
    """Streams read to their end share one connection."""
    with stand_in() as server:
        assert [seen.text for seen in door.streams(server.url, 3)] == [TEXT] * 3
        assert server.connections == 1
