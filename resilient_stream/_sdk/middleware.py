"""The SDK's middleware, which makes one stream of several attempts.

Middleware runs inside the SDK's retry loop, once for each attempt of the SDK, and the body is read after it
has returned. So it does two things.

Before the headers, it makes the attempts of a stream within one call of the chain. It returns a final failure
to the SDK in a form that the SDK's loop does not retry. An error response gets ``x-should-retry: false``. A
failure without a response becomes an error response whose body raises the real exception when the SDK reads
it. So does an error response to which a note has to be added, unless other middleware may want to see it.

After the headers, a driver takes the place of the response's byte stream, and reads on through any number of
attempts.

Only ``POST /v1/messages`` with a stream is resumed. Every request to it, and every request to count its
tokens, has its history healed. Everything else passes unchanged.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeVar, cast

import httpx2
from anthropic import (
    APIRequest,
    APIResponse,
    AsyncAPIResponse,
    AsyncCallNext,
    CallNext,
    Middleware,
    not_given,
)

from resilient_stream._core.failures import Failure
from resilient_stream._core.loop.states import Raise
from resilient_stream._core.wire.safe_json import identifier
from resilient_stream._driver.async_driver import AsyncDriver
from resilient_stream._driver.runtime import Runtime
from resilient_stream._driver.sync_driver import Driver
from resilient_stream._http.async_exchange import AsyncExchange
from resilient_stream._http.attach import GIVEN_UP
from resilient_stream._http.body import take_over
from resilient_stream._http.dialect import dialect
from resilient_stream._http.exchange import SyncExchange
from resilient_stream._policy import scope as _scope
from resilient_stream._policy.model import RetryPolicy
from resilient_stream._session.context import StreamContext
from resilient_stream._session.layer import Layer

from . import journaling as _journaling
from . import private_api
from .bedrock import framed_for
from .door import AsyncSdkDoor, SdkDoor, SyncSdkDoor, Timeout
from .wrapped import wrapped

if TYPE_CHECKING:
    from resilient_stream._journal.journal import Journal

NOT_RETRIED: Final = {"x-should-retry": "false"}
STATUS_OF_NO_RESPONSE: Final = 503
"""The status of the error response that stands for a failure without a response. Only outer middleware sees
it."""


class ResumeMiddleware(Middleware):
    """Middleware of the SDK that continues the streams of a client when they break.

    Give it last in ``middleware``, so that it is the innermost and the others see whole streams.

    Args:
        policy: a `RetryPolicy`, the name of a preset, or None for the defaults. ``RESILIENT_STREAM``
            in the environment (``off``, ``observe``) overrides it.
        client_timeout: the timeout of the client, needed if another middleware is further in, because the
            client can't be seen then. `resilient` fills it in.
        journal: where the streams that have a key are kept; None for nowhere.
        runtime: clocks and randomness, for tests.
    """

    def __init__(
        self,
        policy: RetryPolicy | str | None = None,
        *,
        client_timeout: Timeout = not_given,
        journal: Journal | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        self._layer = Layer(_scope.resolved(policy), runtime)
        self._client_timeout = client_timeout
        self._journal = journal

    @property
    def policy(self) -> RetryPolicy:
        """The policy of streams for which no other is chosen."""
        return self._layer.policy

    def handle(self, request: APIRequest, call_next: CallNext) -> APIResponse[Any]:
        """Serve one call of a sync client."""
        request, context = self._begin(request, call_next)
        if context is None:
            return call_next(request)
        door = SyncSdkDoor(call_next, request, context.policy, self._timeout(call_next))
        exchange = SyncExchange(door, context)
        asked = _journaling.asked(request, context, self._journal)
        session = None
        if self._journal is not None and asked is not None:
            session = self._journal.entrance.enter(asked, context)
        if session is None:
            driver = Driver(context.machine(exchange.error_for), exchange, context.runtime, context.watch)
        elif session.fresh:
            driver = session.driver(exchange)
        else:
            body = session.replay(exchange)
            replayed: APIResponse[Any] = _journaling.replayed(APIResponse, session, body, request, call_next)
            return replayed
        failed = driver.open()
        response: APIResponse[Any] = _result(APIResponse, door, failed, request, call_next)
        if failed is None:
            take_over(response.http_response, framed_for(response.http_response, driver), sync=True)
        return response

    async def handle_async(self, request: APIRequest, call_next: AsyncCallNext) -> AsyncAPIResponse[Any]:
        """Serve one call of an async client."""
        request, context = self._begin(request, call_next)
        if context is None:
            return await call_next(request)
        door = AsyncSdkDoor(call_next, request, context.policy, self._timeout(call_next))
        exchange = AsyncExchange(door, context)
        asked = _journaling.asked(request, context, self._journal)
        session = None
        if self._journal is not None and asked is not None:
            session = await self._journal.entrance.aenter(asked, context)
        if session is None:
            driver = AsyncDriver(
                context.machine(exchange.error_for), exchange, context.runtime, context.watch
            )
        elif session.fresh:
            driver = session.adriver(exchange)
        else:
            body = session.areplay(exchange)
            replayed: AsyncAPIResponse[Any] = _journaling.replayed(
                AsyncAPIResponse, session, body, request, call_next
            )
            return replayed
        failed = await driver.open()
        response: AsyncAPIResponse[Any] = _result(AsyncAPIResponse, door, failed, request, call_next)
        if failed is None:
            take_over(response.http_response, framed_for(response.http_response, driver), sync=False)
        return response

    def _begin(self, request: APIRequest, call_next: object) -> tuple[APIRequest, StreamContext | None]:
        """The request with a healed history, and the context of its stream; None as the context if it is not
        protected."""
        layer, path = self._layer.chosen(request.headers.get(_scope.HEADER)), _path(request)
        healed = layer.healed(path, request.json)
        if healed is not None:
            request = request.copy(body=healed)
        body = request.json
        if layer.why_not(method=request.method, path=path, streams=request.stream, body=body) is not None:
            return request, None
        client = private_api.client_of(call_next)
        if client is not None:
            private_api.decode_whole_frames(client)
        url = None if client is None else client.base_url
        whole = {**cast("Mapping[str, Any]", body), **private_api.extra_json(request)}
        return request, layer.begin(whole, url=url, provider=private_api.provider_name(client))

    def _timeout(self, call_next: object) -> Timeout:
        client = private_api.client_of(call_next)
        return self._client_timeout if client is None else client.timeout


class _Client(Protocol):
    """What `resilient` needs of a client. Every client class of the SDK has it."""

    @property
    def middleware(self) -> tuple[Any, ...]: ...
    @property
    def timeout(self) -> Any: ...
    def with_options(self, *, middleware: Any) -> Self: ...


ClientT = TypeVar("ClientT", bound=_Client)


def resilient(
    client: ClientT, policy: RetryPolicy | str | None = None, *, journal: Journal | None = None
) -> ClientT:
    """Return a client of the same type whose streams are continued when they break.

    It shares the connections of ``client``, which is not changed. The client's ``max_retries`` does not apply
    to streams; its timeouts do if they are shorter than the policy's. A client that is already resilient gets
    the new policy instead of a second layer.

    Args:
        client: any client of the SDK, sync or async.
        policy: a `RetryPolicy`, the name of a preset ("interactive", "batch", "agent", "observe",
            "off"), or None for the defaults.
        journal: where the streams that have a key are kept; None for nowhere.

    Raises:
        PolicyError: there is no such preset, or ``RESILIENT_STREAM`` has a value it can't have.
        TypeError: ``client`` is not a client of the SDK, or is a class.
    """
    _check_client(client)
    others = [entry for entry in client.middleware if not isinstance(entry, ResumeMiddleware)]
    ours = ResumeMiddleware(policy, client_timeout=client.timeout, journal=journal)
    # Any middleware makes the SDK send a header of its own, so "off" means no middleware.
    return client.with_options(middleware=[*others, ours] if ours.policy.enabled else others)


def _check_client(client: object) -> None:
    if isinstance(client, type):
        raise TypeError(f"should be a client, not its class: resilient({client.__name__}(...))")
    if not all(hasattr(client, name) for name in ("middleware", "timeout", "with_options")):
        raise TypeError(f"should be a client of the anthropic SDK; not {type(client).__name__}")


def _path(request: APIRequest) -> str:
    """The path of a request. Here it is ``/v1/messages`` for every client class, because hosts with other
    paths are addressed further in. A user's own ``client.post`` may have a whole URL."""
    return request.url.partition("?")[0]


