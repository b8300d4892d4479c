"""One attempt through the transport below."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import httpx
import httpx2
import pytest

from resilient_stream import RetryPolicy
from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.states import Send
from resilient_stream._core.plan.planner import Form, Plan
from resilient_stream._driver.upstream import LastWords
from resilient_stream._transport.door import (
    LONGEST_CHAIN,
    AsyncTransportDoor,
    PassedOn,
    SyncTransportDoor,
)

PACKAGES = pytest.mark.parametrize("package", [httpx, httpx2])
BOTH = pytest.mark.parametrize("kind", [SyncTransportDoor, AsyncTransportDoor], ids=["sync", "async"])
BODY = {"model": "m"}
URL = "http://api.test/v1/messages"
FIRST = Send(Plan(Form.FIRST), 1, 300.0, 300.0)
LATER = Send(Plan(Form.USER_TURN, BODY), 2, 300.0, 300.0)


def request(package: Any = httpx, **options: Any) -> Any:
    """The user's."""
    return package.Request("POST", URL, content=b"{}", **options)


def door(answers: Any, kind: Any = SyncTransportDoor, package: Any = httpx, **options: Any) -> Any:
    """A door over a transport that answers in turn, and notes what it was asked."""
    asked: list[Any] = []

    def answer(given: Any) -> Any:
        asked.append(given)
        return answers.pop(0)

    known = {"healed": False, **options}
    given = known.pop("request", None) or request(package)
    made = kind(package.MockTransport(answer), given, RetryPolicy(), b"{}", **known)
    made.asked = asked
    return made


def call(made: Any, action: Send) -> Any:
    """Send, whichever world the door is of."""
    result = made.call(action)
    if not inspect.iscoroutine(result):
        return result

    async def wait() -> Any:
        return await result

    return asyncio.run(wait())


@PACKAGES
def test_the_first_attempt_is_the_users_request(package: Any) -> None:
    """The same method, address, headers and bytes; the policy's timeouts; the response names it."""
    given = request(package, headers={"Idempotency-Key": "1", "X-Own": "2"})
    made = door([package.Response(200)], package=package, request=given)
    response = call(made, FIRST)
    (sent,) = made.asked
    assert (sent.method, sent.url, sent.headers.raw, sent.content) == (
        "POST",
        given.url,
        given.headers.raw,
        b"{}",
    )
    assert sent.extensions["timeout"]["connect"] == RetryPolicy().connect_timeout
    assert response.request is sent
    assert "timeout" not in given.extensions


@PACKAGES
def test_a_later_attempt_has_another_body(package: Any) -> None:
    """Its length is true, and a key for identical bodies stays behind."""
    given = request(package, headers={"Idempotency-Key": "1", "X-Own": "2"})
    made = door([package.Response(200)], package=package, request=given)
    call(made, LATER)
    (sent,) = made.asked
    assert (sent.content, sent.headers["content-length"], sent.headers["x-own"]) == (
        b'{"model":"m"}',
        "13",
        "2",
    )
    assert "idempotency-key" not in sent.headers


def test_a_healed_body_has_its_own_length() -> None:
    """Though it is the first."""
    made = door([httpx.Response(200)], healed=True, request=httpx.Request("POST", URL, content=b"longer"))
    call(made, FIRST)
    assert made.asked[0].headers["content-length"] == "2"


@BOTH
def test_the_redirect_of_a_first_attempt_goes_to_the_client(kind: Any) -> None:
    """As it came, and as no failure."""
    moved: Any = httpx.Response(302, headers={"location": "/b"})
    made = door([moved], kind)
    with pytest.raises(PassedOn) as passed:
        call(made, FIRST)
    assert passed.value.response is moved
    assert made.failure_of(passed.value, Phase.HEADERS) is None


@BOTH
@pytest.mark.parametrize(
    ("status", "location"),
    [(307, "http://other.test/"), (307, "https://api.test/"), (307, "http://api.test:81/"), (302, "/b")],
)
def test_a_later_attempt_goes_to_no_other_host(kind: Any, status: int, location: str) -> None:
    """Nor by another scheme, port or method: it is rejected."""
    made = door([httpx.Response(status, headers={"location": location})], kind)
    with pytest.raises(httpx.TooManyRedirects) as refused:
        call(made, LATER)
    found = made.failure_of(refused.value, Phase.HEADERS)
    assert found is not None
    assert found.kind is Kind.REJECTED
    assert len(made.asked) == 1


