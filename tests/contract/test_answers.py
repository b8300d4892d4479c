"""What an upstream answered is on the exception, wherever in a stream it came: status, headers and body."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import anthropic
import pytest

from resilient_stream.testing import Answer, ErrorEvent, Fault, Status, cut_at
from tests.support.http_clients import HttpWorld, every_http_world
from tests.support.worlds import HASTY, TEXT, World, every_world, stand_in

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


def limits_of(response: Any) -> tuple[tuple[str, str], ...]:
    """What a response says of limits."""
    return tuple((name, response.headers.get(name)) for name, _ in LIMITS)


@every_world
@pytest.mark.parametrize("after_a_cut", [False, True])
@pytest.mark.parametrize("name", PAGES)
def test_an_error_page_is_on_the_exception(world: World, name: str, after_a_cut: bool) -> None:
    """The same whether it answered the first request or a continuation."""
    page = PAGES[name]
    with stand_in(always=page) as server:
        bare = world.stream(server.url, None, {"max_retries": 0})
    with stand_in(*([CUT] if after_a_cut else []), always=page) as server:
        seen = world.stream(server.url, ONCE.replace(max_attempts=2 if after_a_cut else 1))
    assert isinstance(bare.error, anthropic.APIStatusError)
    assert isinstance(seen.error, anthropic.APIStatusError)
    assert type(seen.error) is type(bare.error)
    assert seen.error.status_code == seen.error.response.status_code == page.code
    assert limits_of(seen.error.response) == limits_of(bare.error.response) == LIMITS
    numbered = b"req_0002" if after_a_cut else b"req_0001"
    assert seen.error.response.content.replace(numbered, b"req_0001") == bare.error.response.content
    assert seen.error.response.request.url.path == "/v1/messages"
    assert seen.error.request_id == seen.report.attempts[-1].request_id == numbered.decode()
    assert seen.error.message.replace(numbered.decode(), "req_0001") == bare.error.message
    for name_of_part in ("type", "api_message", "error_code"):  # as far as this version of the SDK has them
        assert getattr(seen.error, name_of_part, None) == getattr(bare.error, name_of_part, None)
    assert bool(seen.report.partial) is after_a_cut


@every_world
@pytest.mark.parametrize("after_a_cut", [False, True])
@pytest.mark.parametrize(
    ("error", "status"),
    [("rate_limit_error", 429), ("overloaded_error", 529), ("api_error", 500), ("timeout_error", 504)],
)
def test_an_error_told_in_a_stream_has_the_streams_headers(
    world: World, error: str, status: int, after_a_cut: bool
) -> None:
    """Its status is that of the error's type; its body is what was told."""
    with stand_in(*([CUT] if after_a_cut else []), always=Told(error)) as server:
        seen = world.stream(server.url, HASTY.replace(max_attempts=2 if after_a_cut else 1))
    assert isinstance(seen.error, anthropic.APIStatusError)
    response = seen.error.response
    assert (response.status_code, limits_of(response)) == (status, LIMITS)
    assert response.json() == seen.error.body
    assert response.json()["error"]["type"] == seen.error.type == error
    assert seen.error.request_id == response.headers["request-id"] == seen.report.attempts[-1].request_id


@every_http_world
@pytest.mark.parametrize("name", PAGES)
def test_without_the_sdk_the_response_is_the_cause(world: HttpWorld, name: str) -> None:
    """The package's exception of a broken body follows from its exception of a status."""
    with stand_in(CUT, always=PAGES[name]) as server:
        seen = world.stream(server.url, ONCE)
    error: Any = seen.error
    assert type(error) is world.package.RemoteProtocolError
    cause = error.__cause__
    assert type(cause) is world.package.HTTPStatusError
    assert (cause.response.status_code, limits_of(cause.response)) == (PAGES[name].code, LIMITS)
    assert cause.response.headers["request-id"] == seen.report.attempts[-1].request_id
    assert TEXT.startswith(seen.text)
    if name == "a weekly limit":
        assert json.loads(cause.response.content)["error"]["type"] == "rate_limit_error"
