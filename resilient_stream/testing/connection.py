"""One TCP connection of the server: it reads a request, plays a script, and starts over.

Nothing here sleeps. A wait watches the client and the server's wake-up socket, so it ends when the client
hangs up or the server is closed, whichever is first.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

import h11

from .requests import Incoming
from .wire import Reset, Script, Send, Step, Wait

ASK: Any = importlib.import_module("fcntl").ioctl if sys.platform == "linux" else None
"""The system call that asks about a socket. Only Linux tells what the peer has not received."""
OUTQ = 0x5411
"""Linux's SIOCOUTQ [tcp(7)]."""


def unsent(sock: socket.socket) -> int:
    """Bytes that the client's side has not received yet; 0 if the system can't tell, so that nothing waits
    for them."""
    if ASK is None:
        return 0
    told = ASK(sock.fileno(), OUTQ, b"\0" * 4)
    return int(struct.unpack("i", told)[0])


IDLE = 120.0
"""Seconds after which a silent connection is closed."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""What a client that sent ``Expect: 100-continue`` waits for before it sends the body."""

FLUSH = 5.0
"""Seconds that a reset waits at most until the client has received the bytes before it."""


class Connection:
    """A client's connection, run by a thread of its own until either side ends it."""

    def __init__(self, sock: socket.socket, wake: socket.socket, take: Callable[[Incoming], Script]) -> None:
        """Serve ``sock`` with the scripts that ``take`` gives, until ``wake`` is readable."""
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
                kept = self.play(self.take(incoming)) and incoming.persistent

    def receive(self) -> Incoming | None:
        """The next request; None if the client has closed the connection."""
        parser = h11.Connection(h11.SERVER)
        if self.unread:
            parser.receive_data(self.unread)
        request: h11.Request | None = None
        body = bytearray()
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                parser.receive_data(self.sock.recv(65536))
            elif isinstance(event, h11.Request):
                request = event
                if parser.they_are_waiting_for_100_continue:
                    self.sock.sendall(CONTINUE)
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                self.unread = parser.trailing_data[0]
                headers = {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers}
                version = request.http_version.decode()
                return Incoming(
                    request.method.decode(), request.target.decode(), headers, bytes(body), version
                )
            else:
                return None

    def play(self, script: Script) -> bool:
        """Play a script. Return whether the connection may be used again."""
        for spoken, steps in itertools.groupby(script, lambda step: isinstance(step, Send)):
            if spoken:  # steps without a pause between them are sent together
                self.sock.sendall(b"".join(step.data for step in steps if isinstance(step, Send)))
            elif not all(self.act(step) for step in steps):
                return False
        return True

    def act(self, step: Step) -> bool:
        """Wait, or end the connection. Return whether there is still a connection."""
        if isinstance(step, Wait):
            return self.pause(step.seconds)
        if isinstance(step, Reset):
            self.reset()
        else:
            self.sock.shutdown(socket.SHUT_RDWR)
        return False

    def pause(self, seconds: float) -> bool:
        """Send nothing for this many seconds. Return False if the client hung up or the server was closed."""
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
        """End with an RST, after the client has received what was sent before."""
        end = time.monotonic() + FLUSH
        while unsent(self.sock) and time.monotonic() < end and self.pause(0.001):
            pass
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