def _result(
    wrapper: type[Any], door: SdkDoor, failed: Raise | None, request: APIRequest, call_next: object
) -> Any:
    """What is returned to the SDK: the first good response, or a failure in a form that is not retried."""
    response, door.response = door.response, None
    if failed is None:
        return response
    error, status = failed.error, STATUS_OF_NO_RESPONSE
    if response is not None and _told_by(response.http_response, failed.failure):
        notes, client = getattr(error, "__notes__", ()), private_api.client_of(call_next)
        if not notes or client is None or len(client.middleware) > 1:
            response.http_response.headers.update(NOT_RETRIED)
            return response  # the SDK makes its own error of it, and others may want to look at it first
        error, status = _noted(client, response.http_response, notes), response.http_response.status_code
    http2 = dialect("httpx2")
    stream = http2.sync_stream if wrapper is APIResponse else http2.async_stream
    raising = httpx2.Response(
        status,
        headers=NOT_RETRIED,
        stream=stream(_RaisingBody(error)),
        request=getattr(error, "request", None),
        extensions={GIVEN_UP: True},
    )
    return wrapped(wrapper, raising, request, None)


def _noted(client: object, response: httpx2.Response, notes: Iterable[str]) -> Exception:
    """The error that the SDK makes from a response, with our notes added."""
    error = private_api.status_error_of(client, response)
    for note in notes:
        error.add_note(note)
    return error


def _told_by(response: httpx2.Response, failure: Failure) -> bool:
    """Whether ``failure`` is what this error response says, and not an earlier failure."""
    request_id = identifier(response.headers.get("request-id"))
    same = (response.status_code, request_id) == (failure.status, failure.request_id)
    return same and not response.is_success


class _RaisingBody:
    """The body of an error response that was not received: reading it raises the real failure."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        raise self._error

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise self._error

    def close(self) -> None:
        """Nothing to close."""

    async def aclose(self) -> None:
        """Nothing to close."""