@BOTH
def test_a_chain_of_redirects_has_an_end(kind: Any) -> None:
    """So many on the same host are followed, with the same body, and no more."""
    moved = [httpx.Response(308, headers={"location": f"/{n}"}) for n in range(LONGEST_CHAIN)]
    made = door([*moved[1:], httpx.Response(200)], kind)
    assert call(made, LATER).status_code == 200
    assert {sent.content for sent in made.asked} == {b'{"model":"m"}'}
    with pytest.raises(httpx.TooManyRedirects):
        call(door(list(moved), kind), LATER)


class Twice(httpx.Auth):
    """Sends again after a 401."""

    def auth_flow(self, request: Any) -> Any:
        """Count in a header."""
        request.headers["x-try"] = "1"
        response = yield request
        if response.status_code == 401:
            request.headers["x-try"] = "2"
            yield request


@BOTH
def test_later_attempts_run_through_the_clients_authentication(kind: Any) -> None:
    """Twice after a 401, once without; the first attempt has been through it above."""
    made = door([httpx.Response(401), httpx.Response(200)], kind, auth=Twice())
    assert call(made, LATER).status_code == 200
    assert len(made.asked) == 2
    assert made.asked[-1].headers["x-try"] == "2"
    made = door([httpx.Response(200)], kind, auth=Twice())
    call(made, FIRST)
    assert "x-try" not in made.asked[0].headers


@PACKAGES
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Kind.SILENT, "ReadTimeout"),
        (Kind.STALLED, "ReadTimeout"),
        (Kind.CONNECT, "ConnectError"),
        (Kind.TRUNCATED, "RemoteProtocolError"),
        (Kind.OVERLOADED, "RemoteProtocolError"),
    ],
)
def test_a_failure_is_an_exception_of_the_package(package: Any, kind: Kind, name: str) -> None:
    """With the user's request on it, and its cause."""
    made, cause = door([], package=package), ValueError()
    error = made.error_of(Failure(kind, Phase.BODY), made.stand_in_request(), cause, None)
    assert type(error) is getattr(package, name)
    assert (error.request, error.__cause__) == (made.stand_in_request(), cause)
    assert str(kind) in str(error)


def test_before_the_head_it_is_the_exception_itself() -> None:
    """Made out to the user's request."""
    made, cause = door([]), httpx.ConnectTimeout("late")
    assert made.error_of(Failure(Kind.CONNECT, Phase.CONNECT), made.stand_in_request(), cause, None) is cause
    assert cause.request is made.stand_in_request()
    assert made.request_of(cause) is made.stand_in_request()
    assert made.request_of(ValueError()) is None


def test_what_the_api_said_is_kept_for_the_consumer() -> None:
    """As a frame, unless it could not be read."""
    made = door([])
    body = {"type": "error", "error": {"type": "api_error", "message": "no"}}
    told = made.error_of(
        Failure(Kind.API_ERROR, Phase.BODY, in_band=True, body=body), made.stand_in_request(), None, None
    )
    assert isinstance(told, LastWords)
    assert told.frame.startswith(b"event: error\ndata: {")
    unread = Failure(Kind.API_ERROR, Phase.BODY, in_band=True, body={"unreadable": "x"})
    assert isinstance(made.error_of(unread, made.stand_in_request(), None, None), httpx.RemoteProtocolError)


@PACKAGES
@pytest.mark.parametrize(
    "failure",
    [
        Failure(Kind.RATE_LIMITED, Phase.HEADERS, status=429),
        Failure(Kind.API_ERROR, Phase.BODY, in_band=True, body={"unreadable": "x"}),
    ],
)
def test_the_response_that_told_of_a_failure_is_its_cause(package: Any, failure: Failure) -> None:
    """As the package's own exception for a status, whose headers say when to come again."""
    made, response = door([], package=package), package.Response(429, headers={"retry-after": "62291"})
    error = made.error_of(failure, made.stand_in_request(), None, response)
    assert type(error) is package.RemoteProtocolError
    cause: Any = error.__cause__
    assert type(cause) is package.HTTPStatusError
    assert (cause.response, cause.request) == (response, made.stand_in_request())
    broken = made.error_of(Failure(Kind.RESET, Phase.BODY), made.stand_in_request(), None, response)
    assert broken.__cause__ is None


def test_a_response_is_kept_until_it_is_forgotten() -> None:
    """And one whose body broke is replaced."""
    made = door([httpx.Response(200)])
    assert call(made, FIRST) is made.response
    other = httpx.Response(500)
    made.replace(other)
    assert made.response is other
    made.forget()
    assert made.response is None
