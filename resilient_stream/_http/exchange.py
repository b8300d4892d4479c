"""The requests and responses of one stream over httpx or httpx2: the `Upstream` of every such adapter.

`Exchange` holds what sync and async share: how responses and exceptions are classified, how long reads may
take, and where the record is attached. `SyncExchange` and `AsyncExchange` add only the calls that differ. An
adapter adds a `Door`, which sends the requests.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from resilient_stream._core.failures import Failure, Phase
from resilient_stream._core.interruption import quietly
from resilient_stream._core.loop.states import Send
from resilient_stream._core.record.ledger import RECORD_KEY
from resilient_stream._core.wire.safe_json import identifier
from resilient_stream._driver.upstream import Head
from resilient_stream._session.context import StreamContext

from . import classify as _classify
from .answer import Answer
from .attach import GIVEN_UP, SPLICED, attach
from .body import SyncBody, SyncPage, unread
from .dialect import dialect
from .door import Door, SyncDoor, Unframer
from .error_page import read_page, said, without_encoding
from .lighten import lighten
from .read_timeout import Patience, shared

if TYPE_CHECKING:
    from httpx2 import Request, Response

ERROR_BODY_PATIENCE: Final = 10.0
"""Seconds that the body of an error response may take in all, or less if the policy's silence timeout is
shorter. The status has already decided what happens. If the timeout of a read can't be changed (sync), it is
checked when bytes arrive."""


class Exchange:
    """The part that both exchanges share."""

    def __init__(self, door: Door, context: StreamContext) -> None:
        self.page = b""
        """The body of the last error response as it came over the wire, in its content encoding."""
        self._door_of_both = door
        self._dialect = dialect(door.package)
        self._context = context
        self._cause: BaseException | None = None
        self._spliced = False
        """Whether another layer of the library, further in, reads the body."""
        self._http_request: Request | None = None
        self._answer: Answer | None = None
        self._patience: Patience | None = None
        self._unframer: Unframer | None = None

    def error_for(self, failure: Failure) -> Exception:
        """The exception that raising ``failure`` would raise. It takes over the cause."""
        cause, request = self._take_cause(), self._http_request or self._door_of_both.stand_in_request()
        if cause is not None:
            lighten(_classify.chain(cause), request)
        response = None if self._answer is None else self._answer.response(failure, request)
        return self._door_of_both.error_of(failure, request, cause, response)

    def _take_cause(self) -> BaseException | None:
        cause, self._cause = self._cause, None
        return cause

    # -- what came back --------------------------------------------------------------------------

    def _failed(self, error: Exception, phase: Phase) -> Failure:
        """The failure that an exception stands for.

        Raises:
            BaseException: as `_failure`.
        """
        failure = self._failure(error, phase)
        self._cause = error
        if phase is Phase.BODY:
            self._door_of_both.forget()
        request = self._door_of_both.request_of(error)
        if (self._spliced and phase is Phase.BODY) or self._is_of_another_layer(request):
            return replace(failure, given_up=True)
        if request is not None:
            self._note_request(request)
        return failure

    def _is_of_another_layer(self, request: Request | None) -> bool:
        """Whether a layer further in has sent the request and given it up: then the request has that layer's
        record."""
        record = None if request is None else request.extensions.get(RECORD_KEY)
        return record is not None and record is not self._context.record

    def _failure(self, error: Exception, phase: Phase) -> Failure:
        """As `Door.failure_of`.

        Raises:
            BaseException: the exception of whoever interrupted the call, as it was raised; or ``error``
                itself, where it is none of the transport's.
        """
        interrupting = _classify.interruption(error)
        if interrupting is not None:
            raise interrupting from interrupting.__cause__
        failure = self._door_of_both.failure_of(error, phase)
        if failure is None:
            raise error
        return failure

    def _answered(self, http: Response) -> None:
        """Note a response."""
        self._cause, self.page, self._answer = None, b"", Answer(http)
        self._spliced = SPLICED in http.extensions
        if not self._spliced:  # whose record is more precise
            self._note_request(http.request)
        if http.is_closed:  # somebody has read it, and others use its connection by now
            http.extensions.pop("network_stream", None)

    def _note_request(self, request: Request) -> None:
        attach(request, self._context.record)
        if self._http_request is None:
            self._http_request = request
            self._context.addressed(request.url, request.headers)

    def _given_up(self, http: Response) -> Failure | None:
        """The failure in a response that a layer further in has made from one. It stays unread."""
        if GIVEN_UP not in http.extensions:
            return None
        failure = _classify.of_status(http.status_code, http.headers, None, self._context.runtime.wall())
        return replace(failure, given_up=True)

    def _judged(self, http: Response) -> Failure | None:
        """The failure of a response whose body was read; None for a success, whose body decides."""
        if http.is_success:
            return _classify.without_body(http)
        self._answer = Answer(http)
        return _classify.of_status(http.status_code, http.headers, said(http), self._context.runtime.wall())

    def _unreadable(self, http: Response, error: Exception) -> Response:
        """An error response whose body broke: only its status is used.

        Raises:
            BaseException: as `_failure`.
        """
        self._failure(error, Phase.BODY)
        headers = without_encoding(http.headers)
        empty = self._dialect.response(http.status_code, headers, http.request, content=b"")
        self._door_of_both.replace(empty)
        return empty

    # -- bodies ----------------------------------------------------------------------------------

    def _begin(self, http: Response, silence: float) -> Head:
        """Prepare to read a body."""
        self._patience = Patience(http, silence, self._context.runtime.slept, self._door_of_both.read_timeout)
        self._unframer = self._door_of_both.unframer(http)
        unread(http)
        return Head(http.status_code, identifier(http.headers.get("request-id")))

    def _unframed(self, chunk: bytes | None) -> bytes | None:
        return chunk if chunk is None or self._unframer is None else self._unframer.feed(chunk)

    @property
    def _page_seconds(self) -> float:
        """Seconds that an error page may take in all."""
        return min(ERROR_BODY_PATIENCE, self._context.policy.silence_timeout)

    def _error_patience(self, http: Response) -> Patience:
        """The read timeout for an error page. A connection that others share is not closed for it."""
        seconds = self._context.policy.silence_timeout if shared(http) else self._page_seconds
        return Patience(http, seconds, own=min(seconds, self._door_of_both.read_timeout or math.inf))

    def _restore(self) -> None:
        """Restore the connection's own reads."""
        if self._patience is not None:
            self._patience.restore()
            self._patience = None

    def failed(self, error: Exception) -> Failure:
        """The failure that an exception of a body stands for.

        Raises:
            BaseException: as `_failure`.
        """
        return self._failed(error, Phase.BODY)

    def interrupt(self) -> None:
        """Interrupt a read that another thread or task is blocked in."""
        patience = self._patience  # another thread may take it away
        if patience is not None:
            patience.interrupt()


