"""Sends a protected stream's attempts. A failure is raised as it is, because it becomes a response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resilient_stream._core.failures import Failure
from resilient_stream._transport.door import AsyncTransportDoor

from .errors import GaveUp

if TYPE_CHECKING:
    from httpx2 import Request, Response


class GatewayDoor(AsyncTransportDoor):
    """The door of the httpx2 transports, except that a failure is raised as it is, because it becomes a
    response."""

    def error_of(
        self, failure: Failure, request: Request, cause: BaseException | None, response: Response | None
    ) -> Exception:
        """The failure, to be raised."""
        error = GaveUp(failure)
        error.__cause__ = cause
        return error

    def _made(self, url: Any, headers: Any, content: bytes, extensions: Any) -> Request:
        if url != self._request.url:  # a redirect: to another target than the client asked for
            extensions = {name: value for name, value in extensions.items() if name != "target"}
        return super()._made(url, headers, content, extensions)
