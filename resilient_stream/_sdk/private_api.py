"""Every access to a private name of the SDK, each with a fallback.

Each function says which name it uses, why no public name will do, in which versions it exists, and what
happens without it. No function raises because a name is missing: a new release of the SDK that renames one
must not break a stream. ``tests/sdk/test_private_api.py`` renames them one by one.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

import anthropic

from .decoder import WholeFrames
from .whole_frame import event_class

if TYPE_CHECKING:
    from anthropic import APIRequest
    from httpx2 import URL, Response

SEEN_IN: Final = ("1.0", "2.11", "2.14")
"""The versions of the SDK in which all of it was found."""

_CLASSES: Final[Mapping[int, str]] = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    413: "RequestTooLargeError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    529: "OverloadedError",
}
"""The SDK's public exceptions by status."""


class Client(Protocol):
    """The public attributes of a client that are used."""

    @property
    def base_url(self) -> URL: ...
    @property
    def timeout(self) -> Any: ...
    @property
    def middleware(self) -> tuple[Any, ...]: ...


def client_of(call_next: object) -> Client | None:
    """The client that sends a request, from the closure of the SDK's last handler, if no other middleware is
    between.

    A copy of a client (``with_options``) shares its middleware, and a request does not say whose it is. None
    if it can't be found, for instance behind another middleware: then the timeouts are those that `resilient`
    saw, and the provider is known once a request is made.
    """
    for cell in getattr(call_next, "__closure__", None) or ():
        try:
            found = cell.cell_contents
        except ValueError:  # the cell is empty
            continue
        if all(hasattr(type(found), name) for name in ("base_url", "middleware", "with_options")):
            client: Client = found
            return client
    return None


def client_of_response(response: object) -> object:
    """The client that a response came through: ``APIResponse._client``.

    Used for the exceptions and the decoder that belong to the client. None if it can't be found: then
    exceptions are made from their public classes.
    """
    return getattr(response, "_client", None)


def make_status_error(
    client: object, message: str, *, body: object, response: Response
) -> anthropic.APIStatusError:
    """The client's exception for a status: ``client._make_status_error``, with which the SDK makes the errors
    of its own streams.

    It knows more classes than there are statuses. Without it the public class of the status is raised.
    """
    make = getattr(client, "_make_status_error", None)
    if make is not None:
        error: anthropic.APIStatusError = make(message, body=body, response=response)
        return error
    status = response.status_code
    name = _CLASSES.get(status, "InternalServerError" if status >= 500 else "APIStatusError")
    kind: type[anthropic.APIStatusError] = getattr(anthropic, name, anthropic.APIStatusError)
    return kind(message, response=response, body=body)


def status_error_of(client: object, response: Response) -> anthropic.APIStatusError:
    """The exception that the SDK will make of an error response whose body was read:
    ``client._make_status_error_from_response``.

    Used to put a note on it. Without it the message is built as the SDK builds it.
    """
    make = getattr(client, "_make_status_error_from_response", None)
    if make is not None:
        error: anthropic.APIStatusError = make(response)
        return error
    body: object = response.text.strip()
    try:
        body = response.json()
        message = f"Error code: {response.status_code} - {body}"
    except ValueError:
        message = str(body) or f"Error code: {response.status_code}"
    return make_status_error(client, message, body=body, response=response)


def refreshes_credential(client: object, response: Response) -> bool:
    """Whether the client wants a request that was answered with 401 sent again, with a new credential:
    ``client._should_retry``, asked as for a first request.

    The SDK asks it in its own loop, for a request whose ``x-stainless-retry-count`` is 0. A client that can
    get a new credential (``credentials=``, ``config=``, ``profile=``, workload identity) drops its token then
    and returns True. The others return False, and so do those of the clouds, which get a token before each
    request. Without it the 401 is final.
    """
    decide = getattr(client, "_should_retry", None)
    if decide is None:
        return False
    request = response.request
    first = type(request)(request.method, request.url, headers={"x-stainless-retry-count": "0"})
    return bool(decide(type(response)(response.status_code, request=first)))


def sse_decoder(client: object) -> Any:
    """The decoder of a client whose replies are not server-sent events: ``client._make_sse_decoder()``.

    The older Bedrock client uses AWS's event stream. None without it: then the frames are decoded here.
    """
    make = getattr(client, "_make_sse_decoder", None)
    return None if make is None else make()


def decode_whole_frames(client: object) -> None:
    """Have the replies of a client decoded by `WholeFrames`: its ``_make_sse_decoder`` is replaced if it is
    the SDK's own for server-sent events. The new one uses ``SSEDecoder`` and ``ServerSentEvent`` from the
    module that defines ``Stream``.

    A copy of the client (``with_options``) has the SDK's again. Without one of these names, or if the SDK's
    event is not as it was (`event_class`), the SDK's decoder stays, which takes longer.
    """
    module, name = sys.modules[anthropic.Stream.__iter__.__module__], "_make_sse_decoder"
    make, own = getattr(type(client), name, None), getattr(anthropic.Anthropic, name, None)
    decoder, theirs = getattr(module, "SSEDecoder", None), getattr(module, "ServerSentEvent", None)
    event = None if theirs is None else event_class(theirs)
    if make is own is not None and decoder is not None and event is not None:
        vars(client)[name] = lambda: WholeFrames(decoder(), event)


def provider_name(client: object) -> str | None:
    """The provider of a client, as the SDK's own spans name it: ``client._gen_ai_provider_name``, since 2.11.

    None without it: then it is derived from the host.
    """
    known = getattr(client, "_gen_ai_provider_name", None)
    return known if isinstance(known, str) else None


def extra_json(request: APIRequest) -> Mapping[str, Any]:
    """The fields that ``extra_body`` adds to a request: ``request.options.extra_json``. The options are
    public; their class is not. Empty without it: then continuations lack those fields."""
    extra = getattr(request.options, "extra_json", None)
    return extra if isinstance(extra, Mapping) else {}
