"""The transports: they answer one request with one response whose body continues over any number of attempts.

A transport stands between a client and the connections. It sees each request of a client as it is sent, after
authentication, and each response before redirects are followed. One class serves httpx and httpx2, depending
on the request. Only a stream of ``POST .../v1/messages`` is protected. Everything else passes through
unchanged.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from resilient_stream._core.loop.states import Raise
from resilient_stream._driver.async_driver import AsyncDriver
from resilient_stream._driver.runtime import Runtime
from resilient_stream._driver.sync_driver import Driver
from resilient_stream._http.async_exchange import AsyncExchange
from resilient_stream._http.attach import attach
from resilient_stream._http.body import take_over
from resilient_stream._http.dialect import dialect_of
from resilient_stream._http.exchange import Exchange, SyncExchange
from resilient_stream._policy import scope as _scope
from resilient_stream._session.layer import Layer

from . import journaling as _journaling
from .calls import Protected, read
from .door import AsyncTransportDoor, PassedOn, SyncTransportDoor, TransportDoor

if TYPE_CHECKING:
    from httpx2 import Request, Response

    from resilient_stream._journal.journal import Journal
    from resilient_stream._policy.model import RetryPolicy


if TYPE_CHECKING:
    _Base = Any  # a transport of either package
else:
    _Base = object


class _Transport(_Base):  # type: ignore[misc]  # a base of two packages
    """The part that both transports share.

    Args:
        transport: the transport below, of httpx's or httpx2's; None for that package's own, with its
            defaults, made
            when the first request comes. A client that is given a transport by hand ignores its own
            ``verify``, ``http2``, ``limits`` and ``proxy``: give them to the transport below, or use
            `resilient(client)`.
        policy: a `RetryPolicy`, the name of a preset, or None for the defaults.
        auth: the authentication that later attempts run through: a function without arguments, or None.
        journal: where the streams that have a key are kept; None for nowhere.
        runtime: clocks and randomness, for tests.
    """

    _OWN: str
    """The name of a package's own transport."""

    def __init__(
        self,
        transport: Any = None,
        policy: RetryPolicy | str | None = None,
        *,
        auth: Callable[[], Any] | None = None,
        journal: Journal | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        self._layer = Layer(_scope.resolved(policy), runtime)
        self._below = transport
        self._auth = auth or (lambda: None)
        self._journal = journal
        self._lock = threading.Lock()

    @property
    def policy(self) -> RetryPolicy:
        """The policy of streams for which no other is chosen."""
        return self._layer.policy

    @property
    def wrapped(self) -> Any:
        """The transport below; None while its package is not known."""
        return self._below

    def _transport(self, request: Request) -> Any:
        with self._lock:
            if self._below is None:
                package = sys.modules[type(request).__module__.partition(".")[0]]
                self._below = getattr(package, self._OWN)()
            return self._below

    def _door(self, kind: type[Any], request: Request, call: Protected) -> Any:
        return kind(
            self._transport(request),
            request,
            call.context.policy,
            call.content,
            healed=call.healed,
            auth=self._auth(),
        )


class ResilientTransport(_Transport):
    """A sync transport that continues streams: ``httpx.Client(transport=ResilientTransport())``, for httpx2
    as well."""

    _OWN = "HTTPTransport"

    def handle_request(self, request: Request) -> Response:
        """Send one request. The body of the response continues over any number of attempts.

        Raises:
            Exception: a transport exception of the request's package, where there was no response to the last
                attempt. In the body: `RemoteProtocolError` or `ReadTimeout` of that package. `report` takes
                each.
        """
        call = read(self._layer.chosen(), request)
        if not isinstance(call, Protected):
            response: Response = self._transport(call).handle_request(call)
            return response
        context, door = call.context, self._door(SyncTransportDoor, request, call)
        attach(request, context.record)
        exchange = SyncExchange(door, context)
        asked = _journaling.asked(request, context, self._journal)
        session = None
        if self._journal is not None and asked is not None:
            session = self._journal.entrance.enter(asked, context)
        if session is None:
            driver = Driver(context.machine(exchange.error_for), exchange, context.runtime, context.watch)
        elif session.fresh:
            driver = session.driver(exchange)
        else:
            replayed = _journaling.replayed(session, request)
            take_over(replayed, session.replay(exchange), sync=True)
            return replayed
        try:
            failed = driver.open()
        except PassedOn as passed:
            return passed.response
        if failed is not None:
            return _last(failed, door, exchange, request)
        opened = _opened(door)
        take_over(opened, driver, sync=True)
        return opened

    def close(self) -> None:
        """Close the transport below."""
        if self._below is not None:
            self._below.close()

    def __enter__(self) -> Self:
        if self._below is not None:
            self._below.__enter__()
        return self

    def __exit__(self, *about: object) -> None:
        if self._below is not None:
            self._below.__exit__(*about)


class AsyncResilientTransport(_Transport):
    """An async transport that continues streams, under asyncio and trio, for httpx and httpx2."""

    _OWN = "AsyncHTTPTransport"

    async def handle_async_request(self, request: Request) -> Response:
        """As `ResilientTransport.handle_request`."""
        call = read(self._layer.chosen(), request)
        if not isinstance(call, Protected):
            response: Response = await self._transport(call).handle_async_request(call)
            return response
        context, door = call.context, self._door(AsyncTransportDoor, request, call)
        attach(request, context.record)
        exchange = AsyncExchange(door, context)
        asked = _journaling.asked(request, context, self._journal)
        session = None
        if self._journal is not None and asked is not None:
            session = await self._journal.entrance.aenter(asked, context)
        if session is None:
            driver = AsyncDriver(
                context.machine(exchange.error_for), exchange, context.runtime, context.watch
            )
        elif session.fresh:
            driver = session.adriver(exchange)
        else:
            replayed = _journaling.replayed(session, request)
            take_over(replayed, session.areplay(exchange), sync=False)
            return replayed
        try:
            failed = await driver.open()
        except PassedOn as passed:
            return passed.response
        if failed is not None:
            return _last(failed, door, exchange, request)
        opened = _opened(door)
        take_over(opened, driver, sync=False)
        return opened

    async def aclose(self) -> None:
        """Close the transport below."""
        if self._below is not None:
            await self._below.aclose()

    async def __aenter__(self) -> Self:
        if self._below is not None:
            await self._below.__aenter__()
        return self

    async def __aexit__(self, *about: object) -> None:
        if self._below is not None:
            await self._below.__aexit__(*about)


def _opened(door: TransportDoor) -> Response:
    """The first good response, released from its door."""
    response, door.response = door.response, None
    assert response is not None, "a stream was opened, so a response was noted"  # noqa: S101 -- for types
    return response


def _last(failed: Raise, door: TransportDoor, exchange: Exchange, request: Request) -> Response:
    """Return the last response unchanged, if there was one, after a failure before the headers.

    Raises:
        Exception: the package's own, if there was none.
    """
    response = door.response
    if response is None or response.is_success or response.status_code != failed.failure.status:
        raise failed.error
    if not exchange.page:  # it has none, or somebody had read it before it came here
        return response
    made = dialect_of(request)
    headers = response.headers.copy()
    if headers.get("content-length", str(len(exchange.page))) != str(len(exchange.page)):
        headers.pop("content-length")  # only the beginning of a large page is kept
    again = made.response(response.status_code, headers, request, stream=made.stream_of(exchange.page))
    again.extensions = response.extensions
    return again
