"""Converts between failures and the exceptions that users already catch: the SDK's own.

Silence and stalls are `APITimeoutError`. Other broken connections are `APIConnectionError`. An error that the
API reported is the `APIStatusError` of the status that belongs to its ``error.type``, in the middle of a
stream as well as before. `report(error)` has what was received and what was tried.
"""

from __future__ import annotations

import anthropic
import httpx2

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._http import classify

from . import private_api


def failure_of(error: BaseException, phase: Phase) -> Failure | None:
    """The failure that an exception stands for, as the SDK may have wrapped it; None if it is not a failure
    of the transport."""
    if isinstance(error, anthropic.AnthropicError) and not isinstance(error, anthropic.APIConnectionError):
        return None
    return classify.of_exception(error, phase, (anthropic.APITimeoutError, Kind.SILENT, None))


def error_of(
    failure: Failure,
    request: httpx2.Request,
    cause: BaseException | None,
    client: object,
    response: httpx2.Response | None,
) -> Exception:
    """The exception for ``failure``.

    Args:
        failure: what happened.
        request: the request that it happened to.
        cause: the exception that showed the failure, if any.
        client: whose class of exception it should be, if that is known.
        response: the response for the exception; None if there was none.
    """
    if isinstance(cause, anthropic.APIConnectionError):
        return cause
    if failure.kind in (Kind.SILENT, Kind.STALLED):
        error: Exception = anthropic.APITimeoutError(request)
    elif response is not None and (failure.in_band or (failure.status or 0) >= 400):
        error = _status_error(failure, client, response)
    else:
        error = anthropic.APIConnectionError(message=_sentence(failure), request=request)
    error.__cause__ = cause
    return error


def _status_error(failure: Failure, client: object, response: httpx2.Response) -> Exception:
    if not failure.in_band:
        return private_api.status_error_of(client, response)
    message = f"{failure.said or failure.detail}"
    return private_api.make_status_error(client, message, body=failure.said, response=response)


def _sentence(failure: Failure) -> str:
    return f"The stream broke ({failure.kind}{': ' + failure.detail if failure.detail else ''})."
