"""Sends one attempt through the transport below, and makes the exceptions that the client's user expects.

The first attempt is the user's own request. A later one is the same request with another body. What a client
does above its transport (authentication, redirects) does not happen below it. So a later attempt runs through
the client's authentication once, if it is known, and follows a redirect only on the same host: the partial
answer and the key go to no other host.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, Final

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.states import Send
from resilient_stream._core.wire import sse
from resilient_stream._driver.upstream import LastWords
from resilient_stream._http import classify
from resilient_stream._http.door import IDENTITY, AsyncDoor, Door, SyncDoor

from . import timeouts
from .request import encoded

if TYPE_CHECKING:
    from httpx2 import Request, Response

    from resilient_stream._policy.model import RetryPolicy

LONGEST_CHAIN: Final = 5
"""The most redirects on one host that a later attempt follows."""

OF_THE_BODY: Final = ("content-length", "transfer-encoding", "idempotency-key")
"""Headers that are only valid for one body."""


class PassedOn(Exception):
    """The first attempt was redirected. The client handles that, so ``response`` goes back to it."""

    def __init__(self, response: Response) -> None:
        super().__init__("redirected")
        self.response = response


class TransportDoor(Door):
    """The part that the sync and the async door share.

    Args:
        request: the user's.
        policy: the stream's.
        content: the body to begin with.
        healed: whether that differs from the user's, because the history would have been refused.
        auth: the client's authentication, where the client is known.
    """

    def __init__(
        self, request: Request, policy: RetryPolicy, content: bytes, *, healed: bool, auth: Any = None
    ) -> None:
        self.package = type(request).__module__.partition(".")[0]
        self.response: Response | None = None
        """The response to the last attempt that was answered."""
        self._http: Any = sys.modules[self.package]
        self._request, self._policy, self._content = request, policy, content
        self._healed, self._auth = healed, auth
        self._wish = timeouts.wished(request.extensions)
        plain = request.extensions.get("timeout")
        known = self._wish["read"] is not None or not plain
        self.read_timeout = self._wish["read"] if known else math.inf

    # -- requests --------------------------------------------------------------------------------

    def derive(self, action: Send) -> Request:
        """The request of one attempt: the user's own, or one with another body."""
        body = action.plan.body
        content = self._content if body is None else encoded(body)
        headers = self._request.headers.copy()
        if body is not None or self._healed:
            for name in OF_THE_BODY:
                headers.pop(name, None)
            headers["content-length"] = str(len(content))
        if action.identity:
            headers.update(IDENTITY)
        timeout = timeouts.of_attempt(self._wish, self._policy.connect_timeout, action.patience)
        return self._made(
            self._request.url, headers, content, {**self._request.extensions, "timeout": timeout}
        )

    def _made(self, url: Any, headers: Any, content: bytes, extensions: Any) -> Request:
        made: Request = type(self._request)(
            self._request.method,
            url,
            headers=headers,
            stream=self._http.ByteStream(content),
            extensions=extensions,
        )
        made.read()
        return made

    def redirected(self, response: Response, request: Request) -> Request | None:
        """The next request after a redirect of a later attempt; None if the response is not a redirect.

        Raises:
            TooManyRedirects: the package's, where it leads to another host or changes the method.
        """
        if not response.has_redirect_location:
            return None
        url = request.url.join(response.headers["location"])
        origin = (request.url.scheme, request.url.host, request.url.port)
        if response.status_code not in (307, 308) or (url.scheme, url.host, url.port) != origin:
            raise self._http.TooManyRedirects(
                "a continuation is not redirected to another host, nor as another method",
                request=self._request,
            )
        return self._made(url, request.headers, request.content, request.extensions)

    def answered(self, response: Response, request: Request) -> Response:
        """Note a response. The client normally sets the request of a response, but does so only for the last
        one."""
        response.request, self.response = request, response
        return response

    def first(self, action: Send, response: Response) -> None:
        """Return the redirect of a first attempt to the client.

        Raises:
            PassedOn: it is one.
        """
        if action.number == 1 and response.has_redirect_location:
            raise PassedOn(response)

    # -- failures --------------------------------------------------------------------------------

    def failure_of(self, error: Exception, phase: Phase) -> Failure | None:
        """The failure that an exception of the package stands for."""
        return None if isinstance(error, PassedOn) else classify.of_exception(error, phase)

    def request_of(self, error: Exception) -> Request | None:
        """The request that an exception of the package names, if it has one."""
        return getattr(error, "_request", None)

    def stand_in_request(self) -> Request:
        """The user's own request."""
        return self._request

    def error_of(
        self, failure: Failure, request: Request, cause: BaseException | None, response: Response | None
    ) -> Exception:
        """The exception for what the API reported in the stream, or else the package's exception for what
        happened. An exception that follows from a status has the package's ``HTTPStatusError`` as its cause,
        with the response."""
        if failure.in_band and isinstance(failure.body, dict) and "unreadable" not in failure.body:
            return LastWords(sse.encode("error", failure.body))
        if failure.phase is not Phase.BODY and isinstance(cause, self._http.RequestError):
            raised: Any = cause
            raised.request = self._request
            known: Exception = raised
            return known
        if failure.kind in (Kind.SILENT, Kind.STALLED):
            error: Exception = self._http.ReadTimeout(_sentence(failure), request=self._request)
        elif failure.kind is Kind.CONNECT:
            error = self._http.ConnectError(_sentence(failure), request=self._request)
        else:
            error = self._http.RemoteProtocolError(_sentence(failure), request=self._request)
        if response is not None and (failure.in_band or (failure.status or 0) >= 400):
            cause = self._http.HTTPStatusError(_sentence(failure), request=self._request, response=response)
        error.__cause__ = cause
        return error

    def replace(self, http: Response) -> None:
        """Take this response to return to the client."""
        self.response = http

    def forget(self) -> None:
        """Release the response, and its request with it."""
        self.response = None


