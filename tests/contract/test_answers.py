"""What an upstream answered is there, wherever in a stream it came: status, headers and body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import anthropic
import pytest

from resilient_stream.testing import Answer, ErrorEvent, Fault, Status, cut_at
from tests.support.doors import Door, Through, every_door
from tests.support.worlds import HASTY, TEXT, stand_in

LIMITS: Final = (
    ("retry-after", "62291"),
    ("anthropic-ratelimit-unified-status", "rejected"),
    ("x-should-retry", "true"),
    ("x-of-a-gateway", "17"),
)
CUT: Final = cut_at(1500, "rst")

PAGES: Final = {
    "a weekly limit": Status(429, headers=LIMITS),
    "an overload": Status(529, headers=LIMITS),
    "a proxy's page": Status(502, headers=LIMITS, body=b"<html>bad gateway</html>", content_type="text/html"),
    "an empty page": Status(503, headers=LIMITS, body=b""),
    "words of no charset": Status(
        500, headers=LIMITS, body=b"caf\xe9", content_type="text/plain; charset=nonsense"
    ),
}
ONCE: Final = HASTY.replace(retry_after_max=1.0, max_attempts=2)


@dataclass(frozen=True, slots=True)
class Told(Fault):
    """An error told in a stream whose head says how much is left."""

    error: str

    def edit(self, answer: Answer) -> Answer:
        """With the headers."""
        return ErrorEvent(self.error, after=20).edit(answer.with_headers(LIMITS))


def limits_of(headers: Any) -> tuple[tuple[str, str], ...]:
    """What they say of limits."""
    return tuple((name, headers.get(name)) for name, _ in LIMITS)


def response_of(seen: Through) -> Any:
    """What was answered: on the SDK's exception, on what led to a package's, or handed on by the client."""
    error: Any = seen.error
    if isinstance(error, anthropic.APIStatusError):
        return error.response
    assert error is None or type(error.__cause__).__name__ == "HTTPStatusError"
    return error and error.__cause__.response


@every_door
@pytest.mark.parametrize("after_a_cut", [False, True])
@pytest.mark.parametrize("name", PAGES)
def test_an_error_page_is_there(door: Door, name: str, after_a_cut: bool) -> None:
    """Status, headers and body, the same whether it answered the first request or a continuation."""
    page = PAGES[name]
    with stand_in(always=page) as server:
        bare = door.stream(server.url, None, {"max_retries": 0})
    with stand_in(*([CUT] if after_a_cut else []), always=page) as server:
        seen = door.stream(server.url, ONCE.replace(max_attempts=2 if after_a_cut else 1))
    assert seen.ending == bare.ending == str(page.code)
    first, last = response_of(bare), response_of(seen)
    headers, wanted = (
        (one.headers if at is None else at.headers) for one, at in ((seen, last), (bare, first))
    )
    assert limits_of(headers) == limits_of(wanted) == LIMITS
    numbered = b"req_0002" if after_a_cut else b"req_0001"
    body, whole = ((one.raw if at is None else at.content) for one, at in ((seen, last), (bare, first)))
    assert body.replace(numbered, b"req_0001") == whole
    assert headers["request-id"] == seen.report.attempts[-1].request_id == numbered.decode()
    assert bool(seen.report.partial) is after_a_cut
    assert TEXT.startswith(seen.text)


@every_door
@pytest.mark.parametrize("after_a_cut", [False, True])
@pytest.mark.parametrize("name", PAGES)
def test_the_sdks_exception_is_the_one_without_the_library(door: Door, name: str, after_a_cut: bool) -> None:
    """Its class, its message and what it reads out of the body."""
    with stand_in(always=PAGES[name]) as server:
        bare: Any = door.stream(server.url, None, {"max_retries": 0}).error
    with stand_in(*([CUT] if after_a_cut else []), always=PAGES[name]) as server:
        ours: Any = door.stream(server.url, ONCE.replace(max_attempts=2 if after_a_cut else 1)).error
    assert type(ours) is type(bare)
    assert ours.status_code == ours.response.status_code == PAGES[name].code
    assert ours.response.request.url.path == "/v1/messages"
    assert ours.message.replace("req_0002", "req_0001") == bare.message
    for part in ("type", "api_message", "error_code"):  # as far as this version of the SDK has them
        assert getattr(ours, part, None) == getattr(bare, part, None)


@every_door
@pytest.mark.parametrize("after_a_cut", [False, True])
@pytest.mark.parametrize(
    ("error", "status"),
    [("rate_limit_error", 429), ("overloaded_error", 529), ("api_error", 500), ("timeout_error", 504)],
)
def test_an_error_told_in_a_stream_has_the_streams_headers(
    door: Door, error: str, status: int, after_a_cut: bool
) -> None:
    """On the SDK's exception: its status is that of the error's type, its body is what was told."""
    with stand_in(*([CUT] if after_a_cut else []), always=Told(error)) as server:
        seen = door.stream(server.url, HASTY.replace(max_attempts=2 if after_a_cut else 1))
    assert isinstance(seen.error, anthropic.APIStatusError)
    response = seen.error.response
    assert (response.status_code, limits_of(response.headers)) == (status, LIMITS)
    assert response.json() == seen.error.body
    assert response.json()["error"]["type"] == seen.error.type == error
    assert seen.error.request_id == response.headers["request-id"] == seen.report.attempts[-1].request_id
