"""The async side of `exchange`. A cancel scope around each send and read lets another task interrupt it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import anyio

from resilient_stream._core.failures import Failure, Phase
from resilient_stream._core.loop.states import Send
from resilient_stream._driver.upstream import Head
from resilient_stream._session.context import StreamContext

from .body import AsyncBody, AsyncPage
from .door import AsyncDoor
from .error_page import aread_page
from .exchange import Exchange

if TYPE_CHECKING:
    from httpx2 import Response

Result = TypeVar("Result")


class AsyncExchange(Exchange):
    """Exchanges requests and responses through an async client.

    Args:
        door: what the adapter adds.
        context: the stream's.
    """

    def __init__(self, door: AsyncDoor, context: StreamContext) -> None:
        super().__init__(door, context)
        self._door = door
        self._body: AsyncBody | None = None
        self._scope = anyio.CancelScope()
        self._interrupted = False

    async def send(self, action: Send) -> Head | Failure:
        """Send one request. Return when the response's headers arrive."""
        await self.release()
        try:
            return await self._breakable(lambda: self._open(action))
        except Exception as error:  # noqa: BLE001 -- what is not a failure of the transport is raised again
            return self._failed(error, Phase.HEADERS)

    async def _open(self, action: Send) -> Head | Failure:
        http = await self._door.call(action)
        self._answered(http)
        if failure := self._given_up(http):
            return failure
        if not http.is_success:
            http = await self._read_error(http)
        if failure := self._judged(http):
            await http.aclose()
            return failure
        head = self._begin(http, action.silence)
        self._body = AsyncBody(http)
        return head

    async def _read_error(self, http: Response) -> Response:
        given = http.stream
        with self._error_patience(http):
            page = AsyncPage(http)
            try:
                http.stream = self._dialect.async_stream(page)
                await self._breakable(lambda: aread_page(http), self._page_seconds)
            except Exception as error:  # noqa: BLE001 -- what is not a failure of the transport is raised again
                return self._unreadable(http, error)
            finally:
                http.stream = given
                self.page = bytes(page.raw)
        return http

    async def read(self, patience: float) -> bytes | Failure | None:
        """The next bytes of the body, None at its end."""
        body, reads = self._body, self._patience
        if body is None or reads is None:
            return None
        reads.seconds = patience
        try:
            alone = reads.fine and reads.reachable
            chunk = await (body.read() if alone else self._breakable(body.read, reads.from_outside))
            return self._unframed(chunk)
        except Exception as error:  # noqa: BLE001 -- what is not a failure of the transport is raised again
            return self._failed(error, Phase.BODY)

    def chunks(self, patience: float) -> AsyncIterator[bytes] | None:
        """As `SyncExchange.chunks`; also None if a read can only be interrupted by a scope around it."""
        body, reads = self._body, self._patience
        if (
            body is None
            or reads is None
            or self._unframer is not None
            or not (reads.fine and reads.reachable)
        ):
            return None
        reads.seconds = patience
        return body.chunks

    async def release(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        self._restore()
        if self._body is not None:
            body, self._body = self._body, None
            await body.close()

    def interrupt(self) -> None:
        """Interrupt the send or the read that another task is in."""
        self._interrupted = True
        self._scope.cancel()
        super().interrupt()

    async def _breakable(self, act: Callable[[], Awaitable[Result]], seconds: float = math.inf) -> Result:
        """The result of ``act``.

        Raises:
            ReadTimeout: the package's; the time was up, or `interrupt` was called: then nobody asks what it
            was.
        """
        with anyio.move_on_after(seconds) as self._scope:
            if not self._interrupted:
                return await act()
        raise self._dialect.read_timeout("it took too long")
