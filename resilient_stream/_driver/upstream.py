"""What an adapter gives to a driver: an upstream, which sends one request at a time and reads its reply.

An upstream answers with a `Failure` where its transport failed, and raises whatever is no failure of the
transport: a fault of somebody's own code, a cancellation. The driver looks at no exception but to note that
one passed. ``docs/adapters.md`` goes through an adapter step by step.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from resilient_stream._core.failures import Failure
from resilient_stream._core.loop.states import Send


@dataclass(frozen=True, slots=True)
class Head:
    """A reply has begun, and it is an event stream."""

    status: int
    """The HTTP status."""
    request_id: str | None
    """The ``request-id`` header, if there is one."""


class LastWords(Exception):
    """Stands for an exception where the consumer is to read why the stream ends. An `Upstream.error_for` may
    give it for a failure of a body.

    Args:
        frame: the event that says so.
    """

    def __init__(self, frame: bytes) -> None:
        super().__init__("the API ended the stream with an error event")
        self.frame = frame


class Upstream(Protocol):
    """The sync side of an adapter. One driver at a time calls it, and only `interrupt` from another
    thread."""

    def send(self, action: Send) -> Head | Failure:
        """Send a request, and wait for the head of its reply.

        What an earlier request has open is released first. A reply that is no event stream is read, as far as
        it is of use, and is a failure.

        Args:
            action: what to send: ``action.plan.body`` in place of the user's body, or the user's own where it
                is None; ``action.patience`` seconds are left for the first byte of the reply.
        """
        ...

    def read(self, patience: float) -> bytes | Failure | None:
        """The next bytes of the body, decoded; None at its clean end.

        Args:
            patience: seconds that the read may take. One that takes longer is a failure, of kind ``silent``.
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
        """The exception that raising ``failure`` would raise. Called once for each failure, while it is the
        last."""
        ...


@runtime_checkable
class Iterated(Protocol):
    """What an upstream may offer besides, so that the deltas of a healthy stream cost less: its body as an
    iterator, in place of calls of `Upstream.read`."""

    def chunks(self, patience: float) -> Iterator[bytes] | None:
        """The rest of the body, decoded, where reading it is nothing but this; None where it is more.

        Args:
            patience: as in `Upstream.read`, of each chunk.
        """
        ...

    def failed(self, error: Exception) -> Failure:
        """The failure that an exception of the iterator stands for; it is raised again if it is none."""
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
