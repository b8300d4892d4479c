"""A protected stream: one response to the client over any number of attempts."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from resilient_stream._core.failures import Failure
from resilient_stream._driver.async_driver import AsyncDriver
from resilient_stream._http.async_exchange import AsyncExchange
from resilient_stream._http.attach import attach
from resilient_stream._journal.wire import error_event
from resilient_stream._report.model import report
from resilient_stream._transport.door import PassedOn
from resilient_stream.errors import JournalError

from . import errors
from .door import GatewayDoor
from .errors import GaveUp
from .forward import relay
from .headers import passing, without

if TYPE_CHECKING:
    import httpx2

    from resilient_stream._transport.calls import Protected

    from .downstream import Downstream
    from .durable import Journaled
    from .pings import Pings
    from .request import Body
    from .streams import Running
    from .upstream import Upstream

ID: Final = b"resilient-stream-id"

OF_ONE_ATTEMPT: Final = (b"content-encoding", b"content-length")
"""Headers of a first response that are not valid for what the client receives."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What one protected stream needs.

    Args:
        call: what `_transport.calls.read` has made of the request.
        request: the first attempt's.
        running: its entry in the list of streams.
        reports: whether the client wants the report at the end, if the stream was resumed.
        journaled: how it is journaled; None if it is not.
    """

    upstream: Upstream
    call: Protected
    request: httpx2.Request
    running: Running
    reports: bool = False
    journaled: Journaled | None = None

    async def serve(self, body: Body, downstream: Downstream, pings: Pings) -> None:
        """Send the stream to the client, until it ends or the client leaves."""
        context = self.call.context
        attach(self.request, context.record)
        self.request.headers["accept-encoding"] = "identity"
        door = GatewayDoor(
            self.upstream.transport, self.request, context.policy, self.call.content, healed=self.call.healed
        )
        exchange = AsyncExchange(door, context)
        driver = self._driver(exchange)
        leaving = asyncio.ensure_future(_close_when_left(body, driver, self.journaled))
        try:
            failed = await driver.open()
            if body.left:
                await self._finish_for_nobody(driver)
            elif failed is not None:
                await self._refuse(failed.failure, door, exchange, downstream)
            else:
                await downstream.begin(200, self._headers(door))
                with pings.on(downstream):
                    await self._hand_over(driver, body, downstream)
        except PassedOn as passed:
            await relay(passed.response, downstream)
        except JournalError as error:
            if not body.left:
                await self._break_off(error, downstream)
        finally:
            leaving.cancel()
            await asyncio.wait({leaving})
            await driver.aclose()
            if not leaving.cancelled():
                leaving.result()  # raises what receiving or closing has raised

    def _driver(self, exchange: AsyncExchange) -> AsyncDriver:
        if self.journaled is not None:
            return self.journaled.driver(exchange)
        context = self.call.context
        return AsyncDriver(context.machine(exchange.error_for), exchange, context.runtime, context.watch)

    def _headers(self, door: GatewayDoor) -> list[tuple[bytes, bytes]]:
        """The first good response's headers. The response itself is released."""
        response = door.response
        door.forget()
        raw = [] if response is None else response.headers.raw
        return [*without(passing(raw), *OF_ONE_ATTEMPT), (ID, self.running.id.encode())]

    async def _hand_over(self, driver: AsyncDriver, body: Body, downstream: Downstream) -> None:
        try:
            async for piece in driver:
                numbered = piece if self.journaled is None else self.journaled.told(piece)
                if not body.left:
                    await downstream.write(numbered)
        except GaveUp as gave_up:
            if not body.left:
                await downstream.write(errors.event(gave_up.failure, self._summary()))
            return
        if self.reports and (told := report(self.request)).resumed:
            await downstream.write(b": resilient-report %s\n\n" % told.model_dump_json().encode())
        await downstream.finish()

    async def _finish_for_nobody(self, driver: AsyncDriver) -> None:
        """Run a detached stream to its end; any other is closed by now."""
        with contextlib.suppress(GaveUp):
            async for _ in driver:
                pass

    async def _break_off(self, error: JournalError, downstream: Downstream) -> None:
        """Handle a stream that was stopped through its journal, or that another process writes, or that can't
        be written."""
        message = f"resilient-stream: {error}"
        if downstream.begun:
            await downstream.write(error_event(message))
        else:
            content = errors.page(503, str(error))
            await downstream.answer(503, content, [*errors.headers_of(content), errors.FINAL])

    async def _refuse(
        self, failure: Failure, door: GatewayDoor, exchange: AsyncExchange, downstream: Downstream
    ) -> None:
        """Answer with the API's last response, or with the gateway's own message if there was none."""
        response = door.response
        theirs = response is not None and response.status_code == failure.status
        if response is not None and theirs and not response.is_success:
            status, content, headers = response.status_code, exchange.page, passing(response.headers.raw)
            headers = without(headers, b"content-length", errors.FINAL[0])
            headers.append((b"content-length", b"%d" % len(content)))
        else:
            status = errors.status_of(failure)
            content = errors.page(status, self._summary())
            headers = errors.headers_of(content)
        await downstream.answer(status, content, [*headers, errors.FINAL, (ID, self.running.id.encode())])

    def _summary(self) -> str:
        record = self.call.context.record
        return record.ledger.summary(record.turn)


async def _close_when_left(body: Body, driver: AsyncDriver, journaled: Journaled | None) -> None:
    await body.until_left()
    if journaled is not None:
        await journaled.deserted()
    await driver.aclose()
