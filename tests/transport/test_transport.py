"""The transports themselves; what they promise is in `tests/contract/test_http_clients.py`."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import httpx
import httpx2
import pytest

from resilient_stream.httpx import AsyncResilientTransport, ResilientTransport
from resilient_stream.testing import sse_events
from tests.support.doors import HEADERS, asking, events_of
from tests.support.worlds import CUT_HISTORY, HASTY

PACKAGES = pytest.mark.parametrize("package", [httpx, httpx2])
WHOLE = b"".join(sse_events("The tide comes in."))
LONG = {"content-length": "1000000"}
URL = "http://api.test/v1/messages"


@PACKAGES
def test_the_package_is_decided_by_the_request(package: Any) -> None:
    """Without a transport below, that package's own is made when the first request comes."""
    sync = ResilientTransport()
    assert sync.wrapped is None
    sync.close()
    with sync, pytest.raises(package.ConnectError):
        sync.handle_request(package.Request("GET", "http://127.0.0.1:9"))
    assert type(sync.wrapped) is package.HTTPTransport
    with sync:
        pass
    sync.close()
    with ResilientTransport():  # which nothing is sent through
        pass


@PACKAGES
def test_the_async_one_does_the_same(package: Any) -> None:
    """It enters and closes what is below."""

    async def main() -> Any:
        made = AsyncResilientTransport()
        await made.aclose()
        async with made:
            with pytest.raises(package.ConnectError):
                await made.handle_async_request(package.Request("GET", "http://127.0.0.1:9"))
        async with made:
            pass
        await made.aclose()
        async with AsyncResilientTransport():
            pass
        return made.wrapped

    assert type(asyncio.run(main())) is package.AsyncHTTPTransport


def mocked(answer: Any) -> httpx.Client:
    """A client over a transport that answers."""
    return httpx.Client(
        transport=ResilientTransport(httpx.MockTransport(answer), HASTY.replace(max_attempts=1))
    )


def test_a_page_in_a_content_encoding_is_handed_on_as_it_came() -> None:
    """The client decodes it, as it would without us."""
    page = gzip.compress(b'{"type": "error"}')

    def answer(_: Any) -> httpx.Response:
        headers = {"content-encoding": "gzip", "content-length": str(len(page))}
        return httpx.Response(500, headers=headers, stream=httpx.ByteStream(page))

    with mocked(answer) as client, client.stream("POST", URL, json=asking(), headers=HEADERS) as response:
        raw = b"".join(response.iter_raw())
    assert (raw, response.headers["content-encoding"]) == (page, "gzip")


def test_a_large_page_is_cut_and_has_no_length() -> None:
    """What is kept of it is its beginning, and nothing says that it is more."""

    def answer(_: Any) -> httpx.Response:
        return httpx.Response(400, headers=LONG, content=iter([b"x" * 10_000] * 100))

    with mocked(answer) as client:
        response = client.post(URL, json=asking(), headers=HEADERS)
    assert response.status_code == 400
    assert 0 < len(response.content) < 1_000_000
    assert "content-length" not in response.headers


def test_a_page_that_was_read_already_stays_as_it_is() -> None:
    """As transports for tests make them."""
    with mocked(lambda _: httpx.Response(400, text="no")) as client:
        response = client.post(URL, json=asking(), headers=HEADERS)
    assert (response.status_code, response.text) == (400, "no")


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
def test_the_history_of_what_is_no_stream_is_healed_too(path: str) -> None:
    """With a true content-length."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    with mocked(answer) as client:
        client.post(
            f"http://api.test{path}", json=asking(stream=False, messages=CUT_HISTORY), headers=HEADERS
        )
    assert int(seen[0].headers["content-length"]) == len(seen[0].content)
    assert b"srvtoolu" not in seen[0].content


def test_a_batch_is_no_stream(caplog: pytest.LogCaptureFixture) -> None:
    """It passes through, and one line says why it is not protected."""
    caplog.set_level("DEBUG", "resilient_stream")
    with mocked(lambda _: httpx.Response(200, json={})) as client:
        client.post(f"{URL}/batches", json={"requests": []}, headers=HEADERS)
    assert "not protected: a batch is not a stream" in caplog.messages


@pytest.mark.parametrize("content", [b"nonsense", b"[]"])
def test_what_is_no_json_passes_through(content: bytes) -> None:
    """The API will say what it thinks of it."""
    with mocked(lambda request: httpx.Response(400, content=request.content)) as client:
        assert client.post(URL, content=content, headers=HEADERS).content == content


def test_a_response_is_timed_by_its_client() -> None:
    """Until its body was read."""
    with mocked(
        lambda _: httpx.Response(200, headers={"content-type": "text/event-stream"}, content=WHOLE)
    ) as client:
        response = client.post(URL, json=asking(), headers=HEADERS)
    assert events_of(response.content)[-1]["type"] == "message_stop"
    assert response.elapsed.total_seconds() >= 0
