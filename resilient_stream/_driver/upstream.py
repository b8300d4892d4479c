"""The interface between a driver and an adapter: an upstream sends one request at a time and reads its reply.

An upstream returns a `Failure` if its transport failed. It raises every other exception, such as one of the
user's own code or a cancellation. The driver does not interpret exceptions. ``docs/adapters.md`` explains an
adapter step by step.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple, Protocol, runtime_checkable

from resilient_stream._core.failures import Failure
from resilient_stream._core.loop.states import Send


class Head(NamedTuple):
    """A reply has begun, and it is an event stream."""

    status: int
    """The HTTP status."""
    request_id: str | None
    """The ``request-id`` header, if there is one."""


class LastWords(Exception):
    """Takes the place of an exception if the consumer is to read in the body why the stream ends. An
    `Upstream.error_for` may return it for a failure of a body.

    Args:
        frame: the event that is delivered.
    """

    def __init__(self, frame: bytes) -> None:
        super().__init__("the API ended the stream with an error event")
        self.frame = frame


class Upstream(Protocol):
    """The sync side of an adapter. One driver at a time calls it; only `interrupt` is called from another
    thread."""

    def send(self, action: Send) -> Head | Failure:
        """Send a request, and return when its reply begins.

        The connection of an earlier request is released first. If the reply is not an event stream, as much
        of it as is useful is read, and a failure is returned.

        Args:
            action: what to send: ``action.plan.body``, or the user's own body if that is None. The first
                byte of the reply must arrive within ``action.patience`` seconds.
        """
        ...

    def read(self, patience: float) -> bytes | Failure | None:
        """The next bytes of the body, decoded; None at its clean end.

        Args:
            patience: seconds that the read may take. If it takes longer, a failure of kind ``silent`` is
                returned.
        """
        ...

    def release(self) -> None:
        """Give the connection back, or close it if the body was not read to its end. May be called at any
        time, and more than once."""
        ...

    def interrupt(self) -> None:
        """Break off the read that another thread is in, as soon as possible. It must not block or raise."""
        ...

    def error_for(self, failure: Failure) -> BaseException:
        """The exception to raise for ``failure``. Called once for each failure, before the next request."""
        ...


@runtime_checkable
class Iterated(Protocol):
    """An optional interface of an upstream: its body as an iterator. While a stream is healthy, iterating
    costs less than calls of `Upstream.read`."""

    def chunks(self, patience: float) -> Iterator[bytes] | None:
        """An iterator of the rest of the body, decoded; None if the body can only be read by `Upstream.read`.

        Args:
            patience: as in `Upstream.read`, of each chunk.
        """
        ...

    def failed(self, error: Exception) -> Failure:
        """The failure that an exception of the iterator stands for. Any other exception is raised again."""
        ...


@runtime_checkable
class AsyncIterated(Protocol):
    """As `Iterated`, of an async upstream."""

    def chunks(self, patience: float) -> AsyncIterator[bytes] | None:
        """As `Iterated.chunks`."""
        ...

    def failed(self, error: Exception) -> Failure:
        """As `Iterated.failed`."""
        ...


class AsyncUpstream(Protocol):
    """The async side of an adapter. One task at a time calls it, and only `interrupt` from another one."""

    async def send(self, action: Send) -> Head | Failure:
        """As `Upstream.send`."""
        ...

    async def read(self, patience: float) -> bytes | Failure | None:
        """As `Upstream.read`."""
        ...

    async def release(self) -> None:
        """As `Upstream.release`."""
        ...

    def interrupt(self) -> None:
        """Break off the send or the read that another task is in, as soon as possible. It must not raise."""
        ...

    def error_for(self, failure: Failure) -> BaseException:
        """As `Upstream.error_for`."""
        ...
