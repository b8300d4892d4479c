"""The gateway as a server: uvicorn with the settings that a gateway needs, and an orderly end.

It uses asyncio's own loop. uvloop needs a tenth less processor time, but reads all that a connection has, 2
MB and more, before it can be asked to wait. For a client that does not read, this stays in memory.

When it is asked to stop (SIGTERM, SIGINT) it accepts nothing more. The streams that run continue to their
ends, and resume if they must. After the drain timeout, or at a second signal, they end without an end of
their bodies.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from resilient_stream._policy.model import RetryPolicy
from resilient_stream._policy.redis_budget import RedisBudget

from .app import Gateway
from .console import Console, Lines, counted
from .options import Options, ServeError
from .protocol import StrictProtocol
from .upstream import AddressError

if TYPE_CHECKING:
    from resilient_stream._journal.journal import Journal

BACKLOG: Final = 2048
HEAD: Final = 64 * 1024
"""The most bytes of a request's head."""

IDLE: Final = 75
"""Seconds that a client's connection is kept without a request. (nginx: ``keepalive_timeout``.)"""

LAST: Final = 2.0
"""Seconds that streams get to close their upstreams after they were ended."""

FILES: Final = 16_384
"""Connections that a process may have: two for each stream, and those that wait for a request."""

LIVE: Final = 5
"""Ticks between two looks at the counts. Ten ticks are a second."""


class Server(uvicorn.Server):
    """Serves one gateway.

    Args:
        gateway: what it serves.
        options: what was asked for.
        console: prints lines.
    """

    def __init__(self, gateway: Gateway, options: Options, console: Console) -> None:
        super().__init__(
            uvicorn.Config(
                gateway,
                http=StrictProtocol,
                ws="none",
                loop="asyncio",
                proxy_headers=False,
                server_header=False,
                date_header=False,
                access_log=False,
                log_config=None,
                timeout_keep_alive=IDLE,
                timeout_graceful_shutdown=options.drain_timeout,
                h11_max_incomplete_event_size=HEAD,
            )
        )
        self._gateway, self._console = gateway, console
        self._parent = os.getppid() if options.fd is not None else None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until it is asked to stop."""
        lines, log = Lines(self._console), logging.getLogger("uvicorn.error")
        own = logging.getLogger("resilient_stream")
        log.addHandler(lines)
        own.addHandler(lines)
        propagate, log.propagate = log.propagate, False
        try:
            await super().serve(sockets)
        finally:
            own.removeHandler(lines)
            log.removeHandler(lines)
            log.propagate = propagate
            self._console.close()

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        if counter % LIVE == 0:
            self._console.live(len(self._gateway.streams.running), self._gateway.streams.counts)
        if self._parent not in (None, os.getppid()):  # the process that started it is gone
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let the streams that run end."""
        self._gateway.pages.ready = False
        running = len(self._gateway.streams.running)
        patience = self.config.timeout_graceful_shutdown
        words = f"{counted(running, 'stream')} still running, with {patience} s to end"
        self._console.say("draining", words, running=running)
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            transport: Any = connection.transport
            transport.abort()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=LAST)
        await self._gateway.aclose()  # which uvicorn leaves open at a second signal
        self._console.say("ended", "ended")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal: the first stops the server when its streams have ended, the second ends them
        too."""
        if not self.should_exit:
            self.should_exit = True
            return
        self.force_exit = True  # which uvicorn checks ten times a second


def listen(options: Options) -> socket.socket:
    """A socket that listens at the address in the options.

    Raises:
        ServeError: it can't be opened.
    """
    if options.fd is not None:
        return socket.socket(fileno=options.fd)
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        return socket.create_server((options.host, options.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ServeError(
            f"cannot listen on {options.url(options.port)}: {error.strerror or error}"
        ) from error


def allow_connections() -> None:
    """Allow this process `FILES` connections, or as many as the system allows. Many systems begin with 1,024,
    or 256, which few streams use up."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def gateway(
    options: Options, console: Console, journal: Journal | None = None, budget: RedisBudget | None = None
) -> Gateway:
    """The gateway with these options.

    Args:
        options: what was asked for.
        console: prints lines.
        journal: where its streams are kept.
        budget: takes the place of the policy's "shared" one.

    Raises:
        PolicyError: its policy is not valid.
        ServeError: its upstream is not valid.
    """
    policy = options.chosen_policy() or RetryPolicy()
    if budget is not None and policy.budget == "shared":
        policy = policy.replace(budget=budget)
    try:
        return Gateway(
            options.upstream,
            policy,
            allow_hosts=options.hosts,
            journal=journal,
            on_end=console.ended,
        )
    except AddressError as error:
        raise ServeError(f"--upstream {error}") from error
