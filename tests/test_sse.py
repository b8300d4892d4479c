"""A journaled stream as the answer of an application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from resilient_stream import sse
from resilient_stream._journal.codec import request_bytes
from resilient_stream._journal.entries import Lease, Opening, Status, Write
from resilient_stream._journal.lease import holder
from resilient_stream.errors import JournalUnavailable
from resilient_stream.journal import Journal
from tests.support.journals import STORES, url_of

Request: Any = pytest.importorskip("starlette.requests").Request

TAG = "0123456789ab"
FRAMES = tuple(b"event: ping\ndata: %d\n\n" % number for number in range(1, 7))


@pytest.fixture(params=STORES)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Journal]:
    """A new journal of each kind."""
    with Journal(url_of(request.param, tmp_path)) as made:
        yield made


def begun(
    journal: Journal, status: Status | None = None, count: int = len(FRAMES), ttl: float = 60.0
) -> Lease:
    """A stream."""
    opening = Opening(TAG, request_bytes({}), "mine")
    lease = journal.store.claim("s", holder(), ttl, opening=opening).lease
    assert lease is not None
    journal.store.commit([Write(lease, 1, FRAMES[:count], None, status)], ttl)
    return lease


def asked(cursor: str | None = None, query: str = "") -> Any:
    """A request of a browser's."""
    headers = [] if cursor is None else [(b"last-event-id", cursor.encode())]
    return Request({"type": "http", "method": "GET", "headers": headers, "query_string": query.encode()})


async def answer(journal: Journal, request: Any, **options: Any) -> tuple[int, bytes]:
    """The status, and all of the body."""
    response: Any = await sse.reply(journal, "s", request, **options)
    assert response.headers["cache-control"] == "no-store"
    if not hasattr(response, "body_iterator"):
        return response.status_code, response.body
    assert response.headers["content-type"].startswith("text/event-stream")
    return response.status_code, b"".join([chunk async for chunk in response.body_iterator])


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    """Under asyncio."""

    async def whole() -> Any:
        return await main()

    return asyncio.run(whole())


def numbered(first: int) -> bytes:
    """The frames from one on, each with its id."""
    return b"".join(
        b"id: %s-%d\n%s" % (TAG.encode(), at, FRAMES[at - 1]) for at in range(first, len(FRAMES) + 1)
    )


@pytest.mark.parametrize("read", range(len(FRAMES)))
def test_a_browser_gets_what_it_has_not_read(journal: Journal, read: int) -> None:
    """From the place that it names, in a header or in the query of a page that was reloaded; each event has its id."""
    begun(journal, Status.COMPLETE)
    place = f"{TAG}-{read}"
    for request in (asked(place), asked(query=f"last-event-id={place}"), *([asked()] if read == 0 else [])):
        assert run(lambda: answer(journal, request)) == (200, b"retry: 2000\n\n" + numbered(read + 1))  # noqa: B023 -- called at once


@pytest.mark.parametrize(
    ("cursor", "status"),
    [(f"{TAG}-6", 204), (f"{TAG}-7", 400), ("6", 400), ("nonsense", 400), ("ba9876543210-1", 404)],
)
def test_a_place_that_is_none_is_never_the_beginning(journal: Journal, cursor: str, status: int) -> None:
    """What is over is over, what is no cursor is refused, and one of another stream is not here."""
    begun(journal, Status.COMPLETE)
    assert run(lambda: answer(journal, asked(cursor)))[0] == status


def test_what_is_not_there_is_told_from_what_is_gone(journal: Journal) -> None:
    """And what is another's from neither."""
    assert run(lambda: answer(journal, asked()))[0] == 404
    begun(journal, Status.COMPLETE)
    assert run(lambda: answer(journal, asked(), owner="another's"))[0] == 404
    assert run(lambda: answer(journal, asked(), owner="mine"))[0] == 200
    journal.store.expire("s")
    for request in (asked(), asked(f"{TAG}-1")):
        assert run(lambda: answer(journal, request))[0] == 410  # noqa: B023 -- called at once


def test_a_failed_stream_says_so_and_is_not_asked_again(journal: Journal) -> None:
    """Its last event is an error, with a place that is its end."""
    begun(journal, Status.FAILED, 1)
    status, body = run(lambda: answer(journal, asked()))
    *_, last, rest = body.split(b"\n\n")
    assert (status, rest) == (200, b"")
    place, name, data = last.split(b"\n")
    assert (place, name) == (b"id: 0123456789ab-1", b"event: error")
    assert json.loads(data.partition(b": ")[2])["error"]["message"].startswith("the stream was given up")
    assert run(lambda: answer(journal, asked(f"{TAG}-1")))[0] == 204


@pytest.mark.parametrize("status", [Status.STOPPED, Status.LEFT, None])
def test_a_stream_that_is_not_whole_ends_without_an_end(journal: Journal, status: Status | None) -> None:
    """The browser comes back, and is told then."""
    begun(journal, status, ttl=0.0)
    assert run(lambda: answer(journal, asked(), retry=0.5)) == (200, b"retry: 500\n\n" + numbered(1))


def test_silence_is_broken_by_comments_and_by_what_comes(journal: Journal) -> None:
    """A reader that leaves stops nothing."""

    async def main() -> None:
        lease = begun(journal, count=1)
        response: Any = await sse.reply(journal, "s", asked(f"{TAG}-1"), heartbeat=0.02)
        chunks = aiter(response.body_iterator)
        assert await anext(chunks) == b"retry: 2000\n\n"
        assert await anext(chunks) == b":\n\n"
        await journal._group.awrite(Write(lease, 2, FRAMES[1:2]))
        while (chunk := await anext(chunks)) == b":\n\n":
            pass
        assert chunk == b"id: 0123456789ab-2\n" + FRAMES[1]
        await chunks.aclose()
        assert journal.streams()[0].status is Status.RUNNING

    run(main)


def test_a_store_that_is_away_is_the_applications_to_tell(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no answer about the stream."""

    def away(_: str) -> None:
        raise JournalUnavailable("away")

    monkeypatch.setattr(journal.store, "head", away)
    with pytest.raises(JournalUnavailable):
        run(lambda: answer(journal, asked()))
