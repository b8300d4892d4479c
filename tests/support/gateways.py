"""A gateway on a real socket, and what a client of it sees, down to the bytes."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
from collections.abc import Generator, Mapping
from typing import Any, Final

import uvicorn

from resilient_stream.asgi import Gateway

from .doors import asking

JOIN: Final = 60.0
"""Seconds that the end of a server may take."""


class Served:
    """A gateway that is served, by uvicorn, in a thread."""

    def __init__(self, app: Any, http: Any = "h11") -> None:
        self.app = app
        config = uvicorn.Config(
            app,
            http=http,
            loop="asyncio",
            ws="none",
            server_header=False,
            date_header=False,
            log_config=None,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._thread.start()
        assert self._started.wait(JOIN)

    def _run(self) -> None:
        startup = self._server.startup

        async def started(sockets: Any = None) -> None:
            await startup(sockets)
            self._started.set()

        self._server.startup = started  # type: ignore[method-assign]
        self._server.run([self._socket])

    def close(self) -> None:
        """End it."""
        self._server.should_exit = True
        self._thread.join(JOIN)
        assert not self._thread.is_alive()

    def connect(self) -> socket.socket:
        """A connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=JOIN)

    def speak(self, *pieces: bytes) -> bytes:
        """What comes back for bytes that are sent, until it closes the connection."""
        with self.connect() as sock:
            for piece in pieces:
                sock.sendall(piece)
            return everything(sock)


@contextlib.contextmanager
def served(app: Any, http: Any = "h11") -> Generator[Served]:
    """An application on a free port of the loopback interface."""
    quiet = logging.getLogger("uvicorn.error")
    before, quiet.disabled = quiet.disabled, True
    made = Served(app, http)
    try:
        yield made
    finally:
        made.close()
        quiet.disabled = before


@contextlib.contextmanager
def gateway(url: str, policy: Any = None, **options: Any) -> Generator[Served]:
    """A gateway to a stand-in."""
    with served(Gateway(url, policy, **options)) as made:
        yield made


def everything(sock: socket.socket) -> bytes:
    """What a peer sends until it closes the connection, or breaks it."""
    got = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(65536):
            got += piece
    return bytes(got)


def until(sock: socket.socket, mark: bytes) -> bytes:
    """What a peer sends, up to a mark, and what came with it."""
    got = bytearray()
    while mark not in got:
        piece = sock.recv(65536)
        assert piece, bytes(got)
        got += piece
    return bytes(got)


def post(
    content: bytes | None = None,
    *,
    path: str = "/v1/messages",
    version: str = "1.1",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A POST as bytes, whose connection is to be closed; without a content, one for a stream."""
    content = json.dumps(asking()).encode() if content is None else content
    given = {
        "host": "localhost",
        "x-api-key": "key",
        "content-type": "application/json",
        "content-length": str(len(content)),
        "connection": "close",
        **(headers or {}),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"POST {path} HTTP/{version}\r\n{lines}\r\n".encode() + content


def body_of(response: bytes) -> tuple[bytes, bool]:
    """The body of a response in chunks, and whether it came to its end."""
    rest, body = response.partition(b"\r\n\r\n")[2], b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return body, True
        body, rest = body + rest[:length], rest[length + 2 :]
    return body, False
