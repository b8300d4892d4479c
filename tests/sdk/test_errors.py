"""From failures to the exceptions that users catch."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx2
import pytest

from resilient_stream._core.failures import STATUS_OF_ERROR_TYPE, Failure, Kind, Phase, kind_of_error
from resilient_stream._http.answer import Answer
from resilient_stream._sdk.errors import error_of

REQUEST = httpx2.Request("POST", "http://api.test/v1/messages")
OTHER = httpx2.Request("POST", "http://api.test/v1/messages", content=b"a continuation")
CLIENT = anthropic.Anthropic(api_key="k")
CANARY = "sparrow"

CLASSES: dict[Kind, type[anthropic.APIError]] = {
    Kind.CONNECT: anthropic.APIConnectionError,
    Kind.TLS_VERIFY: anthropic.APIConnectionError,
    Kind.CLOSED: anthropic.APIConnectionError,
    Kind.RESET: anthropic.APIConnectionError,
    Kind.SILENT: anthropic.APITimeoutError,
    Kind.STALLED: anthropic.APITimeoutError,
    Kind.TRUNCATED: anthropic.APIConnectionError,
    Kind.CORRUPT: anthropic.APIConnectionError,
    Kind.PROTOCOL: anthropic.APIConnectionError,
    Kind.OVERLOADED: anthropic.OverloadedError,
    Kind.RATE_LIMITED: anthropic.RateLimitError,
    Kind.API_ERROR: anthropic.InternalServerError,
    Kind.TIMEOUT_ERROR: anthropic.InternalServerError,
    Kind.REJECTED: anthropic.BadRequestError,
    Kind.BUDGET: anthropic.APIConnectionError,
    Kind.CANCELLED: anthropic.APIConnectionError,
}
"""What each kind is caught as."""

STATUS = {
    Kind.OVERLOADED: 529,
    Kind.RATE_LIMITED: 429,
    Kind.API_ERROR: 500,
    Kind.TIMEOUT_ERROR: 504,
    Kind.REJECTED: 400,
}
"""The statuses of the kinds that have one."""

TYPES = {
    "invalid_request_error": (400, anthropic.BadRequestError),
    "authentication_error": (401, anthropic.AuthenticationError),
    "billing_error": (402, anthropic.APIStatusError),
    "permission_error": (403, anthropic.PermissionDeniedError),
    "not_found_error": (404, anthropic.NotFoundError),
    "conflict_error": (409, anthropic.ConflictError),
    "request_too_large": (413, anthropic.RequestTooLargeError),
    "rate_limit_error": (429, anthropic.RateLimitError),
    "api_error": (500, anthropic.InternalServerError),
    "timeout_error": (504, anthropic.InternalServerError),
    "overloaded_error": (529, anthropic.OverloadedError),
    "a_new_error": (500, anthropic.InternalServerError),
    "unreadable error": (500, anthropic.InternalServerError),
}
"""In-band error types, as they are caught."""


def raised(
    failure: Failure, cause: BaseException | None = None, *, answered: bool = True, page: str | None = None
) -> Exception:
    """The exception, with or without a response having been seen; ``page`` is what an error response says."""
    headers = {"request-id": failure.request_id} if failure.request_id else {}
    text = page if page is not None else json.dumps(failure.body) if failure.body else ""
    http = httpx2.Response(
        failure.status or 200, headers=httpx2.Headers(headers, encoding="utf-8"), text=text, request=OTHER
    )
    response = Answer(http).response(failure, REQUEST) if answered else None
    return error_of(failure, REQUEST, cause, CLIENT, response)


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_is_raised_as_one_class_of_the_sdks(kind: Kind) -> None:
    """An ``except`` clause written for the bare SDK catches every failure there is."""
    error = raised(Failure(kind, Phase.BODY, detail="word", status=STATUS.get(kind)))
    assert isinstance(error, CLASSES[kind])
    assert isinstance(error, anthropic.APITimeoutError) == (CLASSES[kind] is anthropic.APITimeoutError)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in STATUS])
@pytest.mark.parametrize("answered", [False, True])
def test_a_broken_wire_is_no_status(kind: Kind, answered: bool) -> None:
    """What nobody said has no status, even where an earlier attempt was answered."""
    error = raised(Failure(kind, Phase.BODY, detail="word"), answered=answered)
    assert isinstance(error, anthropic.APIConnectionError)
    assert error.request is REQUEST


@pytest.mark.parametrize("error_type", TYPES)
def test_an_in_band_error_has_the_status_it_has_outside(error_type: str) -> None:
    """``except OverloadedError`` works in mid-stream, where the wire's status is 200."""
    body: dict[str, Any] = {"type": "error", "error": {"type": error_type, "message": "Sorry."}}
    kind = kind_of_error(body["error"])
    error = raised(Failure(kind, Phase.BODY, in_band=True, detail=error_type, status=200, body=body))
    status, wanted = TYPES[error_type]
    assert isinstance(error, anthropic.APIStatusError)
    assert isinstance(error, wanted)
    assert (error.status_code, error.body) == (status, body)


