"""A read timeout that can change from one read to the next.

httpx takes the read timeout of a body once, when its iteration begins. A stream needs several: for
the first event, for silence, for a stall, for the last bytes after the message. `Patience` stands
before the ``read`` of the connection's network stream, which both the sync and the async backend
expose as a response extension, and shortens each call's timeout to the one wanted now. It stands
there for as long as the body is read and leaves the connection as it was.

A laptop that was closed wakes up to connections that are dead and do not say so: the peer has long given
up, and no byte will tell. So a read that blocks looks up every few seconds; if the machine has slept
since the last byte, and nothing has come since it woke, the connection is taken for lost.

Where there is no such stream (HTTP/2, where it is shared, or another transport) or it can't be changed,
the request's own read timeout is set to the silence clock instead. The finer clocks are then checked as bytes
arrive; an async read can be broken off besides.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Self, cast

from .classify import interruption
from .dialect import CORE, classes

if TYPE_CHECKING:
    from httpx2 import Response

LOOK_UP: Final = 5.0
"""Seconds after which a blocked read looks whether the machine has slept."""

LONGEST_NAP: Final = 10.0
"""Seconds of sleep that a connection may well survive."""


MOMENT: Final = 0.25
"""Seconds that a read which is broken off from outside gets on top. So where the whole connection is silent,
its own timeout comes first, and no request takes it any more."""


class MachineSlept(ConnectionResetError):
    """The machine slept, and since it woke the connection has brought nothing."""


class Patience:
    """The patience of one response's reads. Set `seconds` before each read.

    Args:
        response: whose body is read.
        silence: seconds a read may take where its patience can't be changed.
        slept: seconds that the machine has slept, from any moment on; None if nobody needs to know.
        own: seconds that a read may take by the user's own timeout; None if that is the request's.
    """

    def __init__(
        self,
        response: Response,
        silence: float,
        slept: Callable[[], float] | None = None,
        own: float | None = None,
    ) -> None:
        self.seconds = silence
        stream = None if shared(response) else response.extensions.get("network_stream")
        self._stream = stream if hasattr(stream, "__dict__") else None
        timeouts = response.request.extensions.get("timeout")
        self._longest = silence
        if isinstance(timeouts, dict):
            longest = own or timeouts.get("read") or math.inf
            self._longest = longest if self.fine else min(silence, longest)
            timeouts["read"] = None if self._longest == math.inf else self._longest
        self._before: Any = None
        if self._stream is not None:
            self._lend(self._stream, slept or (lambda: 0.0))

    def _lend(self, stream: Any, slept: Callable[[], float]) -> None:
        own, self._before = stream.read, vars(stream).get("read")
        watch = self._watch_async if inspect.iscoroutinefunction(own) else self._watch
        stream.read = watch(own, slept)

    def _watch(self, own: Callable[..., bytes], slept: Callable[[], float]) -> Callable[..., bytes]:
        last, ran_out = slept(), cast("tuple[type[BaseException], ...]", classes(CORE, "ReadTimeout"))

        def read(max_bytes: int, timeout: float | None = None) -> bytes:
            nonlocal last
            left = self.seconds if timeout is None or self.seconds < timeout else timeout
            while True:
                try:
                    got = own(max_bytes, timeout=min(LOOK_UP, left))
                except ran_out as error:
                    if interruption(error) is not None:
                        raise
                    left = _time_left(left, slept() - last)
                    if left == 0:
                        raise
                else:
                    last = slept()
                    return got

        return read

    def _watch_async(self, own: Callable[..., Any], slept: Callable[[], float]) -> Callable[..., Any]:
        last, ran_out = slept(), cast("tuple[type[BaseException], ...]", classes(CORE, "ReadTimeout"))

        async def read(max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 -- httpcore's
            nonlocal last
            left = self.seconds if timeout is None or self.seconds < timeout else timeout
            while True:
                try:
                    got: bytes = await own(max_bytes, timeout=min(LOOK_UP, left))
                except ran_out as error:
                    if interruption(error) is not None:
                        raise
                    left = _time_left(left, slept() - last)
                    if left == 0:
                        raise
                else:
                    last = slept()
                    return got

        return read

    @property
    def fine(self) -> bool:
        """Whether each read is as patient as `seconds` says. If not, it is as patient as the request."""
        return self._stream is not None

    @property
    def from_outside(self) -> float:
        """Seconds after which a read that is not `fine` may be broken off by whoever can."""
        return min(self.seconds, self._longest) + MOMENT

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


def shared(response: Response) -> bool:
    """Whether other responses may come over the same connection at the same time."""
    return response.http_version == "HTTP/2"


def _time_left(left: float, slept: float) -> float:
    """Seconds a read may go on after one look-up without a byte.

    Raises:
        MachineSlept: the machine has slept since the last byte.
    """
    if slept > LONGEST_NAP:
        raise MachineSlept(f"nothing came since the machine slept for {slept:.0f} s")
    return max(0.0, left - LOOK_UP)
