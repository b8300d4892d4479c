"""`reply`: a journaled stream as the response of a Starlette or FastAPI application, for browsers that
reconnect.

::

    @app.get("/chats/{chat}/stream")
    async def stream(chat: str, request: Request) -> Response:
        return await sse.reply(journal, f"chat/{chat}", request)

A plain ``EventSource`` reconnects by itself and sends its position as ``Last-Event-ID``. A page that was
reloaded sends it as ``?last-event-id=``. Your application decides who may read which stream.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ._journal.cursor import cursor
from ._journal.follow import Follower
from ._journal.journal import Journal
from ._journal.wire import CURSOR, HEADERS, error_event, numbered, status_of
from .errors import JournalError, StreamFailed

if TYPE_CHECKING:
    from starlette.responses import Response

__all__ = ["reply"]


class Request(Protocol):
    """The part of a request of Starlette or FastAPI that is used."""

    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def query_params(self) -> Mapping[str, str]: ...


async def reply(
    journal: Journal,
    key: str,
    request: Request,
    *,
    owner: str | None = None,
    retry: float = 2.0,
    heartbeat: float = 15.0,
) -> Response:
    """A response of Starlette that replays a stream from its reader's position, and follows it.

    Each event has an ``id:``. A client that leaves does not stop the stream; `Journal.stop` does. The status
    is 204 if the reader has all of a stream that has ended, after which an ``EventSource`` does not
    reconnect; 400 for something that is not a cursor; 404 if there is no such stream or the cursor belongs to
    another one; 410 if its retention is over. If the stream was given up, an ``error`` event comes last. If
    its writer is gone, the response ends, and the reader reconnects after ``retry`` seconds.

    Args:
        journal: where the stream is.
        key: the stream's.
        request: of Starlette or FastAPI.
        owner: the result of `Journal.owner_of` for the reader's credential, if only the client that began the
            stream may read it; None if your application has decided that.
        retry: seconds after which a browser reconnects.
        heartbeat: seconds without an event after which a comment is sent, so that proxies do not close the
            connection.
    """
    responses: Any = importlib.import_module("starlette.responses")

    after = request.headers.get(CURSOR) or request.query_params.get(CURSOR)
    try:
        follower = await journal.follower(key, after, owner)
    except JournalError as error:
        if (status := status_of(error)) is None:
            raise
        answer: Response = responses.PlainTextResponse(str(error), status, HEADERS)
    else:
        if after is not None and follower.is_over:
            answer = responses.Response(status_code=204, headers=HEADERS)
        else:
            body = _events(journal, follower, retry, heartbeat)
            answer = responses.StreamingResponse(body, headers=HEADERS, media_type="text/event-stream")
    return answer


async def _events(
    journal: Journal, follower: Follower, retry: float, heartbeat: float
) -> AsyncIterator[bytes]:
    yield b"retry: %d\n\n" % (retry * 1000)
    try:
        async for entries in journal.steps(follower, heartbeat):
            yield b"".join(numbered(entry.cursor, entry.frame) for entry in entries) or b":\n\n"
    except StreamFailed as failed:
        yield numbered(cursor(follower.head.tag, follower.head.last), error_event(str(failed)))
    except JournalError:  # not complete: the reader learns the reason when it reconnects
        return