def test_every_error_type_that_is_known_is_looked_at_here() -> None:
    """No error type of the API's is left to the default."""
    assert set(STATUS_OF_ERROR_TYPE) < set(TYPES)


def test_an_error_of_a_gateway_has_the_status_of_its_code() -> None:
    """And its words are in the message and the body, as the gateway told them."""
    body = {"error": {"message": "Your credit balance is too low", "type": "None", "code": "402"}}
    error = raised(Failure(Kind.REJECTED, Phase.BODY, in_band=True, detail="None", body=body))
    assert isinstance(error, anthropic.APIStatusError)
    assert (error.status_code, error.body) == (402, body)
    assert "credit balance" in error.message


def test_a_long_error_has_the_status_of_its_type() -> None:
    """Its words are not kept; its type is."""
    error = raised(Failure(Kind.OVERLOADED, Phase.BODY, in_band=True, detail="overloaded_error"))
    assert isinstance(error, anthropic.OverloadedError)


def test_a_status_error_carries_what_the_api_said() -> None:
    """The body, the request's id and the response are where the SDK puts them."""
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    failure = Failure(Kind.OVERLOADED, Phase.HEADERS, detail="x", status=529, request_id="req_7", body=body)
    error = raised(failure)
    assert isinstance(error, anthropic.OverloadedError)
    assert (error.request_id, error.body, error.response.status_code) == ("req_7", body, 529)
    assert error.response.request is REQUEST
    assert error.message == f"Error code: 529 - {body}"  # as the SDK says it of a first request


@pytest.mark.parametrize("request_id", ["", "\xff\xfe", "\u6f6e", "x" * 5000])
def test_any_bytes_may_stand_in_a_request_id(request_id: str) -> None:
    """A header holds what it likes; the exception is the one of the status."""
    failure = Failure(Kind.OVERLOADED, Phase.HEADERS, detail="x", status=529, request_id=request_id)
    error = raised(failure)
    assert isinstance(error, anthropic.OverloadedError)
    assert error.request_id == (request_id or None)


@pytest.mark.parametrize("page", ["", " "])
def test_a_status_error_without_a_page_says_its_status(page: str) -> None:
    """A message is never empty."""
    failure = Failure(Kind.API_ERROR, Phase.HEADERS, detail="status 502", status=502, body=page)
    error = raised(failure, page=page)
    assert isinstance(error, anthropic.APIStatusError)
    assert error.message == "Error code: 502"
    assert error.request_id is None


def test_an_unreadable_error_event_is_quoted_as_it_came() -> None:
    """What a proxy wrote in the place of an error event is shown, as the bare SDK does."""
    failure = Failure(
        Kind.API_ERROR,
        Phase.BODY,
        in_band=True,
        detail="unreadable error",
        body={"unreadable": "upstream down"},
    )
    error = raised(failure)
    assert isinstance(error, anthropic.InternalServerError)
    assert (error.message, error.body) == ("upstream down", "upstream down")


def test_a_status_without_a_response_is_a_broken_wire() -> None:
    """Without a client's own constructor there is still an exception to catch."""
    error = raised(Failure(Kind.API_ERROR, Phase.HEADERS, status=500), answered=False)
    assert type(error) is anthropic.APIConnectionError


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("cause", [httpx2.ReadError("[Errno 104]"), None])
def test_the_cause_is_kept(kind: Kind, cause: Exception | None) -> None:
    """The exception by which a failure was noticed hangs on the one that is raised."""
    failure = Failure(kind, Phase.BODY, status=STATUS.get(kind))
    assert raised(failure, cause).__cause__ is cause


@pytest.mark.parametrize(
    "own", [anthropic.APIConnectionError(request=REQUEST), anthropic.APITimeoutError(request=REQUEST)]
)
def test_the_sdks_own_exception_is_raised_as_it_is(own: anthropic.APIConnectionError) -> None:
    """What the SDK raised before the head is not wrapped a second time."""
    assert raised(Failure(Kind.CONNECT, Phase.CONNECT), own) is own


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in STATUS])
def test_no_message_holds_more_than_the_kind_and_its_word(kind: Kind) -> None:
    """What was cut off, or what an exception quotes, stays out of the text that goes to logs."""
    failure = Failure(kind, Phase.BODY, detail="word", body=CANARY)
    error = raised(failure, httpx2.RemoteProtocolError(CANARY))
    assert CANARY not in str(error)
    assert CANARY not in repr(error)
    if CLASSES[kind] is anthropic.APIConnectionError:
        assert str(error) == f"The stream broke ({kind}: word)."
        assert str(raised(Failure(kind, Phase.BODY))) == f"The stream broke ({kind})."
