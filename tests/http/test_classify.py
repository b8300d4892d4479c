"""From exceptions and responses to failures."""

from __future__ import annotations

import asyncio
import email.utils
import math
import ssl
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import anthropic
import anyio
import h11
import httpcore2
import httpx2
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._http.classify import of_status, retry_after, without_body
from resilient_stream._sdk.errors import failure_of as of_exception

REQUEST = httpx2.Request("POST", "http://api.test/v1/messages")
NOW = 1_900_000_000.0
CONNECT, HEADERS, BODY = Phase.CONNECT, Phase.HEADERS, Phase.BODY

# -- how exceptions come about ---------------------------------------------------------------------


def made(error: BaseException, *origins: BaseException) -> BaseException:
    """An exception raised ``from`` the next one, and so on, as httpx2 and the SDK do."""
    if origins:
        error.__cause__ = error.__context__ = made(*origins)
    return error


def translated(error: BaseException, origin: BaseException) -> BaseException:
    """An exception raised ``from None`` while another is handled, as httpcore2 does."""
    error.__context__, error.__suppress_context__ = origin, True
    return error


def amid(error: BaseException, handled: BaseException) -> BaseException:
    """An exception that is raised while another is being handled."""
    error.__context__ = handled
    return error


def sdk(*origins: BaseException) -> BaseException:
    """What the SDK makes of an exception before the head."""
    return made(anthropic.APIConnectionError(request=REQUEST), *origins)


def sdk_timeout(*origins: BaseException) -> BaseException:
    """What the SDK makes of a timeout before the head."""
    return made(anthropic.APITimeoutError(REQUEST), *origins)


def unverified() -> ssl.SSLCertVerificationError:
    """A certificate that was refused."""
    return ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")


def ran_out(kind: type[BaseException], cancelled: BaseException) -> BaseException:
    """An async deadline: a timeout whose context is the cancellation that made it."""
    return amid(kind(), cancelled)


def core(error: type[Exception], origin: BaseException, text: str = "") -> BaseException:
    """What httpcore2 makes of an exception of its backend's."""
    return translated(error(text), origin)


