"""The interface that an adapter over httpx or httpx2 implements: how a request is made and sent, and which
exception is raised."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, Protocol

from resilient_stream._core.failures import Failure, Phase
from resilient_stream._core.loop.states import Send

from . import classify as _classify

if TYPE_CHECKING:
    from httpx2 import Request, Response


IDENTITY: Final = {"accept-encoding": "identity"}
"""The header of a request for a body without a content encoding, where `Send.identity` asks for one."""


class Unframer(Protocol):
    """Turns a body in another framing into server-sent events."""

    def feed(self, chunk: bytes) -> bytes:
        """The events of all messages that ``chunk`` completes."""
        ...


class Door(ABC):
    """The adapter's part of an exchange. Its methods are called in the thread or task that reads the
    stream."""

    package: str = "httpx2"
    """The HTTP package that it speaks: ``httpx2`` or ``httpx``."""
    read_timeout: float | None = None
    """The user's own read timeout in seconds, infinite if there is none; None if it can't be seen: then the
    request has it."""

    def failure_of(self, error: Exception, phase: Phase) -> Failure | None:
        """The failure that an exception stands for; None if it is not a failure of the transport."""
        return _classify.of_exception(error, phase)

    def request_of(self, error: Exception) -> Request | None:
        """The request that an exception names, if it names one."""
        try:
            request: Request | None = getattr(error, "request", None)
        except RuntimeError:  # httpx's way to say that there is none
            return None
        return request

    @abstractmethod
    def stand_in_request(self) -> Request:
        """A request for exceptions if none was made: it says where the request would have gone."""
        ...

    @abstractmethod
    def error_of(
        self, failure: Failure, request: Request, cause: BaseException | None, response: Response | None
    ) -> Exception:
        """The exception that raising ``failure`` would raise.

        Args:
            failure: what happened.
            request: the first that was made, or the stand-in for it.
            cause: the exception that showed the failure, if any.
            response: the last response, in a form that can be kept: its status and body are those of the
                failure, if it has a status or was reported in the stream; None if there was none.
        """
        ...

    def unframer(self, http: Response) -> Unframer | None:
        """For a good response, an object that turns its body into server-sent events; None if the body has
        them already."""
        return None

    def replace(self, http: Response) -> None:  # noqa: B027 -- not every adapter keeps it
        """Replace the last response, an error whose body broke, by ``http``, which has no body."""

    def forget(self) -> None:  # noqa: B027 -- as above
        """Drop the last response, which is no longer needed."""


class SyncDoor(Door):
    """The door of a sync adapter."""

    @abstractmethod
    def call(self, action: Send) -> Response:
        """Send a request, and wait for the headers of its response. Exceptions are given to `failure_of`."""
        ...


class AsyncDoor(Door):
    """The door of an async adapter."""

    @abstractmethod
    async def call(self, action: Send) -> Response:
        """As `SyncDoor.call`."""
        ...
