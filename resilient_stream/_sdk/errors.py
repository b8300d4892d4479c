"""Failures to the exceptions that users already catch: the SDK's own.

Silence and stalls are `APITimeoutError`; other broken connections are `APIConnectionError`; what
the API said is the `APIStatusError` of the status that its ``error.type`` stands for, mid-stream as
well as before. What was received and what was tried hang on the exception: `report(error)`.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import anthropic
import httpx2

from resilient_stream._core.failures import Failure, Kind

STATUS_OF_TYPE: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""``error.type`` to the status it has outside a stream [platform docs, "Errors"]."""

_TRANSPORT: Final = ("resilient_stream", "httpx2", "httpcore2", "h11", "h2", "anyio")
"""Packages whose frames are over when a body has failed."""

MakeStatusError = Callable[..., anthropic.APIStatusError]


def error_of(
    failure: Failure,
    request: httpx2.Request,
    cause: BaseException | None,
    make_status_error: MakeStatusError | None,
) -> Exception:
    """The exception that raising ``failure`` means.

    Args:
        failure: what happened.
        request: the request that it happened to.
        cause: the exception it was noticed by, if any.
        make_status_error: the client's own constructor of status errors, if a response was seen.
    """
    if isinstance(cause, anthropic.APIConnectionError):
        return cause
    if failure.kind in (Kind.SILENT, Kind.STALLED):
        error: Exception = anthropic.APITimeoutError(request)
    elif make_status_error is not None and (failure.in_band or (failure.status or 0) >= 400):
        error = _status_error(failure, request, make_status_error)
    else:
        error = anthropic.APIConnectionError(message=_sentence(failure), request=request)
    error.__cause__ = cause
    return error


def lighten(links: Iterable[BaseException], request: httpx2.Request) -> None:
    """Have exceptions of a transport, which are kept while the next attempt runs, hold on to nothing large.

    The frames of what is over have the connection, and the body of a request that may have been a
    continuation. Nobody else's frames are touched.

    Args:
        links: what was raised and what it was made from.
        request: the one that the user wrote; a transport's exception names it in place of ours.
    """
    for link in links:
        if isinstance(link, httpx2.RequestError):
            link.request = request
        for frame, _ in traceback.walk_tb(link.__traceback__):
            if str(frame.f_globals.get("__name__")).partition(".")[0] in _TRANSPORT:
                with contextlib.suppress(RuntimeError):  # it still runs
                    frame.clear()


def _status_error(failure: Failure, request: httpx2.Request, make: MakeStatusError) -> Exception:
    status = failure.status if not failure.in_band else STATUS_OF_TYPE.get(failure.detail, 500)
    headers = {"request-id": failure.request_id} if failure.request_id else {}
    response = httpx2.Response(status or 500, headers=headers, request=request)
    body: Any = failure.body
    if isinstance(body, Mapping) and "unreadable" in body:
        body = body["unreadable"]
    return make(f"{body or failure.detail}", body=body, response=response)


def _sentence(failure: Failure) -> str:
    return f"The stream broke ({failure.kind}{': ' + failure.detail if failure.detail else ''})."
