"""The gateway's HTTP/1.1: uvicorn's protocol on h11, with stricter request heads and shorter timeouts.

If two programs read one request in two ways, one request may be smuggled inside another. h11 accepts line
ends without a carriage return, folded lines, and two lengths; other readers of the same connection may not.
So a head with one of these is refused before h11 sees it.

A client that does not read makes its stream wait: nothing is written, and so nothing read from the upstream,
before the client has taken all that was written so far. A client that takes nothing for a long time is
disconnected.
"""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_PATIENCE: Final = 30.0
"""Seconds that a client may take for a request's head. (nginx has 60: ``client_header_timeout``.)"""

READ_PATIENCE: Final = 300.0
"""Seconds for which a client may take nothing of what waits for it. (nginx has 60: ``send_timeout``. A
program that was suspended for a while gets more, because it costs only the buffers of its connection.)"""

SENT: Final = 256 * 1024
"""Bytes that the system may hold for a client that does not read. Linux would hold up to 4 MB."""

_END: Final = re.compile(rb"\r\n\r\n")
_LENGTH: Final = re.compile(rb"^content-length[ \t]*:", re.IGNORECASE | re.MULTILINE)
_CHUNKED: Final = re.compile(rb"^transfer-encoding[ \t]*:", re.IGNORECASE | re.MULTILINE)
_BARE: Final = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)")
_FOLDED: Final = re.compile(rb"\n[ \t]")


def flaw(waiting: bytes) -> str | None:
    """What is wrong with the head of a request, as far as it was received; None if nothing is.

    Args:
        waiting: the bytes since the last request; those behind the head are ignored.
    """
    found = _END.search(waiting)
    head = waiting[: found.end()] if found else waiting
    if _BARE.search(head):
        return "A line of the request's head does not end in CR LF."
    if _FOLDED.search(head):
        return "A line of the request's head is folded."
    lengths, chunked = len(_LENGTH.findall(head)), len(_CHUNKED.findall(head))
    if lengths + chunked > 1:
        return "The request gives its length more than once."
    if chunked and b"HTTP/1.0\r\n" in head.partition(b"\n")[0] + b"\n":
        return "A request of HTTP/1.0 has no transfer encoding."
    return None


class StrictProtocol(H11Protocol):
    """One connection of a client."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._late: asyncio.TimerHandle | None = None
        self._slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected; its first request is expected."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # the next write waits until everything before it is taken
        sock: socket.socket | None = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._expect_nothing()
        self._taken()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Something waits for the client."""
        super().pause_writing()
        self._wait_for_reader(None)

    def resume_writing(self) -> None:
        """The client has taken everything."""
        self._taken()
        super().resume_writing()

    def _wait_for_reader(self, before: int | None) -> None:
        """Check again later, or disconnect the client if it has taken nothing since the last check."""
        waits = self.transport.get_write_buffer_size()
        if waits == before:
            self.transport.abort()
        else:
            self._slow = self.loop.call_later(READ_PATIENCE, self._wait_for_reader, waits)

    def _taken(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def handle_events(self) -> None:
        """Handle received bytes, or events that were left."""
        if self.conn.their_state is h11.IDLE:
            waiting = self.conn.trailing_data[0]
            if (wrong := flaw(waiting)) is not None:
                self._expect_nothing()
                self.send_400_response(wrong)
                return
        super().handle_events()
        if self.conn.their_state is not h11.IDLE:
            self._expect_nothing()
        elif self.conn.trailing_data[0]:
            self._expect()

    def _expect(self) -> None:
        """Start the timeout for the rest of a head."""
        if self._late is None:
            self._late = self.loop.call_later(HEAD_PATIENCE, self.timeout_keep_alive_handler)

    def _expect_nothing(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
