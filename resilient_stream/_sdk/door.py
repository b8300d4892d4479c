"""The SDK's part of an exchange: its requests, its responses, its exceptions, its decoder."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import anthropic
import httpx2
from anthropic import APIRequest, AsyncCallNext, CallNext, NotGiven

from resilient_stream._core.failures import Failure, Phase
from resilient_stream._core.loop.states import Send
from resilient_stream._core.record.ledger import RECORD_KEY
from resilient_stream._http.classify import AWS_EVENT_STREAM, content_type_of
from resilient_stream._http.door import IDENTITY, AsyncDoor, Door, SyncDoor, Unframer
from resilient_stream._policy.model import RetryPolicy

from . import private_api
from .bedrock import MessageDecoder
from .bedrock import Unframer as AwsUnframer
from .errors import error_of, failure_of

Timeout = httpx2.Timeout | float | NotGiven | None


class SdkDoor(Door):
    """The part that the sync and the async door share.

    Args:
        request: the user's.
        policy: the stream's.
        client_timeout: that of the client, where it can be seen.
    """

    def __init__(self, request: APIRequest, policy: RetryPolicy, client_timeout: Timeout) -> None:
        self.response: Any = None
        """The SDK's response to the last attempt that was answered; removed when it is passed on."""
        self._request = request
        self._policy = policy
        self._client_timeout = client_timeout
        self._client: object = None
        self._refreshed = False
        """Whether the stream has used its one refresh of the credential."""

    # -- requests --------------------------------------------------------------------------------

    def derive(self, action: Send) -> APIRequest:
        """The SDK request for one attempt: the user's own, or a copy with another body."""
        body, timeout = action.plan.body, self._timeout(action.patience)
        retries = action.number - 1 + self._refreshed
        if action.plan.continues:  # it holds its request, which may be large
            self.response = None
        if body is None and retries == 0 and timeout is None:
            return self._request
        options = copy.copy(self._request.options)
        if timeout is not None:
            options.timeout = timeout
        if body is not None:
            options.json_data = dict(body)
            options.extra_json = None
            if isinstance(options.headers, Mapping):
                options.headers = {k: v for k, v in options.headers.items() if k.lower() != "idempotency-key"}
        if action.identity:
            given = options.headers if isinstance(options.headers, Mapping) else {}
            others = {name: value for name, value in given.items() if name.lower() not in IDENTITY}
            options.headers = {**others, **IDENTITY}
        return APIRequest(
            options=options,
            cast_to=self._request.cast_to,
            stream=self._request.stream,
            stream_cls=self._request.stream_cls,
            retries_taken=retries,
        )

    def _timeout(self, first_event: float) -> httpx2.Timeout | None:
        """The timeouts up to the headers: the shorter of the policy's and the user's, if those can be seen;
        None keeps the client's."""
        given = self._request.timeout
        known = self._client_timeout if isinstance(given, NotGiven) else given
        if isinstance(known, NotGiven):
            return None
        base = known if isinstance(known, httpx2.Timeout) else httpx2.Timeout(known)
        self.read_timeout = math.inf if base.read is None else base.read
        return httpx2.Timeout(
            connect=_shorter(base.connect, self._policy.connect_timeout),
            read=_shorter(base.read, first_event),
            write=base.write,
            pool=base.pool,
        )

    # -- what came back --------------------------------------------------------------------------

    def answered(self, response: Any) -> httpx2.Response:
        """Note a response."""
        self.response = response
        self._client = private_api.client_of_response(response)
        http: httpx2.Response = response.http_response
        return http

    def refreshes(self, response: Any) -> bool:
        """Whether a request is sent again because its 401 has made the client drop its credential.

        The SDK does that once after a first request, in its own loop, which does not know continuations. Here
        it happens once per stream. If another layer of the library is further in, that layer has done it
        already.
        """
        http: httpx2.Response = response.http_response
        if http.status_code != 401 or self._refreshed or RECORD_KEY in http.request.extensions:
            return False
        self._refreshed = private_api.refreshes_credential(private_api.client_of_response(response), http)
        return self._refreshed

    def failure_of(self, error: Exception, phase: Phase) -> Failure | None:
        """The failure of an exception as the SDK wraps it."""
        return failure_of(error, phase)

    def request_of(self, error: Exception) -> httpx2.Request | None:
        """The request that an exception of the SDK names."""
        return error.request if isinstance(error, anthropic.APIError) else None

    def stand_in_request(self) -> httpx2.Request:
        """A request to the address to which the stream's request would have gone."""
        return httpx2.Request("POST", self._request.url)

    def error_of(
        self,
        failure: Failure,
        request: httpx2.Request,
        cause: BaseException | None,
        response: httpx2.Response | None,
    ) -> Exception:
        """The SDK's exception for a failure."""
        return error_of(failure, request, cause, self._client, response)

    def unframer(self, http: httpx2.Response) -> Unframer | None:
        """The decoder for the older Bedrock client, made from the client's own; None for any other."""
        if content_type_of(http) != AWS_EVENT_STREAM:
            return None
        return AwsUnframer(private_api.sse_decoder(self._client) or MessageDecoder())

    def replace(self, http: httpx2.Response) -> None:
        """Take this response for the SDK to read."""
        self.response.http_response = http

    def forget(self) -> None:
        """Release the response, and its request with it."""
        self.response = None


class SyncSdkDoor(SdkDoor, SyncDoor):
    """Sends through the rest of a sync client's middleware chain."""

    def __init__(
        self, call_next: CallNext, request: APIRequest, policy: RetryPolicy, client_timeout: Timeout
    ) -> None:
        super().__init__(request, policy, client_timeout)
        self._call_next = call_next

    def call(self, action: Send) -> httpx2.Response:
        """Send one request."""
        response = self._call_next(self.derive(action))
        if self.refreshes(response):
            response.http_response.close()
            response = self._call_next(self.derive(action))
        return self.answered(response)


class AsyncSdkDoor(SdkDoor, AsyncDoor):
    """Sends through the rest of an async client's middleware chain."""

    def __init__(
        self, call_next: AsyncCallNext, request: APIRequest, policy: RetryPolicy, client_timeout: Timeout
    ) -> None:
        super().__init__(request, policy, client_timeout)
        self._call_next = call_next

    async def call(self, action: Send) -> httpx2.Response:
        """Send one request."""
        response = await self._call_next(self.derive(action))
        if self.refreshes(response):
            await response.http_response.aclose()
            response = await self._call_next(self.derive(action))
        return self.answered(response)


def _shorter(given: float | None, policy: float) -> float:
    return policy if given is None else min(given, policy)
