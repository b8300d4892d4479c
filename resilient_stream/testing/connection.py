"""One TCP connection of the server: read a request, play a script, again.

Nothing here sleeps. A wait listens to the client and to the server's wake-up socket, so it ends
when the client hangs up or the server is closed, whichever is first.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import time
from collections.abc import Callable

import h11

from .endpoint import Incoming
from .wire import Reset, Script, Send, Wait

try:  # what is still unsent can be asked for on Linux
    import fcntl
    import termios
except ImportError:  # pragma: no cover - Windows
    UNSENT = None
else:
    UNSENT = getattr(termios, "TIOCOUTQ", None)

IDLE = 120.0
"""Seconds after which a silent connection is given up."""

FLUSH = 5.0
"""Seconds that a reset waits at most for the bytes before it to reach the client."""


class Connection:
    """A client's connection, run by a thread of its own until either side ends it."""

    def __init__(self, sock: socket.socket, wake: socket.socket, take: Callable[[Incoming], Script]) -> None:
        sock.settimeout(IDLE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.wake = wake
        self.take = take
        self.unread = b""

    def run(self) -> None:
        """Answer requests until the connection ends."""
        with self.sock, contextlib.suppress(OSError, h11.RemoteProtocolError):
            kept = True
            while kept:
                incoming = self.receive()
                if incoming is None:
                    return
                kept = self.play(self.take(incoming)) and incoming.headers.get("connection") != "close"

    def receive(self) -> Incoming | None:
        """The next request; None when the client has closed."""
        parser = h11.Connection(h11.SERVER)
        parser.receive_data(self.unread) if self.unread else None
        request: h11.Request | None = None
        body = bytearray()
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                parser.receive_data(self.sock.recv(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                self.unread = parser.trailing_data[0]
                headers = {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers}
                return Incoming(request.method.decode(), request.target.decode(), headers, bytes(body))
            else:
                return None

    def play(self, script: Script) -> bool:
        """Play a script; whether the connection may be used again."""
        for step in script:
            if isinstance(step, Send):
                self.sock.sendall(step.data)
            elif isinstance(step, Wait):
                if not self.pause(step.seconds):
                    return False
            elif isinstance(step, Reset):
                self.reset()
                return False
            else:
                self.sock.shutdown(socket.SHUT_RDWR)
                return False
        return True

    def pause(self, seconds: float) -> bool:
        """Say nothing for so long. False when the client hung up or the server was closed."""
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.wake, selectors.EVENT_READ)
            selector.register(self.sock, selectors.EVENT_READ)
            while (left := end - time.monotonic()) > 0:
                ready = [key.fileobj for key, _ in selector.select(left)]
                if self.wake in ready:
                    return False
                if self.sock in ready:
                    if not self.sock.recv(1, socket.MSG_PEEK):
                        return False
                    selector.unregister(self.sock)
        return True

    def reset(self) -> None:
        """End with an RST, after what was said before it has arrived."""
        end = time.monotonic() + FLUSH
        while self.unsent() and time.monotonic() < end:
            if not self.pause(0.001):
                break
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def unsent(self) -> int:
        """Bytes that the client's side has not taken yet; 0 where the system does not tell."""
        if UNSENT is None:  # pragma: no cover - not Linux
            return 0
        told = fcntl.ioctl(self.sock.fileno(), UNSENT, b"\0" * 4)
        return int(struct.unpack("i", told)[0])
