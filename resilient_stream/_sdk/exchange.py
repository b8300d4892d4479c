"""The SDK's side of a stream: one request at a time through the rest of the middleware chain.

`Exchange` holds what sync and async share: how the user's `APIRequest` becomes the next one, how a
response or an exception is judged, which exception a failure becomes, and where the report hangs.
`SyncExchange` and `AsyncExchange` add only the calls that differ.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar, cast

import anthropic
import anyio
import httpx2
from anthropic import APIRequest, AsyncCallNext, CallNext, NotGiven

from resilient_stream._core.failures import Failure, Phase
from resilient_stream._core.loop.states import Send
from resilient_stream._core.record.ledger import RECORD_KEY
from resilient_stream._http import classify as _classify
from resilient_stream._http.body import AsyncBody, HurriedBody, SyncBody, unread
from resilient_stream._http.error_page import aread_page, read_page, said
from resilient_stream._http.read_timeout import Patience, shared
from resilient_stream._session.context import StreamContext

from .bedrock import Unframer
from .errors import MakeStatusError, error_of, lighten

ERROR_BODY_PATIENCE: Final = 10.0
"""Seconds an error response's body may take in all; its status has said enough. Sync, where a read's
patience can't be changed, that is looked at as bytes come."""

Timeout = httpx2.Timeout | float | NotGiven | None