CHAINS: dict[str, tuple[Callable[[], BaseException], Phase, Kind, Phase]] = {
    # Before the connection stands: always as the SDK wraps it.
    "refused, sync": (
        lambda: sdk(
            httpx2.ConnectError("[Errno 111] Connection refused"),
            core(httpcore2.ConnectError, ConnectionRefusedError(111, "Connection refused")),
        ),
        HEADERS,
        Kind.CONNECT,
        CONNECT,
    ),
    "refused, async": (
        lambda: sdk(
            httpx2.ConnectError("All connection attempts failed"),
            core(
                httpcore2.ConnectError,
                made(
                    OSError("All connection attempts failed"),
                    ExceptionGroup("multiple connection attempts failed", [ConnectionRefusedError(111, "")]),
                ),
            ),
        ),
        HEADERS,
        Kind.CONNECT,
        CONNECT,
    ),
    "name not found": (
        lambda: sdk(httpx2.ConnectError("[Errno -2] Name or service not known")),
        HEADERS,
        Kind.CONNECT,
        CONNECT,
    ),
    "connect timed out, sync": (
        lambda: sdk_timeout(
            httpx2.ConnectTimeout("timed out"), core(httpcore2.ConnectTimeout, TimeoutError())
        ),
        HEADERS,
        Kind.CONNECT,
        CONNECT,
    ),
    "connect timed out, asyncio": (
        lambda: sdk_timeout(
            httpx2.ConnectTimeout(""),
            core(
                httpcore2.ConnectTimeout, ran_out(TimeoutError, asyncio.CancelledError("Cancelled via scope"))
            ),
        ),
        HEADERS,
        Kind.CONNECT,
        CONNECT,
    ),
    "pool exhausted": (lambda: sdk_timeout(httpx2.PoolTimeout("")), HEADERS, Kind.CONNECT, CONNECT),
    "proxy refused": (
        lambda: sdk(httpx2.ProxyError("403 Forbidden"), httpcore2.ProxyError("403 Forbidden")),
        HEADERS,
        Kind.CONNECT,
        CONNECT,
    ),
    "TLS handshake reset": (
        lambda: sdk(httpx2.ConnectError(""), core(httpcore2.ConnectError, ConnectionResetError(104, ""))),
        HEADERS,
        Kind.CONNECT,
        CONNECT,
    ),
    # Certificates and requests that can't be.
    "certificate, sync and asyncio": (
        lambda: sdk(httpx2.ConnectError("[SSL]"), core(httpcore2.ConnectError, unverified(), "[SSL]")),
        HEADERS,
        Kind.TLS_VERIFY,
        CONNECT,
    ),
    "certificate, trio": (
        lambda: sdk(
            httpx2.ConnectError(""),
            core(httpcore2.ConnectError, made(trio.BrokenResourceError(), unverified())),
        ),
        HEADERS,
        Kind.TLS_VERIFY,
        CONNECT,
    ),
    "certificate, raw": (unverified, BODY, Kind.TLS_VERIFY, CONNECT),
    "certificate, one attempt of several": (
        lambda: sdk(
            httpx2.ConnectError("x"),
            made(
                httpcore2.ConnectError("x"),
                BaseExceptionGroup("all", [OSError("a"), made(OSError("b"), unverified())]),
            ),
        ),
        HEADERS,
        Kind.TLS_VERIFY,
        CONNECT,
    ),
    "redirect loop": (
        lambda: sdk(httpx2.TooManyRedirects("Exceeded maximum allowed redirects.")),
        HEADERS,
        Kind.REJECTED,
        HEADERS,
    ),
    "unsupported protocol": (
        lambda: sdk(httpx2.UnsupportedProtocol("Request URL has an unsupported protocol 'ftp://'.")),
        HEADERS,
        Kind.REJECTED,
        CONNECT,
    ),
    "a header that can't be sent": (
        lambda: sdk(
            httpx2.LocalProtocolError("Illegal header value"),
            made(httpcore2.LocalProtocolError("x"), h11.LocalProtocolError("x")),
        ),
        HEADERS,
        Kind.REJECTED,
        HEADERS,
    ),
    # Before the head.
    "no head, sync": (
        lambda: sdk_timeout(
            httpx2.ReadTimeout("timed out"), core(httpcore2.ReadTimeout, TimeoutError("timed out"))
        ),
        HEADERS,
        Kind.SILENT,
        HEADERS,
    ),
    "no head, asyncio": (
        lambda: sdk_timeout(
            httpx2.ReadTimeout(""),
            core(httpcore2.ReadTimeout, ran_out(TimeoutError, asyncio.CancelledError())),
        ),
        HEADERS,
        Kind.SILENT,
        HEADERS,
    ),
    "no head, trio": (
        lambda: sdk_timeout(httpx2.ReadTimeout(""), core(httpcore2.ReadTimeout, trio.TooSlowError())),
        HEADERS,
        Kind.SILENT,
        HEADERS,
    ),
    "the request can't be written": (
        lambda: sdk_timeout(httpx2.WriteTimeout("timed out")),
        HEADERS,
        Kind.SILENT,
        HEADERS,
    ),
    "a bare timeout of the SDK's": (sdk_timeout, HEADERS, Kind.SILENT, HEADERS),
    "FIN before the head": (
        lambda: sdk(httpx2.RemoteProtocolError("Server disconnected without sending a response.")),
        HEADERS,
        Kind.CLOSED,
        HEADERS,
    ),
    "RST before the head, sync": (
        lambda: sdk(
            httpx2.ReadError("[Errno 104] Connection reset by peer"),
            core(httpcore2.ReadError, ConnectionResetError(104, "Connection reset by peer")),
        ),
        HEADERS,
        Kind.RESET,
        HEADERS,
    ),
    "RST before the head, async": (
        lambda: sdk(httpx2.ReadError(""), core(httpcore2.ReadError, anyio.BrokenResourceError())),
        HEADERS,
        Kind.RESET,
        HEADERS,
    ),
    "RST while writing": (
        lambda: sdk(httpx2.WriteError("[Errno 32] Broken pipe")),
        HEADERS,
        Kind.RESET,
        HEADERS,
    ),
    "not HTTP": (
        lambda: sdk(httpx2.RemoteProtocolError("illegal status line: bytearray(b'SSH-2.0-OpenSSH_9.2')")),
        HEADERS,
        Kind.CLOSED,
        HEADERS,
    ),
    # In the body: as httpx2 raises it.
    "RST, sync": (
        lambda: made(
            httpx2.ReadError("[Errno 104]"), core(httpcore2.ReadError, ConnectionResetError(104, ""))
        ),
        BODY,
        Kind.RESET,
        BODY,
    ),
    "RST, async, blank": (lambda: httpx2.ReadError(""), BODY, Kind.RESET, BODY),
    "FIN": (
        lambda: made(
            httpx2.RemoteProtocolError("peer closed connection without sending complete message body"),
            made(httpcore2.RemoteProtocolError("peer closed"), h11.RemoteProtocolError("peer closed")),
        ),
        BODY,
        Kind.CLOSED,
        BODY,
    ),
    "bad chunk": (lambda: httpx2.RemoteProtocolError("illegal chunk header"), BODY, Kind.CLOSED, BODY),
    "HTTP/2 stream reset": (lambda: httpx2.RemoteProtocolError("<StreamReset>"), BODY, Kind.CLOSED, BODY),
    "silence, sync": (lambda: httpx2.ReadTimeout("timed out"), BODY, Kind.SILENT, BODY),
    "silence, asyncio": (
        lambda: made(
            httpx2.ReadTimeout(""),
            core(httpcore2.ReadTimeout, ran_out(TimeoutError, asyncio.CancelledError())),
        ),
        BODY,
        Kind.SILENT,
        BODY,
    ),
    "keep-alive died": (
        lambda: made(
            httpx2.ReadTimeout("[Errno 110]"), core(httpcore2.ReadTimeout, TimeoutError(110, "timed out"))
        ),
        BODY,
        Kind.SILENT,
        BODY,
    ),
    "broken gzip": (
        lambda: httpx2.DecodingError("Error -3 while decompressing data"),
        BODY,
        Kind.CORRUPT,
        BODY,
    ),
    "a corrupt TLS record, sync": (
        lambda: made(
            httpx2.ReadError("[SSL: WRONG_VERSION_NUMBER]"), core(httpcore2.ReadError, ssl.SSLError(1, "x"))
        ),
        BODY,
        Kind.RESET,
        BODY,
    ),
    "a corrupt TLS record, async": (lambda: ssl.SSLError(1, "[SSL]"), BODY, Kind.RESET, BODY),
    "a raw reset": (lambda: ConnectionAbortedError(103, "Software caused"), BODY, Kind.RESET, BODY),
    "an operating system error": (lambda: OSError(9, "Bad file descriptor"), BODY, Kind.RESET, BODY),
    "closing failed": (lambda: httpx2.CloseError(""), BODY, Kind.RESET, BODY),
    "a group": (
        lambda: ExceptionGroup("tasks", [ValueError("x"), httpx2.ReadError("")]),
        BODY,
        Kind.RESET,
        BODY,
    ),
}
"""How it came about, and where -> the kind and the phase of the failure."""


