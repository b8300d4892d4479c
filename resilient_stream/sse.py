"""`reply`: a journaled stream as the answer of a Starlette or FastAPI application, for browsers that come
back.

::

    @app.get("/chats/{chat}/stream")
    async def stream(chat: str, request: Request) -> Response:
        return await sse.reply(journal, f"chat/{chat}", request)

A plain ``EventSource`` reconnects by itself and says with ``Last-Event-ID`` where it was; a page that was
reloaded says so with ``?last-event-id=``. Who may read which stream is your application's to decide.
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
    """What is used of a request of Starlette's or FastAPI's."""

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
    """A response of Starlette's that replays a stream from where its reader was, and follows it.

    Each event has an ``id:``. A client that leaves stops nothing; `Journal.stop` does. The response is 204
    where the reader has all of a stream that has ended, which is what makes an ``EventSource`` stop asking;
    400 for a cursor that is none, 404 where there is no such stream or the cursor is of another one, 410
    where its retention is over. If the stream was given up, an ``error`` event comes last. If its writer is
    gone the response ends, and the reader comes back after ``retry`` seconds.

    Args:
        journal: where the stream is.
        key: the stream's.
        request: of Starlette or FastAPI.
        owner: what `Journal.owner_of` gives for the reader's credential, where only who began the stream may
            read it; None where your application has decided that.
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
    except JournalError:  # it is not complete, and ends as what it is: who reconnects is told more
        return