class Exchange:
    """What is known of one stream's requests and responses."""

    def __init__(
        self,
        request: APIRequest,
        context: StreamContext,
        client_timeout: Timeout,
    ) -> None:
        self.response: Any = None
        """The SDK's response to the attempt that answered last; taken away once it is handed on."""
        self._request = request
        self._context = context
        self._policy, self._runtime = context.policy, context.runtime
        self._client_timeout = client_timeout
        self._cause: BaseException | None = None
        self._http_request: httpx2.Request | None = None
        self._make_status_error: MakeStatusError | None = None
        self._patience: Patience | None = None
        self._own: float | None = None
        """Seconds that a read may take by the user's timeout; None where that can't be seen."""
        self._unframer: Unframer | None = None

    # -- requests --------------------------------------------------------------------------------

    def derive(self, action: Send) -> APIRequest:
        """The SDK request for one attempt: the user's own, or a copy with another body."""
        body, timeout = action.plan.body, self._timeout(action.patience)
        if action.plan.continues:  # nobody asks for the last response any more, and it holds its request
            self.response = None
        if body is None and action.number == 1 and timeout is None:
            return self._request
        options = copy.copy(self._request.options)
        if timeout is not None:
            options.timeout = timeout
        if body is not None:
            options.json_data = dict(body)
            options.extra_json = None
            if isinstance(options.headers, Mapping):
                options.headers = {k: v for k, v in options.headers.items() if k.lower() != "idempotency-key"}
        return APIRequest(
            options=options,
            cast_to=self._request.cast_to,
            stream=self._request.stream,
            stream_cls=self._request.stream_cls,
            retries_taken=action.number - 1,
        )

    def _timeout(self, first_event: float) -> httpx2.Timeout | None:
        """The timeouts of the head: the shorter of the policy's and the user's, where those can be
        seen; None leaves what the client has."""
        given = self._request.timeout
        known = self._client_timeout if isinstance(given, NotGiven) else given
        if isinstance(known, NotGiven):
            return None
        base = known if isinstance(known, httpx2.Timeout) else httpx2.Timeout(known)
        self._own = math.inf if base.read is None else base.read
        return httpx2.Timeout(
            connect=_shorter(base.connect, self._policy.connect_timeout),
            read=_shorter(base.read, first_event),
            write=base.write,
            pool=base.pool,
        )

    # -- what came back --------------------------------------------------------------------------

    def failed(self, error: Exception, phase: Phase) -> Failure:
        """The failure an exception stands for.

        Raises:
            Exception: ``error`` itself, where it is none of the transport's.
        """
        failure = _classify.of_exception(error, phase)
        if failure is None:
            raise error
        self._cause, self.response = error, None if phase is Phase.BODY else self.response
        if isinstance(error, anthropic.APIError):
            self._note_request(error.request)
        return failure

    def answered(self, response: Any) -> None:
        """Note a response."""
        self.response, self._cause = response, None
        self._note_request(response.http_response.request)
        if response.http_response.is_closed:  # somebody has read it, and others have its connection by now
            response.http_response.extensions.pop("network_stream", None)
        # The SDK makes the errors of its own streams with this method; there is no public one.
        self._make_status_error = response._client._make_status_error  # noqa: SLF001

    def judge(self, http: httpx2.Response) -> Failure | None:
        """The failure of a response whose body was read, or of a success that is no event stream."""
        if http.is_success:
            return _classify.event_stream(http)
        return _classify.of_status(http.status_code, http.headers, said(http), self._runtime.wall())

    def unreadable(self, http: httpx2.Response, error: Exception) -> None:
        """An error response whose body broke: its status alone has to do.

        Raises:
            Exception: ``error`` itself, where it is none of the transport's.
        """
        if _classify.of_exception(error, Phase.BODY) is None:
            raise error
        self.response.http_response = httpx2.Response(
            http.status_code, headers=_without_encoding(http.headers), content=b"", request=http.request
        )

    def _note_request(self, request: httpx2.Request) -> None:
        request.extensions[RECORD_KEY] = self._context.record
        vars(request)[RECORD_KEY] = self._context.record  # httpx2 leaves extensions out of copies and pickles
        if self._http_request is None:
            self._http_request = request
            self._context.addressed(request.url, request.headers)

    def error_for(self, failure: Failure) -> Exception:
        """The exception that raising ``failure`` means."""
        request = self._http_request or httpx2.Request("POST", self._request.url)
        cause, self._cause = self._cause, None
        if cause is not None:
            lighten(_classify.chain(cause), request)
        return error_of(failure, request, cause, self._make_status_error)

    def _begin(self, http: httpx2.Response, silence: float) -> None:
        """A body is about to be read."""
        self._patience = Patience(http, silence, self._runtime.slept, self._own)
        framed = _classify.content_type_of(http) == _classify.AWS_EVENT_STREAM
        # The client brings the decoder.
        self._unframer = Unframer(self.response._client._make_sse_decoder()) if framed else None  # noqa: SLF001 -- as `answered`
        unread(http)

    def _unframed(self, chunk: bytes | None) -> bytes | None:
        """Server-sent events of a body in another framing."""
        return chunk if chunk is None or self._unframer is None else self._unframer.feed(chunk)

    def _error_patience(self, http: httpx2.Response) -> Patience:
        """For the page of an error; a connection that others share is not given up for it."""
        seconds = self._policy.silence_timeout if shared(http) else ERROR_BODY_PATIENCE
        return Patience(http, seconds, own=min(seconds, self._own or math.inf))

    def _restore(self) -> None:
        """Stand before the connection's reads no more."""
        if self._patience is not None:
            self._patience.restore()
            self._patience = None

    def interrupt(self) -> None:
        """Break a read that another thread or task is blocked in."""
        patience = self._patience  # another thread may take it away
        if patience is not None:
            patience.interrupt()


