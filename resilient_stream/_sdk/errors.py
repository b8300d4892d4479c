"""Between failures and the exceptions that users already catch: the SDK's own.

Silence and stalls are `APITimeoutError`; other broken connections are `APIConnectionError`; what
the API said is the `APIStatusError` of the status that its ``error.type`` stands for, mid-stream as
well as before. What was received and what was tried hang on the exception: `report(error)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anthropic
import httpx2

from resilient_stream._core.failures import Failure, Kind, Phase, status_of_error
from resilient_stream._http import classify

from . import private_api


def failure_of(error: BaseException, phase: Phase) -> Failure | None:
    """The failure that an exception stands for, as the SDK may have wrapped it; None if it is no failure of
    the transport."""
    if isinstance(error, anthropic.AnthropicError) and not isinstance(error, anthropic.APIConnectionError):
        return None
    return classify.of_exception(error, phase, (anthropic.APITimeoutError, Kind.SILENT, None))


def error_of(
    failure: Failure,
    request: httpx2.Request,
    cause: BaseException | None,
    client: object,
    *,
    answered: bool,
) -> Exception:
    """The exception that raising ``failure`` means.

    Args:
        failure: what happened.
        request: the request that it happened to.
        cause: the exception it was noticed by, if any.
        client: whose class of exception it should be, if that is known.
        answered: whether a response was seen.
    """
    if isinstance(cause, anthropic.APIConnectionError):
        return cause
    if failure.kind in (Kind.SILENT, Kind.STALLED):
        error: Exception = anthropic.APITimeoutError(request)
    elif answered and (failure.in_band or (failure.status or 0) >= 400):
        error = _status_error(failure, request, client)
    else:
        error = anthropic.APIConnectionError(message=_sentence(failure), request=request)
    error.__cause__ = cause
    return error


def _status_error(failure: Failure, request: httpx2.Request, client: object) -> Exception:
    told = failure.body.get("error") if isinstance(failure.body, Mapping) else {"type": failure.detail}
    status = status_of_error(told) if failure.in_band else failure.status
    named = {"request-id": failure.request_id} if failure.request_id else {}
    headers = httpx2.Headers(named, encoding="utf-8")  # a header may hold any bytes
    response = httpx2.Response(status or 500, headers=headers, request=request)
    body: Any = failure.body
    if isinstance(body, Mapping) and "unreadable" in body:
        body = body["unreadable"]
    message = f"{body or failure.detail}"
    return private_api.make_status_error(client, message, body=body, response=response)


def _sentence(failure: Failure) -> str:
    return f"The stream broke ({failure.kind}{': ' + failure.detail if failure.detail else ''})."