@pytest.mark.parametrize("name", CHAINS)
def test_each_exception_of_the_catalogue_has_one_kind_and_phase(name: str) -> None:
    """A failure of the transport is recognised by type and cause chain, sync and async alike."""
    make, where, kind, phase = CHAINS[name]
    failure = of_exception(make(), where)
    assert failure is not None
    assert (failure.kind, failure.phase, failure.in_band, failure.status) == (kind, phase, False, None)
    assert failure.undecodable is (kind is Kind.CORRUPT)


class H2Error(Exception):
    """The base of h2's exceptions, which the tests need not have."""


class ProtocolError(H2Error):
    """What h2 raises of most faults, of either side."""


class StreamClosedError(ProtocolError):
    """A stream that has ended."""


H2 = SimpleNamespace(H2Error=H2Error, ProtocolError=ProtocolError)


def ours(held: Exception) -> BaseException:
    """What httpx2 makes of what h2 raises before the head, whoever is to blame."""
    return sdk(httpx2.LocalProtocolError("x"), translated(httpcore2.LocalProtocolError(held), held))


def over_what_came() -> Exception:
    """What h2 raises of a frame that breaks the rules."""

    def receive_data() -> None:
        raise ProtocolError("Received padded frame")

    try:
        receive_data()
    except ProtocolError as error:
        return error
    raise AssertionError