class SyncExchange(Exchange):
    """Through a sync client."""

    def __init__(
        self, call_next: CallNext, request: APIRequest, context: StreamContext, client_timeout: Timeout
    ) -> None:
        super().__init__(request, context, client_timeout)
        self._call_next = call_next
        self._body: SyncBody | None = None

    def send(self, action: Send) -> Failure | httpx2.Response:
        """Send one request, up to the response's head."""
        self.release()
        try:
            self.answered(self._call_next(self.derive(action)))
        except Exception as error:  # noqa: BLE001 -- what is no failure of the transport is raised again
            return self.failed(error, Phase.HEADERS)
        http: httpx2.Response = self.response.http_response
        if not http.is_success:
            self._read_error(http)
        if failure := self.judge(self.response.http_response):
            http.close()
            return failure
        self._begin(http, action.silence)
        self._body = SyncBody(http)
        return http

    def _read_error(self, http: httpx2.Response) -> None:
        given = cast("httpx2.SyncByteStream", http.stream)
        with self._error_patience(http) as patience:
            try:
                http.stream = HurriedBody(given, patience, self._runtime.clock, ERROR_BODY_PATIENCE)
                read_page(http)
            except Exception as error:  # noqa: BLE001 -- what is no failure of the transport is raised again
                self.unreadable(http, error)
            finally:  # it knows how long the response took
                http.stream = given

    def read(self, patience: float) -> bytes | Failure | None:
        """The next bytes of the body, None at its end."""
        body, reads = self._body, self._patience
        if body is None or reads is None:
            return None
        reads.seconds = patience
        try:
            return self._unframed(body.read())
        except Exception as error:  # noqa: BLE001 -- what is no failure of the transport is raised again
            return self.failed(error, Phase.BODY)

    def release(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        self._restore()
        if self._body is not None:
            body, self._body = self._body, None
            body.close()


Result = TypeVar("Result")


class AsyncExchange(Exchange):
    """Through an async client."""

    def __init__(
        self, call_next: AsyncCallNext, request: APIRequest, context: StreamContext, client_timeout: Timeout
    ) -> None:
        super().__init__(request, context, client_timeout)
        self._call_next = call_next
        self._body: AsyncBody | None = None
        self._scope = anyio.CancelScope()
        self._interrupted = False

    async def send(self, action: Send) -> Failure | httpx2.Response:
        """Send one request, up to the response's head."""
        await self.release()
        try:
            return await self._breakable(lambda: self._open(action))
        except Exception as error:  # noqa: BLE001 -- what is no failure of the transport is raised again
            return self.failed(error, Phase.HEADERS)

    async def _open(self, action: Send) -> Failure | httpx2.Response:
        self.answered(await self._call_next(self.derive(action)))
        http: httpx2.Response = self.response.http_response
        if not http.is_success:
            await self._read_error(http)
        if failure := self.judge(self.response.http_response):
            await http.aclose()
            return failure
        self._begin(http, action.silence)
        self._body = AsyncBody(http)
        return http

    async def _read_error(self, http: httpx2.Response) -> None:
        with self._error_patience(http):
            try:
                await self._breakable(lambda: aread_page(http), ERROR_BODY_PATIENCE)
            except Exception as error:  # noqa: BLE001 -- what is no failure of the transport is raised again
                self.unreadable(http, error)

    async def read(self, patience: float) -> bytes | Failure | None:
        """The next bytes of the body, None at its end."""
        body, reads = self._body, self._patience
        if body is None or reads is None:
            return None
        reads.seconds = patience
        try:
            chunk = await (body.read() if reads.fine else self._breakable(body.read, reads.from_outside))
            return self._unframed(chunk)
        except Exception as error:  # noqa: BLE001 -- what is no failure of the transport is raised again
            return self.failed(error, Phase.BODY)

    async def release(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        self._restore()
        if self._body is not None:
            body, self._body = self._body, None
            await body.close()

    def interrupt(self) -> None:
        """Break off the send or the read that another task is in."""
        super().interrupt()
        self._interrupted = True
        self._scope.cancel()

    async def _breakable(self, act: Callable[[], Awaitable[Result]], seconds: float = math.inf) -> Result:
        """What ``act`` gives.

        Raises:
            httpx2.ReadTimeout: the time was up, or `interrupt` was called; then nobody asks what it was.
        """
        with anyio.move_on_after(seconds) as self._scope:
            if not self._interrupted:
                return await act()
        raise httpx2.ReadTimeout("it took too long")


def provider_of(client: object) -> str | None:
    """Who answers a client, by OpenTelemetry's names, as the SDK's own spans have it; None where it does not
    say."""
    known = getattr(client, "_gen_ai_provider_name", None)
    return known if isinstance(known, str) else None


def _shorter(given: float | None, policy: float) -> float:
    return policy if given is None else min(given, policy)


def _without_encoding(headers: httpx2.Headers) -> httpx2.Headers:
    kept = httpx2.Headers(headers)
    for name in ("content-encoding", "content-length", "transfer-encoding"):
        kept.pop(name, None)
    return kept
