"""Journaled streams of clients of httpx and httpx2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resilient_stream._http.async_exchange import AsyncExchange
from resilient_stream._http.body import take_over
from resilient_stream._http.dialect import dialect_of
from resilient_stream._http.exchange import SyncExchange
from resilient_stream._journal import scope
from resilient_stream._journal.entrance import Asked
from resilient_stream._journal.journal import Journal
from resilient_stream._journal.session import AsyncReplay, Session, SyncReplay
from resilient_stream._session.context import StreamContext

from .body import AsyncDriverBody, SyncDriverBody

if TYPE_CHECKING:
    from httpx2 import Request, Response

KEPT_HEADERS: Final = ("anthropic-beta", "anthropic-version")
"""The headers that are stored: those that make the request another one. None of them is a credential."""


def asked(request: Request, context: StreamContext, journal: Journal | None) -> Asked | None:
    """What is to be journaled of a call; None where nothing is."""
    key = None if journal is None else scope.chosen()
    if key is None:
        return None
    headers = {name: request.headers[name] for name in KEPT_HEADERS if name in request.headers}
    return Asked(key, context.planner.request, headers)


def replayed(session: Session, exchange: SyncExchange, request: Request) -> Response:
    """The response of a stream of which there is something already."""
    driver = None
    if session.keeper is not None:
        driver = session.driver(session.context.machine(exchange.error_for), exchange)
    response = _response(session, request)
    take_over(response, SyncDriverBody(SyncReplay(session.frames, driver)), sync=True)
    return response


def areplayed(session: Session, exchange: AsyncExchange, request: Request) -> Response:
    """As `replayed`."""
    driver = None
    if session.keeper is not None:
        driver = session.adriver(session.context.machine(exchange.error_for), exchange)
    response = _response(session, request)
    take_over(response, AsyncDriverBody(AsyncReplay(session.frames, driver)), sync=False)
    return response


def _response(session: Session, request: Request) -> Response:
    headers: Any = session.headers
    return dialect_of(request).response(200, headers, request, stream=dialect_of(request).stream_of(b""))
