"""What hangs on an exception of an answer: all that it said, and nothing that is large."""

from __future__ import annotations

import gc
import json
import weakref
from typing import Any

import httpx
import httpx2
import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._http.answer import Answer

PACKAGES = pytest.mark.parametrize("http", [httpx2, httpx])
LIMITS = {
    "retry-after": "62291",
    "anthropic-ratelimit-unified-status": "rejected",
    "request-id": "req_x",
    "x-twice": "a",
}
PAGE = {"type": "error", "error": {"type": "rate_limit_error", "message": "Too much."}}


def request(http: Any, content: bytes = b"") -> Any:
    """One to the Messages API."""
    return http.Request("POST", "http://api.test/v1/messages", content=content)


@PACKAGES
def test_a_page_that_was_read_is_the_responses(http: Any) -> None:
    """Its status, its headers and its body, but the user's own request."""
    mine, continued = request(http), request(http, b"a continuation")
    answered = http.Response(
        429, headers=LIMITS, json=PAGE, request=continued, extensions={"http_version": b"HTTP/2"}
    )
    failure = Failure(Kind.RATE_LIMITED, Phase.HEADERS, status=429, body=PAGE)
    answer = Answer(answered)
    for response in (answer.response(failure, mine), answer.response(failure, mine)):
        assert type(response) is http.Response
        assert (response.status_code, response.json(), response.http_version) == (429, PAGE, "HTTP/2")
        assert response.headers == answered.headers
        assert response.request is mine
        assert response.is_closed


@PACKAGES
def test_neither_connection_nor_continuation_is_kept(http: Any) -> None:
    """An exception may live as long as the program."""
    continued = request(http, b"a continuation")
    answered = http.Response(429, json=PAGE, request=continued, extensions={"network_stream": object()})
    answer, gone = Answer(answered), weakref.ref(continued)
    del answered, continued
    gc.collect()
    assert gone() is None
    failure = Failure(Kind.RATE_LIMITED, Phase.HEADERS, status=429, body=PAGE)
    assert "network_stream" not in answer.response(failure, request(http)).extensions


@PACKAGES
@pytest.mark.parametrize(
    ("said", "status", "page"),
    [
        (PAGE, 429, json.dumps(PAGE)),
        ({"error": {"type": "x", "code": "402"}}, 402, '{"error": {"type": "x", "code": "402"}}'),
        ({"unreadable": "upstream \ud83c down"}, 500, "upstream ? down"),
        (None, 529, ""),
    ],
)
def test_an_error_told_in_a_stream_has_the_streams_headers(
    http: Any, said: Any, status: int, page: str
) -> None:
    """The status it has outside a stream, and what was said as its body."""
    head = {**LIMITS, "content-type": "text/event-stream", "content-encoding": "gzip", "content-length": "9"}
    answered = http.Response(200, headers=head, stream=http.ByteStream(b"not read"), request=request(http))
    failure = Failure(Kind.OVERLOADED, Phase.BODY, in_band=True, detail="overloaded_error", body=said)
    response = Answer(answered).response(failure, request(http))
    assert (response.status_code, response.text) == (status, page)
    for name, value in LIMITS.items():
        assert response.headers[name] == value
    assert "content-encoding" not in response.headers
    kind = "text/plain" if status == 500 else "application/json"
    assert response.headers["content-type"] == kind


@PACKAGES
def test_a_page_that_stays_unread_is_empty(http: Any) -> None:
    """As that of a layer further in, which has given up."""
    answered = http.Response(503, headers=LIMITS, stream=http.ByteStream(b""), request=request(http))
    failure = Failure(Kind.API_ERROR, Phase.HEADERS, status=503)
    response = Answer(answered).response(failure, request(http))
    assert (response.status_code, response.content, response.headers["retry-after"]) == (503, b"", "62291")
