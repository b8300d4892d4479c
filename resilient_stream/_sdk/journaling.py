"""Journaled streams of the SDK's clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx2
from anthropic import APIRequest, APIResponse

from resilient_stream._http.attach import attach
from resilient_stream._http.body import take_over
from resilient_stream._http.classify import AWS_EVENT_STREAM
from resilient_stream._journal import scope
from resilient_stream.errors import JournalError

from . import private_api
from .bedrock import framed_for
from .wrapped import wrapped

if TYPE_CHECKING:
    from resilient_stream._journal.entrance import Asked
    from resilient_stream._journal.journal import Journal
    from resilient_stream._journal.session import Session
    from resilient_stream._session.context import StreamContext

KEPT_HEADERS: Final = ("anthropic-beta",)
"""The headers that are stored, because the request depends on them. None of them is a credential."""


def asked(request: APIRequest, context: StreamContext, journal: Journal | None) -> Asked | None:
    """What to journal of a call; None for a call that is not journaled.

    Raises:
        JournalError: the call has a key of its own, and the client no journal.
    """
    option = request.headers.get(scope.HEADER)
    if journal is None:
        if scope.is_option(option):
            raise JournalError(
                "the call has a journal key, and its client no journal: resilient(client, journal=...)"
            )
        return None
    key = scope.chosen(option)
    if key is None:
        return None
    from resilient_stream._journal.entrance import Asked  # only programs with a journal import one

    given = {name: request.headers.get(name) for name in KEPT_HEADERS}
    headers = {name: value for name, value in given.items() if isinstance(value, str)}
    return Asked(key, context.planner.request, headers)


def replayed(wrapper: type[Any], session: Session, body: Any, request: APIRequest, call_next: object) -> Any:
    """The response of a stream of which something is stored.

    Args:
        wrapper: the SDK's class of it, `APIResponse` or `AsyncAPIResponse`.
        session: the stream's.
        body: `Session.replay` or `Session.areplay`.
        request: the call.
        call_next: the rest of the client's chain.
    """
    client = private_api.client_of(call_next)
    if client is None:
        raise JournalError("a journal needs ResumeMiddleware to be the last of a client's middleware")
    response = _response(session, request, client)
    take_over(response, framed_for(response, body), sync=wrapper is APIResponse)
    return wrapped(wrapper, response, request, client)


def _response(session: Session, request: APIRequest, client: object) -> httpx2.Response:
    """A response that was not received from a server."""
    framed = type(private_api.sse_decoder(client)).__name__ == "AWSEventStreamDecoder"
    headers = {**session.headers, **({"content-type": AWS_EVENT_STREAM} if framed else {})}
    sent = httpx2.Request("POST", _url(client, request.url))
    attach(sent, session.context.record)
    return httpx2.Response(200, headers=headers, stream=httpx2.ByteStream(b""), request=sent)


def _url(client: Any, path: str) -> str:
    return path if path.startswith("http") else str(client.base_url).rstrip("/") + path