class SyncExchange(Exchange):
    """Exchanges requests and responses through a sync client.

    Args:
        door: what the adapter adds.
        context: the stream's.
    """

    def __init__(self, door: SyncDoor, context: StreamContext) -> None:
        super().__init__(door, context)
        self._door = door
        self._body: SyncBody | None = None

    def send(self, action: Send) -> Head | Failure:
        """Send one request. Return when the response's headers arrive."""
        self.release()
        try:
            http = self._door.call(action)
            self._answered(http)
        except Exception as error:  # noqa: BLE001 -- what is not a failure of the transport is raised again
            return self._failed(error, Phase.HEADERS)
        if failure := self._given_up(http):
            return failure
        if not http.is_success:
            http = self._read_error(http)
        if failure := self._judged(http):
            http.close()
            return failure
        head = self._begin(http, action.silence)
        self._body = SyncBody(http)
        return head

    def _read_error(self, http: Response) -> Response:
        given = http.stream
        with self._error_patience(http) as patience:
            page = SyncPage(http, patience, self._context.runtime.clock, self._page_seconds)
            try:
                http.stream = self._dialect.sync_stream(page)
                read_page(http)
            except Exception as error:  # noqa: BLE001 -- what is not a failure of the transport is raised again
                return self._unreadable(http, error)
            finally:  # it knows how long the response took
                http.stream = given
                self.page = bytes(page.raw)
        return http

    def read(self, patience: float) -> bytes | Failure | None:
        """The next bytes of the body; None at its end."""
        body, reads = self._body, self._patience
        if body is None or reads is None:
            return None
        reads.seconds = patience
        try:
            return self._unframed(body.read())
        except Exception as error:  # noqa: BLE001 -- what is not a failure of the transport is raised again
            return self._failed(error, Phase.BODY)

    def chunks(self, patience: float) -> Iterator[bytes] | None:
        """An iterator of the rest of the body; None if its bytes must be unframed."""
        if self._body is None or self._patience is None or self._unframer is not None:
            return None
        self._patience.seconds = patience
        return self._body.chunks

    def release(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        self._restore()
        if self._body is not None:
            body, self._body = self._body, None
            body.close()

    def interrupt(self) -> None:
        """Interrupt a read that another thread is blocked in."""
        super().interrupt()
        body = self._body  # the other thread may take it away
        if self._spliced and body is not None:
            with quietly(Exception):
                body.close()  # which is another driver's, and may be closed from any thread