def out_of_state() -> Exception:
    """What h2 raises of a connection that is closed."""
    error = ProtocolError("Invalid input SEND_HEADERS in state CLOSED")
    error.__cause__ = KeyError("x")
    return error


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda: H2Error("Stream ID must be non-zero"), BODY),
        (lambda: amid(H2Error("Invalid input in state CLOSED"), KeyError("x")), BODY),
        (lambda: ProtocolError("Invalid input in state CLOSED"), BODY),
        (lambda: ours(StreamClosedError("x")), HEADERS),
        (lambda: ours(over_what_came()), HEADERS),
        (lambda: ours(out_of_state()), HEADERS),
        (httpcore2.ConnectionNotAvailable, BODY),
    ],
)
def test_a_broken_http2_connection_is_no_mistake_of_ours(
    make: Callable[[], BaseException], where: Phase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What h2 says, and httpcore2 lets out as it is, is a connection that is over: another may do better."""
    monkeypatch.setitem(sys.modules, "h2.exceptions", H2)
    failure = of_exception(make(), where)
    assert failure is not None
    assert (failure.kind, failure.phase) == (Kind.CLOSED, where)


def test_a_request_that_http2_forbids_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """As over HTTP/1.1: no connection will ever take it."""
    monkeypatch.setitem(sys.modules, "h2.exceptions", H2)
    failure = of_exception(ours(ProtocolError("Invalid value for TE header")), HEADERS)
    assert failure == Failure(Kind.REJECTED, HEADERS, detail="LocalProtocolError")


def test_without_h2_nothing_is_h2s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it was never imported its exceptions can't have come."""
    monkeypatch.delitem(sys.modules, "h2.exceptions", raising=False)
    assert of_exception(H2Error("x"), BODY) is None


@pytest.mark.parametrize("name", CHAINS)
def test_what_was_being_handled_is_no_cause(name: str) -> None:
    """A program that streams in its own ``except`` block gets the same failure as any other."""
    make, where, kind, phase = CHAINS[name]
    for handled in (unverified(), httpx2.TooManyRedirects("x"), httpx2.ConnectError("x")):
        error = make()
        deepest = error
        while deepest.__context__ is not None:
            deepest = deepest.__context__
        deepest.__context__ = handled
        failure = of_exception(error, where)
        assert failure is not None
        assert (failure.kind, failure.phase) == (kind, phase)


@pytest.mark.parametrize("name", CHAINS)
def test_the_detail_is_the_name_of_a_class(name: str) -> None:
    """What a failure says of itself is one word, never an exception's message."""
    make, where, _, _ = CHAINS[name]
    failure = of_exception(make(), where)
    assert failure is not None
    assert failure.detail.isidentifier()


@pytest.mark.parametrize(
    "error",
    [
        TypeError("the user's own"),
        UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "surrogates not allowed"),
        anthropic.AnthropicError("x"),
        anthropic.BadRequestError("x", response=httpx2.Response(400, request=REQUEST), body=None),
        made(anthropic.AnthropicError("no credentials"), httpx2.ConnectError("refused")),
        made(anthropic.RetryableError(Exception("x")), httpx2.ReadTimeout("x")),
        amid(KeyError("the user's own"), httpx2.ReadError("x")),
        httpx2.InvalidURL("x"),
        httpx2.StreamClosed(),
        anthropic.APIConnectionError(request=REQUEST),
        ExceptionGroup("tasks", [ValueError("x")]),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("where", [HEADERS, BODY])
def test_what_is_no_failure_of_the_transport_is_none(error: Exception, where: Phase) -> None:
    """The user's own exceptions, and the SDK's that are not about the wire, are not ours to retry."""
    assert of_exception(error, where) is None


def test_missing_credentials_are_no_failure_of_the_transport() -> None:
    """An exchange of tokens that failed over the wire is still about credentials."""
    error_type: Any = getattr(anthropic, "CredentialsError", anthropic.AnthropicError)
    assert of_exception(made(error_type("x"), httpx2.ConnectError("x")), HEADERS) is None


def test_an_os_error_before_the_body_is_no_failure() -> None:
    """A file that can't be read while a request is made has nothing to do with the connection."""
    assert of_exception(FileNotFoundError(2, "credentials.json"), HEADERS) is None


def test_a_chain_that_bites_its_tail_ends() -> None:
    """Exceptions that cause each other are looked at once each."""
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert of_exception(first, BODY) is None


# -- statuses --------------------------------------------------------------------------------------

STATUSES = {
    302: Kind.REJECTED, 400: Kind.REJECTED, 401: Kind.REJECTED, 402: Kind.REJECTED, 403: Kind.REJECTED,
    404: Kind.REJECTED, 408: Kind.TIMEOUT_ERROR, 409: Kind.API_ERROR, 413: Kind.REJECTED, 422: Kind.REJECTED,
    425: Kind.API_ERROR, 429: Kind.RATE_LIMITED, 499: Kind.REJECTED, 500: Kind.API_ERROR, 502: Kind.API_ERROR,
    503: Kind.API_ERROR, 504: Kind.TIMEOUT_ERROR, 520: Kind.API_ERROR, 529: Kind.OVERLOADED,
}  # fmt: skip


def told(status: int, body: object = None, **headers: str) -> Failure:
    """The failure of an error response."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return of_status(status, httpx2.Headers(named), body, NOW)


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
@pytest.mark.parametrize(
    "body", [None, "<html>", [], {"error": "x"}, {"error": {"type": "overloaded_error"}}]
)
def test_a_status_decides_the_kind_whatever_the_body_says(status: int, kind: Kind, body: object) -> None:
    """Outside a stream the status is the API's word; a proxy's page or another body changes nothing."""
    failure = told(status, body)
    assert (failure.kind, failure.phase, failure.in_band, failure.status) == (kind, HEADERS, False, status)
    assert failure.body is body


@pytest.mark.parametrize("code", ["contract_spend_limit_reached", "enforced_spend_limit_reached"])
def test_a_spend_cap_is_a_rejection(code: str) -> None:
    """No waiting cures a 429 that stands for a limit of money."""
    body = {"error": {"type": "rate_limit_error", "details": {"error_code": code}}}
    assert told(429, body).kind is Kind.REJECTED


@pytest.mark.parametrize("code", ["other", None, 7, ["contract_spend_limit_reached"], {"a": 1}])
def test_any_other_error_code_is_a_rate_limit(code: object) -> None:
    """An error code that is not a spend cap, or no string at all, leaves a 429 what it is."""
    assert told(429, {"error": {"details": {"error_code": code}}}).kind is Kind.RATE_LIMITED
    assert told(429, {"error": {"details": code}}).kind is Kind.RATE_LIMITED


def test_a_status_failure_says_what_the_api_said() -> None:
    """The error's type, the request's id and the server's own advice are kept."""
    body = {"error": {"type": "overloaded_error", "message": "Overloaded"}}
    failure = told(529, body, request_id="req_1", retry_after="3", x_should_retry="true")
    assert (failure.detail, failure.request_id, failure.retry_after) == ("overloaded_error", "req_1", 3.0)
    assert told(502, "<html>").detail == "status 502"


@pytest.mark.parametrize(
    "name", ["", "x" * 81, "two words", "a\nb", "\ud83d", 5, ["x"], {"a": float("nan")}, None]
)
def test_a_type_that_is_no_word_is_not_told(name: object) -> None:
    """Reports, logs and exceptions have the status in place of a type that may be anything."""
    assert told(529, {"error": {"type": name}}).detail == "status 529"


@pytest.mark.parametrize(
    ("value", "meant"),
    [("true", True), ("false", False), ("", None), ("1", None), ("TRUE", None), (None, None)],
)
def test_x_should_retry_is_true_false_or_nothing(value: str | None, meant: bool | None) -> None:
    """The server's ``x-should-retry`` counts in the two spellings that the SDK knows."""
    assert told(500, **({} if value is None else {"x_should_retry": value})).should_retry is meant


# -- retry-after -----------------------------------------------------------------------------------


def date(seconds: float) -> str:
    """An HTTP date so many seconds from now."""
    return email.utils.formatdate(NOW + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": " 2 "}, 2.0),
        ({"retry-after": "3600"}, 3600.0),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "9" * 5000}, None),
        ({"retry-after": f"Fri, {'9' * 5000} Dec 2031 23:59:59 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": date(90)}, 90.0),
        ({"retry-after": date(0)}, None),
        ({"retry-after": date(-90)}, None),
        ({"retry-after": "Fri, 31 Dec 99999 23:59:59 GMT"}, None),
        ({"retry-after": "Fri, 31 Foo 2031 23:59:59 GMT"}, None),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "0.5"}, 0.0005),
        ({"retry-after-ms": "0"}, None),
        ({"retry-after-ms": "-250"}, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "0", "retry-after": "9"}, None),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after-ms": "nan", "retry-after": date(9)}, 9.0),
    ],
)
def test_every_form_of_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds, seconds and dates are read in the SDK's order; what can't be obeyed is nothing."""
    assert retry_after(headers, NOW) == seconds
    assert (
        retry_after(httpx2.Headers({name.title(): value for name, value in headers.items()}), NOW) == seconds
    )


@given(
    st.text() | st.builds("{} {} {}:{}:{} {}".format, st.just("Fri, 31 Dec"), *[st.integers()] * 4, st.text())
)
def test_whatever_stands_there_is_a_positive_number_or_nothing(value: str) -> None:
    """No ``retry-after`` of any server breaks the program or makes it wait a strange time."""
    for headers in ({"retry-after": value}, {"retry-after-ms": value}):
        seconds = retry_after(headers, NOW)
        assert seconds is None or 0 < seconds < math.inf


# -- successes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [204, 205])
def test_a_success_without_a_body_is_a_breach_of_protocol(status: int) -> None:
    """No stream will come."""
    failure = without_body(httpx2.Response(status, headers={"request-id": "req_1"}))
    detail = f"status {status}"
    assert failure == Failure(Kind.PROTOCOL, HEADERS, detail=detail, status=status, request_id="req_1")


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206])
def test_any_other_success_is_read(status: int) -> None:
    """Its body shows what it is."""
    assert without_body(httpx2.Response(status)) is None
