"""A read timeout that can change from one read to the next.

httpx fixes the read timeout of a body when its iteration begins. A stream needs several timeouts: for the
first event, for silence, for a stall, and for the last bytes after the message. `Patience` wraps the ``read``
of the connection's network stream, which both the sync and the async backend expose as a response extension,
and shortens the timeout of each call. It is removed when the body has been read.

When a machine wakes from sleep, its connections may be dead without any sign: the peer has closed them, and
no byte will arrive. So a blocked read wakes up every few seconds. If the machine has slept since the last
byte, and nothing has arrived since it woke, the connection counts as lost.

If there is no such network stream (HTTP/2, where it is shared, or another transport), or if it can't be
wrapped, the request's own read timeout is set to the silence timeout. The other timeouts are then checked
when bytes arrive, and an async read can be interrupted from outside.
"""

from __future__ import annotations

import inspect
import math
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Self, cast

from resilient_stream._core.interruption import quietly

from .attach import SPLICED
from .classify import interruption
from .dialect import CORE, classes

if TYPE_CHECKING:
    from httpx2 import Response

LOOK_UP: Final = 5.0
"""Seconds after which a blocked read checks whether the machine has slept."""

LONGEST_NAP: Final = 10.0
"""Seconds of sleep that a connection usually survives."""


MOMENT: Final = 0.25
"""Seconds that are added to a read that is interrupted from outside. So if the whole connection is silent,
its own timeout comes first, and no other request uses it."""


class MachineSlept(ConnectionResetError):
    """The machine slept, and nothing has arrived on the connection since it woke."""


class Patience:
    """The read timeouts of one response. Set `seconds` before each read.

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
        self._seconds = silence
        self.slept = slept or _awake
        foreign = shared(response) or SPLICED in response.extensions
        stream = None if foreign else response.extensions.get("network_stream")
        self._stream = stream if hasattr(stream, "__dict__") else None
        timeouts = response.request.extensions.get("timeout")
        self._longest = silence
        if isinstance(timeouts, dict):
            longest = own or timeouts.get("read") or math.inf
            self._longest = longest if self.fine else min(silence, longest)
            timeouts["read"] = None if self._longest == math.inf else self._longest
        self.reachable = False
        """Whether `interrupt` can end a read: the connection has a socket."""
        self._watched: _Watched | None = None
        if self._stream is not None:
            self._watched = _Watched.of(self._stream)
            self._watched.enter(self)
            with quietly(Exception):
                self.reachable = self._stream.get_extra_info("socket").fileno() >= 0

    @property
    def seconds(self) -> float:
        """Seconds that the next read may take."""
        return self._seconds

    @seconds.setter
    def seconds(self, seconds: float) -> None:
        self._seconds = seconds
        if self._watched is not None:
            self._watched.agree()

    @property
    def fine(self) -> bool:
        """Whether each read has the timeout `seconds`. If not, it has the timeout of the request."""
        return self._stream is not None

    @property
    def from_outside(self) -> float:
        """Seconds after which a read that is not `fine` may be interrupted from outside."""
        return min(self.seconds, self._longest) + MOMENT

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.restore()

    def restore(self) -> None:
        """Restore the connection's own reads, for other requests, whoever else has wrapped them."""
        watched, self._watched, self._stream = self._watched, None, None
        if watched is not None:
            watched.leave(self)

    def interrupt(self) -> None:
        """End a read that another thread or task is blocked in, by closing the connection."""
        stream = self._stream  # another thread may take it away
        if stream is not None:
            with quietly(Exception):  # whatever the error, the connection is given up
                _shut_down(stream.get_extra_info("socket"))


class _Watched:
    """Wraps the reads of one network stream while a `Patience` uses it."""

    def __init__(self, stream: Any) -> None:
        self.patiences: list[Patience] = []
        self._stream = stream
        self._own, self._before = stream.read, vars(stream).get("read")
        self._last = 0.0
        # These two are kept, because each read needs them.
        self._shortest = math.inf
        self._slept: Callable[[], float] = _awake
        self._ran_out = cast("tuple[type[Exception], ...]", classes(CORE, "ReadTimeout"))
        read = self._read_async if inspect.iscoroutinefunction(self._own) else self._read
        self._read_of_ours = vars(stream)["read"] = read

    @classmethod
    def of(cls, stream: Any) -> _Watched:
        """The wrapper of a network stream, or a new one."""
        found = getattr(vars(stream).get("read"), "__self__", None)
        return found if isinstance(found, cls) else cls(stream)

    def enter(self, patience: Patience) -> None:
        """Add a `Patience`."""
        if not self.patiences:
            self._last = patience.slept()
        self.patiences.append(patience)
        self.agree()

    def agree(self) -> None:
        """Note the shortest of the patiences, and who says how long the machine has slept."""
        patiences = self.patiences
        self._shortest = min((patience.seconds for patience in patiences), default=math.inf)
        self._slept = patiences[0].slept if patiences else _awake

    def leave(self, patience: Patience) -> None:
        """Remove a `Patience`. With the last one the stream's own reads are restored, unless others have
        wrapped them."""
        if patience in self.patiences:
            self.patiences.remove(patience)
            self.agree()
        if not self.patiences and vars(self._stream).get("read") == self._read_of_ours:
            del self._stream.read
            if self._before is not None:
                self._stream.read = self._before

    def _read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._shortest
        if timeout is not None and timeout < left:
            left = timeout
        while True:
            try:
                look = left if left < LOOK_UP else LOOK_UP  # noqa: FURB136 -- for each chunk; `min` takes longer
                got: bytes = self._own(max_bytes, look)
            except self._ran_out as error:
                left = self._left(left, error)
            else:
                self._last = self._slept()
                return got

    async def _read_async(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's
    ) -> bytes:
        left = self._shortest
        if timeout is not None and timeout < left:
            left = timeout
        while True:
            try:
                look = left if left < LOOK_UP else LOOK_UP  # noqa: FURB136 -- as above
                got: bytes = await self._own(max_bytes, look)
            except self._ran_out as error:
                left = self._left(left, error)
            else:
                self._last = self._slept()
                return got

    def _left(self, left: float, error: Exception) -> float:
        """Seconds that a read may go on after one look-up without a byte.

        Raises:
            Exception: ``error``, which ended the look-up, if the time is up or somebody has interrupted it.
            MachineSlept: the machine has slept since the last byte.
        """
        if interruption(error) is not None:
            raise error
        left = _time_left(left, self._slept() - self._last)
        if left == 0:
            raise error
        return left


def _awake() -> float:
    """What a machine says that never sleeps."""
    return 0.0


def shared(response: Response) -> bool:
    """Whether other responses may use the same connection at the same time."""
    return response.http_version == "HTTP/2"


def _shut_down(connection: Any) -> None:
    """Close a connection in both directions, for whoever reads from it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except TypeError:  # uvloop's sockets have none, but a number like any other
        with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as twin:
            twin.shutdown(socket.SHUT_RDWR)


def _time_left(left: float, slept: float) -> float:
    """Seconds that a read may go on after one look-up without a byte.

    Raises:
        MachineSlept: the machine has slept since the last byte.
    """
    if slept > LONGEST_NAP:
        raise MachineSlept(f"nothing arrived after the machine slept for {slept:.0f} s")
    return max(0.0, left - LOOK_UP)
