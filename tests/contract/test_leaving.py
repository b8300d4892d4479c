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
from tests.support.loops import LOOPS, on_loop
from tests.support.worlds import ASK, HASTY, USER_TURN_MODEL, async_client, stand_in, sync_client

REQUEST: dict[str, Any] = {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK}
backends = pytest.mark.parametrize("backend", LOOPS)

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


@places
def test_close_from_another_thread(place: str) -> None:
    """``close()`` from another thread ends a wait or a blocked read at once, and nothing is sent after."""
    faults = PLACES[place]
    with stand_in(*faults, always=Status(500)) as server, sync_client(server.url, HASTY) as client:
        stream = client.messages.create(**REQUEST, stream=True)
        ended = threading.Event()

        def read() -> None:
            try:
                for _ in stream:
                    pass
            except anthropic.APIError:
                ended.set()

        reader = meanwhile(read)
        assert server.wait_requests(len(faults))
        stream.close()
        assert ended.wait(5), "the reader was not woken"
        reader.join(5)
        assert len(server.requests) == len(faults)
        assert place == "in a wait" or server.wait_closed()  # while it waits its connection is idle
        assert report(stream).outcome == "cancelled"


def test_close_while_a_continuation_is_sent() -> None:
    """``close()`` returns at once. A blocked thread can't be called back from a connection that is not known yet, so
    the attempt dies by its timeout; nothing is sent after."""
    policy = HASTY.replace(first_event_timeout=0.4)
    with stand_in(*SENDING, always=Status(500)) as server, sync_client(server.url, policy) as client:
        stream = client.messages.create(**REQUEST, stream=True)
        raised: list[Exception] = []

        def read() -> None:
            try:
                for _ in stream:
                    pass
            except anthropic.APIError as error:
                raised.append(error)

        reader = meanwhile(read)
        assert server.wait_requests(2)
        stream.close()
        assert reader.is_alive()
        reader.join(5)
        assert len(raised) == 1
        assert len(server.requests) == 2
        assert server.wait_closed()
        assert [attempt.failure and attempt.failure.kind for attempt in report(stream).attempts] == [
            "reset",
            "cancelled",
        ]


@backends
@places_or_sending
def test_cancellation(backend: str, place: str) -> None:
    """Cancelling ends a wait, a send or a read at once; nothing is sent after, and no connection is left."""
    faults = PLACES.get(place, SENDING)

    async def main() -> None:
        with stand_in(*faults, always=Status(500)) as server:
            async with async_client(server.url, HASTY) as client, anyio.create_task_group() as group:

                async def read() -> None:
                    async with client.messages.stream(**REQUEST) as stream:
                        async for _ in stream:
                            pass

                group.start_soon(read)
                assert await anyio.to_thread.run_sync(server.wait_requests, len(faults))
                group.cancel_scope.cancel()
            assert len(server.requests) == len(faults)
            assert await anyio.to_thread.run_sync(server.wait_closed)

    on_loop(backend, main)


@backends
@places_or_sending
def test_close_from_another_task(backend: str, place: str) -> None:
    """``close()`` from another task ends a wait, a send or a blocked read at once."""
    faults = PLACES.get(place, SENDING)

    async def main() -> None:
        with stand_in(*faults, always=Status(500)) as server:
            async with async_client(server.url, HASTY) as client:
                stream = await client.messages.create(**REQUEST, stream=True)
                raised: list[Exception] = []

                async def read() -> None:
                    try:
                        async for _ in stream:
                            pass
                    except anthropic.APIError as error:
                        raised.append(error)

                async with anyio.create_task_group() as group:
                    group.start_soon(read)
                    assert await anyio.to_thread.run_sync(server.wait_requests, len(faults))
                    await stream.response.aclose()
                assert len(raised) == 1
            assert len(server.requests) == len(faults)
            assert await anyio.to_thread.run_sync(server.wait_closed)

    on_loop(backend, main)


@places
def test_left_early(place: str) -> None:
    """Leaving the ``with`` block releases the connection, whichever attempt is running."""
    faults = PLACES[place][:-1]
    with stand_in(*faults) as server, sync_client(server.url, HASTY) as client:
        with client.messages.stream(**REQUEST) as stream:
            for _, _ in zip(stream.text_stream, range(12), strict=False):
                pass
        assert server.wait_closed()
        assert report(stream).outcome == "cancelled"


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


def test_a_finished_stream_gives_its_connection_back() -> None:
    """Streams read to their end share one connection."""
    with stand_in() as server, sync_client(server.url, HASTY) as client:
        for _ in range(3):
            with client.messages.stream(**REQUEST) as stream:
                stream.until_done()
        assert server.connections == 1


@backends
def test_a_finished_async_stream_gives_its_connection_back(backend: str) -> None:
    """Async streams read to their end share one connection."""

    async def main() -> int:
        with stand_in() as server:
            async with async_client(server.url, HASTY) as client:
                for _ in range(3):
                    async with client.messages.stream(**REQUEST) as stream:
                        await stream.until_done()
            return server.connections

    assert on_loop(backend, main) == 1