class SyncTransportDoor(TransportDoor, SyncDoor):
    """Sends through a sync transport."""

    def __init__(self, transport: Any, *args: Any, **known: Any) -> None:
        super().__init__(*args, **known)
        self._transport = transport

    def call(self, action: Send) -> Response:
        """Send one request. A later one has the client's authentication."""
        request = self.derive(action)
        if action.number == 1 or self._auth is None:
            return self._sent(action, request)
        flow = self._auth.sync_auth_flow(request)
        try:
            request = next(flow)
            while True:
                response = self._sent(action, request)
                try:
                    request = flow.send(response)
                except StopIteration:
                    return response
                response.close()
        finally:
            flow.close()

    def _sent(self, action: Send, request: Request) -> Response:
        for _ in range(LONGEST_CHAIN):
            response = self.answered(self._transport.handle_request(request), request)
            self.first(action, response)
            following = self.redirected(response, request)
            if following is None:
                return response
            response.close()
            request = following
        raise self._http.TooManyRedirects("too many redirects of a continuation", request=self._request)


class AsyncTransportDoor(TransportDoor, AsyncDoor):
    """Sends through an async transport."""

    def __init__(self, transport: Any, *args: Any, **known: Any) -> None:
        super().__init__(*args, **known)
        self._transport = transport

    async def call(self, action: Send) -> Response:
        """Send one request. A later one has the client's authentication."""
        request = self.derive(action)
        if action.number == 1 or self._auth is None:
            return await self._sent(action, request)
        flow = self._auth.async_auth_flow(request)
        try:
            request = await anext(flow)
            while True:
                response = await self._sent(action, request)
                try:
                    request = await flow.asend(response)
                except StopAsyncIteration:
                    return response
                await response.aclose()
        finally:
            await flow.aclose()

    async def _sent(self, action: Send, request: Request) -> Response:
        for _ in range(LONGEST_CHAIN):
            response = self.answered(await self._transport.handle_async_request(request), request)
            self.first(action, response)
            following = self.redirected(response, request)
            if following is None:
                return response
            await response.aclose()
            request = following
        raise self._http.TooManyRedirects("too many redirects of a continuation", request=self._request)


def _sentence(failure: Failure) -> str:
    return f"The stream broke ({failure.kind}{': ' + failure.detail if failure.detail else ''})."
