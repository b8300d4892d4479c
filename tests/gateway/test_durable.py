"""What only the inside shows; `tests/contract/test_gateway_journal.py` has what a client sees."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from resilient_stream import RetryPolicy
from resilient_stream._gateway.durable import seconds_of
from resilient_stream.asgi import Gateway
from resilient_stream.errors import JournalError, JournalUnavailable, StreamBusy, UnknownStream, WriterGone
from resilient_stream.journal import Journal, Status
from resilient_stream.testing import sse_events
from tests.support.doors import asking
from tests.support.worlds import HASTY

from .test_request import LEFT, piece, receiving

FRAMES = list(sse_events("The moon pulls the sea. " * 3))


class Slow(httpx2.AsyncByteStream):
    """Half of an answer, and then nothing."""

    def __init__(self) -> None:
        self.read = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for frame in FRAMES[:6]:
            yield frame
        self.read.set()
        await asyncio.Event().wait()


def api(*bodies: httpx2.AsyncByteStream) -> httpx2.MockTransport:
    """One that answers with these bodies, and then whole."""
    waiting = list(bodies)

    def answer(_: httpx2.Request) -> httpx2.Response:
        body = waiting.pop(0) if waiting else httpx2.ByteStream(b"".join(FRAMES))
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=body)

    return httpx2.MockTransport(answer)


@pytest.fixture
def journal(tmp_path: Path) -> Generator[Journal]:
    """A new one."""
    with Journal(f"sqlite:///{tmp_path}/j.db") as made:
        yield made


class Seen:
    """What was sent to a client."""

    def __init__(self) -> None:
        self.body, self.finished, self.key = b"", False, ""
        self.some = asyncio.Event()

    async def __call__(self, message: Any) -> None:
        """Note a message of ASGI's."""
        if message["type"] == "http.response.start":
            self.key = dict(message["headers"]).get(b"resilient-stream-id", b"").decode()
            return
        self.body += message["body"]
        self.finished = not message["more_body"]
        if self.body:
            self.some.set()


async def began(app: Gateway) -> Seen:
    """A stream whose client has left after its first event."""
    seen = Seen()

    async def receive() -> Any:
        if not asked:
            asked.append(1)
            return piece(json.dumps(asking()).encode(), more=False)
        await seen.some.wait()
        return LEFT

    asked = list[int]()
    scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": []}
    await app(scope, receive, seen)
    return seen


async def read(app: Gateway, key: str) -> Seen:
    """What a reader of a stream gets."""
    seen = Seen()
    scope = {"type": "http", "method": "GET", "path": f"/resilient/streams/{key}", "headers": []}
    await app(scope, receiving(piece(b"", more=False)), seen)
    return seen


def raising(error: Exception, times: int = 100) -> Any:
    """In place of `Journal.steps`: raise so often."""
    left, real = [times], Journal.steps

    async def steps(self: Journal, *args: Any) -> AsyncIterator[Any]:
        if left[0]:
            left[0] -= 1
            raise error
        async for entries in real(self, *args):
            yield entries

    return steps


@pytest.mark.parametrize(
    ("error", "method", "fails"),
    [
        (WriterGone("gone"), "atake", StreamBusy("elsewhere")),
        (WriterGone("gone"), "atake", JournalError("it can't be read")),
        (UnknownStream("removed"), "kept", None),
    ],
)
def test_what_may_pass_breaks_the_response_off(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, error: Any, method: str, fails: Any
) -> None:
    """Its reader comes back: it never looks like the end. What brings nothing is not tried again and again."""

    def failing(*_: Any) -> Any:
        raise fails

    async def run() -> Seen:
        app = Gateway("http://api.test", HASTY, journal=journal, transport=api(Slow()))
        left = await began(app)
        monkeypatch.setattr(Journal, "steps", raising(error))
        if fails is not None:
            monkeypatch.setattr(journal.entrance, method, failing)
        return await read(app, left.key)

    assert not asyncio.run(run()).finished


def test_what_is_complete_by_the_time_is_read_on(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one has finished it meanwhile: there is nothing to take over."""

    async def run() -> Seen:
        app = Gateway("http://api.test", HASTY, journal=journal, transport=api())
        seen = Seen()
        scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": []}
        await app(scope, receiving(piece(json.dumps(asking()).encode(), more=False)), seen)
        monkeypatch.setattr(Journal, "steps", raising(WriterGone("gone"), times=1))
        again = await read(app, seen.key)
        assert again.body == seen.body
        return again

    assert asyncio.run(run()).finished


def test_a_policy_that_is_switched_off_goes_on_with_nothing(journal: Journal) -> None:
    """The reader gets what there is, and no end."""

    async def run() -> Seen:
        left = await began(Gateway("http://api.test", HASTY, journal=journal, transport=api(Slow())))
        return await read(Gateway("http://api.test", RetryPolicy(enabled=False), journal=journal), left.key)

    seen = asyncio.run(run())
    assert b"message_start" in seen.body
    assert not seen.finished


def test_streams_that_go_on_for_readers_end_with_the_gateway(journal: Journal) -> None:
    """As left, not as lost: they go on when their readers come back."""

    async def run() -> None:
        again = Slow()
        app = Gateway("http://api.test", HASTY, journal=journal, transport=api(Slow(), again))
        left = await began(app)
        reading = asyncio.ensure_future(read(app, left.key))
        await again.read.wait()
        await app.aclose()
        reading.cancel()

    asyncio.run(run())
    assert journal.streams()[0].status is Status.LEFT


def test_a_time_may_have_a_fraction() -> None:
    """None is no time."""
    assert [seconds_of(said) for said in ("", "0", "0.5", "600")] == [0.0, 0.0, 0.5, 600.0]


@pytest.mark.parametrize(("method", "fails"), [("GET", "head"), ("DELETE", "head"), ("DELETE", "stop")])
def test_a_store_that_is_away_is_answered_503(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, method: str, fails: str
) -> None:
    """It says nothing about the stream, and the client may come back."""

    def away(_: str) -> None:
        raise JournalUnavailable("away")

    app = Gateway("http://api.test", HASTY, journal=journal, transport=api(Slow()))
    key = asyncio.run(began(app)).key
    monkeypatch.setattr(journal.store, fails, away)
    statuses = list[int]()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {"type": "http", "method": method, "path": f"/resilient/streams/{key}", "headers": []}
    asyncio.run(app(scope, receiving(piece(b"", more=False)), send))
    assert statuses == [503]
