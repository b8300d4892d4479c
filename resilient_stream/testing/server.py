"""The stand-in: a real server on the loopback interface.

One thread accepts, one thread per connection answers. All of them end when the server is closed:
accepting and waiting also listen to a wake-up socket, and reading and writing end when their socket
is shut down.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Generator
from types import TracebackType
from typing import Self

from .author import ANSWER, Author
from .connection import Connection
from .endpoint import Endpoint, Faults, Settings
from .faults import Fault
from .manners import Manner
from .requests import Incoming, Received
from .wire import Script

JOIN = 10.0
"""Seconds that ``close`` waits at most for each thread."""


class StandIn:
    """A stand-in for the Messages API, on 127.0.0.1, at a port of its own.

    Use it as a context manager and give ``url`` to a client as its ``base_url``::

        with StandIn(faults=[cut_at(2000, "rst")]) as server:
            client = anthropic.Anthropic(base_url=server.url, api_key="any")

    ``reply``: what the author says: a text, blocks, a :class:`Reply`, or a function from the
    request's JSON to one of these. ``faults``: one per request in order (None: healthy), or a
    function of the request's number and JSON; requests beyond the list get ``always``.
    ``manner``: how a user-turn continuation is answered, by name or as a function;
    ``prefill_manner`` likewise for a prefill. ``prefill``: True or False overrules the table of
    models that accept one. ``strict``: refuse what the API refuses. ``delta_size``: characters per
    delta. ``pace``: seconds between events. ``rethink``: with thinking on, a user-turn continuation
    begins with thinking of its own. ``obey_max_tokens``: stop the answer there. ``prefix``: a path under
    which the API is mounted, as behind a gateway; it is part of ``url``, and nothing else is found.
    """

    def __init__(  # noqa: PLR0913 - each has a default
        self,
        *,
        reply: Author = ANSWER,
        faults: Faults = (),
        always: Fault | None = None,
        manner: str | Manner = "echo",
        prefill_manner: str | Manner = "no_echo",
        prefill: bool | None = None,
        strict: bool = True,
        delta_size: int = 16,
        pace: float = 0.0,
        rethink: bool = False,
        obey_max_tokens: bool = False,
        prefix: str = "",
    ) -> None:
        """Listen at once; nothing else has to be started."""
        self._endpoint = Endpoint(
            Settings(
                reply=reply,
                faults=faults,
                always=always,
                manner=manner,
                prefill_manner=prefill_manner,
                prefill=prefill,
                strict=strict,
                delta_size=delta_size,
                pace=pace,
                rethink=rethink,
                obey_max_tokens=obey_max_tokens,
                prefix=prefix,
            )
        )
        self._lock = threading.Condition()
        self._live: dict[Connection, threading.Thread] = {}
        self._accepted = 0
        self._closed = False
        self._wake, self._waker = socket.socketpair()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listener.settimeout(0)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}{prefix}"
        self._acceptor = threading.Thread(target=self._accept, name="stand-in", daemon=True)
        self._acceptor.start()

    def __enter__(self) -> Self:
        """The stand-in itself; it is already listening."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def __repr__(self) -> str:
        """Its URL, and its connections."""
        return f"<StandIn {self.url} requests={len(self.requests)} open={self.open_connections}>"

    @property
    def requests(self) -> list[Received]:
        """The requests so far, in order."""
        with self._lock:
            return list(self._endpoint.received)

    @property
    def connections(self) -> int:
        """How many connections were accepted so far."""
        with self._lock:
            return self._accepted

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        with self._lock:
            return len(self._live)

    def wait_closed(self, timeout: float = 5.0) -> bool:
        """Wait until no connection is open. Return whether that happened in time."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._live, timeout)

    def wait_requests(self, number: int, timeout: float = 5.0) -> bool:
        """Wait until this many requests have arrived. Return whether that happened in time."""
        with self._lock:
            return self._lock.wait_for(lambda: len(self._endpoint.received) >= number, timeout)

    def close(self) -> None:
        """End all connections and threads. May be called twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._waker.send(b"x")
        self._acceptor.join(JOIN)
        with self._lock:
            live = dict(self._live)
        for connection, thread in live.items():
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
            thread.join(JOIN)
        for sock in (self._listener, self._wake, self._waker):
            sock.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake, selectors.EVENT_READ)
            selector.register(self._listener, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._wake in ready:
                    return
                with contextlib.suppress(OSError):  # a client that is gone already
                    self._begin(self._listener.accept()[0])

    def _begin(self, sock: socket.socket) -> None:
        connection = Connection(sock, self._wake, self._take)
        thread = threading.Thread(target=self._run, args=(connection,), name="stand-in", daemon=True)
        with self._lock:
            self._live[connection] = thread
            self._accepted += 1
        thread.start()

    def _run(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            with self._lock:
                del self._live[connection]
                self._lock.notify_all()

    def _take(self, incoming: Incoming) -> Script:
        with self._lock:
            script = self._endpoint.take(incoming)
            self._lock.notify_all()
            return script


@contextlib.contextmanager
def refusing() -> Generator[str]:
    """The URL of a port that refuses connections inside the block."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{reserved.getsockname()[1]}"
