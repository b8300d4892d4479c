"""The gateway as an ASGI application."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx2

from resilient_stream._driver.runtime import Runtime
from resilient_stream._policy.model import RetryPolicy
from resilient_stream._session.layer import HEALED
from resilient_stream._transport.calls import Protected, read

from . import errors
from .admission import admit
from .downstream import Downstream
from .durable import STREAMS, Durable
from .errors import Refused
from .forward import forward, while_there
from .metrics import Metrics
from .pages import PREFIX, Pages
from .pings import AFTER, Pings
from .policies import Policies, tenant
from .protected import Stream
from .request import PATIENCE, Body, ClientLeft, Incoming, Receive, Scope, Send, too_large
from .streams import Ended, Streams
from .upstream import Upstream

if TYPE_CHECKING:
    from resilient_stream._journal.journal import Journal

log: Final = logging.getLogger("resilient_stream")

API: Final = "https://api.anthropic.com"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one gateway."""

    body: int = 64 * 1024 * 1024
    """Bytes of a request for a message, which is kept in memory. (The API itself accepts 32 MB.) Other bodies
    are neither kept nor limited here."""
    requests: int = 2000
    """The most requests at the same time, streams and others."""
    body_patience: float = PATIENCE
    """Seconds that a client may take for the next piece of a request's body."""


class Gateway:
    """An ASGI application that forwards everything to one API, and continues streams of messages that break.

    Mount it in an application of your own, or let ``resilient-stream serve`` run it. It runs under asyncio.

    ::

        app = Gateway(upstream="https://api.anthropic.com", policy="agent")

    Args:
        upstream: the API's base URL; default ``https://api.anthropic.com``. Requests go nowhere else.
        policy: a `RetryPolicy`, the name of a preset, or None for the defaults.
        allow_hosts: the names, without a port, that it answers to in ``Host``; None, the default, for any:
            the application around it decides. ``serve`` allows those of the loopback interface alone.
        limits: how much it handles at the same time.
        ping_after: seconds of silence in a stream after which a ping is sent; default 10.
        transport: the httpx2 transport that sends requests; None for the default one.
        runtime: clocks and randomness, for tests.
        journal: where streams are kept, so that they outlive this process and their readers; None for
            nowhere. It is not closed with the gateway.
        on_end: is called with each protected stream that has ended.

    Raises:
        ImportError: the extra ``serve`` is not installed.
        PolicyError: there is no such preset.
        ValueError: ``upstream`` is not a URL that requests can go to.
    """

    def __init__(  # noqa: PLR0913 -- each has a default
        self,
        upstream: str = API,
        policy: RetryPolicy | str | None = None,
        *,
        allow_hosts: Sequence[str] | None = None,
        limits: Limits = Limits(),
        ping_after: float = AFTER,
        transport: httpx2.AsyncBaseTransport | None = None,
        runtime: Runtime | None = None,
        journal: Journal | None = None,
        on_end: Callable[[Ended], None] = lambda ended: None,
    ) -> None:
        self.streams = Streams(on_end=on_end)
        metrics = Metrics(self.streams)
        self.pages = Pages(self.streams, metrics)
        self.upstream = Upstream(upstream, transport=transport)
        self._policies = Policies(policy, metrics.observer, runtime)
        self._hosts: Collection[str] | None = (
            None if allow_hosts is None else frozenset(host.lower() for host in allow_hosts)
        )
        self._limits = limits
        self._pings = Pings(ping_after, min(1.0, ping_after / 4))
        self._requests = 0
        self._durable = (
            None
            if journal is None
            else Durable(journal, self.upstream, self._policies, self.streams, self._pings, ping_after)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(
                Incoming.of(scope), Body(receive, self._limits.body_patience), Downstream(send)
            )
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _live(self, receive: Receive, send: Send) -> None:
        """Serve the lifespan of the ASGI server."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.aclose()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def aclose(self) -> None:
        """End what runs without a request, and close all connections to the API."""
        if self._durable is not None:
            await self._durable.aclose()
        await self.upstream.aclose()

    async def _answer(self, incoming: Incoming, body: Body, downstream: Downstream) -> None:
        try:
            admit(incoming, self._hosts)
            if self._durable is not None and incoming.path.startswith(STREAMS):
                with self._counted():
                    await self._durable.answer(incoming, body, downstream)
                return
            if incoming.path.startswith(PREFIX):
                status, content, headers = self.pages.page(incoming)
                await downstream.answer(status, content, headers)
                return
            with self._counted():
                await self._pass_on(incoming, body, downstream)
        except ClientLeft:
            return
        except Refused as refused:
            content = errors.page(refused.status, refused.message)
            headers = errors.headers_of(content)
            if refused.close:
                headers.append((b"connection", b"close"))
            await downstream.answer(refused.status, content, headers)

    async def _pass_on(self, incoming: Incoming, body: Body, downstream: Downstream) -> None:
        if incoming.method != "POST" or not incoming.path.rstrip("/").endswith(HEALED):
            content = body if incoming.has_body else None
            if content is None:
                await body.whole(0)
            request = self.upstream.request(incoming, content)
            await while_there(body, forward(self.upstream, request, downstream))
            return
        most = self._limits.body
        if (incoming.length or 0) > most:
            raise too_large(most)
        request = self.upstream.request(incoming, await body.whole(most))
        call = read(self._policies.of(incoming), request, tenant(incoming))
        if isinstance(call, Protected):
            await self._protect(call, request, incoming, body, downstream)
        else:
            await while_there(body, forward(self.upstream, call, downstream))

    async def _protect(
        self, call: Protected, request: httpx2.Request, incoming: Incoming, body: Body, downstream: Downstream
    ) -> None:
        reports = incoming.value("resilient-report") == "1"
        with self.streams.run(call.context.record, call.context.planner.model) as running:
            durable = self._durable
            journaled = None if durable is None else await durable.begin(call, incoming, running.id)
            stream = Stream(self.upstream, call, request, running, reports, journaled)
            await stream.serve(body, downstream, self._pings)

    @contextlib.contextmanager
    def _counted(self) -> Generator[None]:
        """Count a request as running within the block.

        Raises:
            Refused: there are too many.
        """
        if self._requests >= self._limits.requests:
            raise Refused(
                529, f"this gateway serves {self._requests} requests already, which is its limit", close=True
            )
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1
