"""Journaled streams of clients of httpx and httpx2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resilient_stream._http.dialect import dialect_of
from resilient_stream._journal import scope

if TYPE_CHECKING:
    from httpx2 import Request, Response

    from resilient_stream._journal.entrance import Asked
    from resilient_stream._journal.journal import Journal
    from resilient_stream._journal.session import Session
    from resilient_stream._session.context import StreamContext

KEPT_HEADERS: Final = ("anthropic-beta", "anthropic-version")
"""The headers that are stored, because the request depends on them. None of them is a credential."""


def asked(request: Request, context: StreamContext, journal: Journal | None) -> Asked | None:
    """What to journal of a call; None for a call that is not journaled."""
    key = None if journal is None else scope.chosen()
    if key is None:
        return None
    from resilient_stream._journal.entrance import Asked  # only programs with a journal import one

    headers = {name: request.headers[name] for name in KEPT_HEADERS if name in request.headers}
    return Asked(key, context.planner.request, headers)


def replayed(session: Session, request: Request) -> Response:
    """The response of a stream of which something is stored. Its body is still to be replaced."""
    http = dialect_of(request)
    headers: Any = session.headers
    return http.response(200, headers, request, stream=http.stream_of(b""))
