"""A proxy for live sockets: it passes bytes on in both directions, and damages those that come back.

It knows nothing of HTTP. Each connection has a thread of its own and one toxic, and ends with the proxy. (The
proxy of the demo is a different one: it reads HTTP, to cut the bodies of the real API.)
"""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Self
from urllib.parse import urlsplit

from resilient_stream.testing import Close, Send
from resilient_stream.testing.connection import Connection
from resilient_stream.testing.wire import Step

from .toxics import Toxic

JOIN = 10.0
"""Seconds that closing waits at most for each thread."""

MOST = 64
"""The most connections at a time. Further ones are refused."""

SIZE = 65536


class Proxy:
    """Stands before ``upstream``. The first connection gets the first toxic, and so on; the rest get none.

    ``failures`` lists what went wrong in the proxy itself; it stays empty.
    """

    def __init__(self, upstream: str, toxics: Sequence[Toxic | None] = (), seed: int = 0) -> None:
        at = urlsplit(upstream)
        self._upstream = (at.hostname or "", at.port or 80)
        self._toxics = list(toxics)
        self._seed = seed
        self._threads: list[threading.Thread] = []
        self._wake, self._waker = socket.socketpair()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.failures: list[Exception] = []
        self._acceptor = threading.Thread(target=self._accept, name="chaos-proxy", daemon=True)

    def __enter__(self) -> Self:
        """Listen."""
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End all connections and threads."""
        self._waker.send(b"x")
        for thread in (self._acceptor, *self._threads):
            thread.join(JOIN)
        for sock in (self._listener, self._wake, self._waker):
            sock.close()

    @property
    def busy(self) -> int:
        """How many connections there are."""
        return sum(thread.is_alive() for thread in self._threads)

    def _accept(self) -> None:
        for ready in self._readable(self._listener):
            with contextlib.suppress(OSError):  # the client has gone already
                sock, _ = ready.accept()
                if self.busy >= MOST:
                    sock.close()
                    continue
                number = len(self._threads)
                name = f"chaos-proxy-{number}"
                thread = threading.Thread(target=self._serve, args=(sock, number), name=name, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        toxic = (self._toxics[number] if number < len(self._toxics) else None) or Toxic()
        rng = random.Random(f"{self._seed}/{number}")
        # The stand-in's connection can wait, reset and hang up.
        client = Connection(sock, self._wake, lambda _: ())
        try:
            with sock, socket.create_connection(self._upstream, JOIN) as upstream:
                for step in toxic.spoil(self._back(sock, upstream), rng):
                    if isinstance(step, Send):
                        sock.sendall(step.data)
                    elif not client.act(step):
                        return
        except OSError:
            pass  # either side is gone, and so is the connection
        except Exception as error:  # noqa: BLE001 -- shown by the test
            self.failures.append(error)

    def _back(self, sock: socket.socket, upstream: socket.socket) -> Iterator[Step]:
        """The bytes that come back, as steps. The bytes of the other direction are passed on meanwhile."""
        for ready in self._readable(sock, upstream):
            data = ready.recv(SIZE)
            if ready is upstream:
                yield Send(data) if data else Close()
            elif data:
                upstream.sendall(data)
            else:
                return

    def _readable(self, *socks: socket.socket) -> Iterator[socket.socket]:
        """Each of the sockets when there is something to read, until the proxy ends."""
        with selectors.DefaultSelector() as selector:
            for sock in (self._wake, *socks):
                selector.register(sock, selectors.EVENT_READ, sock)
            while True:
                ready: list[socket.socket] = [key.data for key, _ in selector.select()]
                if self._wake in ready:
                    return
                yield from ready
