"""A read timeout that can change from one read to the next.

httpx takes the read timeout of a body once, when its iteration begins. A stream needs several: for
the first event, for silence, for a stall, for the last bytes after the message. `Patience` stands
before the ``read`` of the connection's network stream, which both the sync and the async backend
expose as a response extension, and shortens each call's timeout to the one wanted now. It stands
there for as long as the body is read and leaves the connection as it was.

Where there is no such stream (HTTP/2, where it is shared, or another transport) or it can't be changed,
the request's own read timeout is set to the silence clock instead; the finer clocks are then checked
as bytes arrive.
"""

from __future__ import annotations

import contextlib
import math
import socket
from typing import Any, Self

import httpx2


class Patience:
    """The patience of one response's reads. Set `seconds` before each read."""

    def __init__(self, response: httpx2.Response, silence: float) -> None:
        self.seconds = silence
        timeouts = response.request.extensions.get("timeout")
        if isinstance(timeouts, dict):
            timeouts["read"] = min(silence, timeouts.get("read") or math.inf)
        shared = response.http_version == "HTTP/2"
        stream = None if shared else response.extensions.get("network_stream")
        self._stream = stream if hasattr(stream, "__dict__") else None
        self._before: Any = None
        if self._stream is not None:
            self._lend(self._stream)

    def _lend(self, stream: Any) -> None:
        own, self._before = stream.read, vars(stream).get("read")

        def read(max_bytes: int, timeout: float | None = None) -> Any:
            return own(max_bytes, timeout=min(self.seconds, math.inf if timeout is None else timeout))

        stream.read = read

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.restore()

    def restore(self) -> None:
        """Leave the connection as it was; others will use it."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            del stream.read
            if self._before is not None:
                stream.read = self._before

    def interrupt(self) -> None:
        """End a read that another thread or task is blocked in, by ending the connection."""
        stream = self._stream  # another thread may take it away
        if stream is not None:
            connection = stream.get_extra_info("socket")
            if connection is not None:
                with contextlib.suppress(OSError):  # already gone
                    connection.shutdown(socket.SHUT_RDWR)
