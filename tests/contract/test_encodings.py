"""A body in an encoding that can't be undone is asked for once more, without one: through every door."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any, Final

import anthropic
import httpx
import httpx2
import pytest

from resilient_stream import report, resilient
from resilient_stream.testing import sse_events
from tests.support.doors import Through, each, entered
from tests.support.loops import LOOPS, on_loop
from tests.support.worlds import ASK, HASTY, TEXT, USER_TURN_MODEL

WHOLE: Final = b"".join(sse_events(TEXT))
PACKED: Final = gzip.compress(WHOLE)

SPOILT: Final[dict[str, tuple[str | None, bytes]]] = {
    "gzip that is none": ("gzip", b"\x00\x01 no gzip \xff" * 20),
    "gzip with a hole": ("gzip", PACKED[:40] + b"\xff" * 40 + PACKED[80:]),
    "deflate that is none": ("deflate", b"\x00\x01 no deflate \xff" * 20),
    "two encodings, one undone": ("gzip, deflate", zlib.compress(WHOLE)),
    "an encoding that nobody knows": ("no-such", b"\x28\xb5\x2f\xfd" + zlib.compress(WHOLE)),
    "an encoding that is not named": (None, PACKED),
    "one that is named wrongly": ("gzip", zlib.compress(WHOLE)),
    "an encoded body of an encoded body": ("gzip", gzip.compress(PACKED)),
}
"""What an upstream sends as long as encodings are welcome."""

DOORS: Final = ("sdk", "httpx", "httpx2")
Asked = list[str | None]


def upstream(http: Any, name: str, asked: Asked, *, stubborn: bool = False) -> Any:
    """A transport that answers so, unless identity is asked for; or even then."""
    encoding, spoilt = SPOILT[name]

    def answer(request: Any) -> Any:
        asked.append(request.headers.get("accept-encoding"))
        headers = {"content-type": "text/event-stream"}
        if asked[-1] == "identity" and not stubborn:
            return http.Response(200, headers=headers, stream=http.ByteStream(WHOLE))
        if encoding is not None:
            headers["content-encoding"] = encoding
        return http.Response(200, headers=headers, stream=http.ByteStream(spoilt))

    return http.MockTransport(answer)


async def through(door: str, world: str, transport: Callable[[Any], Any]) -> tuple[str, Any]:
    """What text comes out of a door, and the report."""
    http = httpx if door == "httpx" else httpx2
    kind = http.Client if world == "sync" else http.AsyncClient
    below = kind(transport=transport(http))
    asked: dict[str, Any] = {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK}
    if door == "sdk":
        of_sdk: Any = anthropic.Anthropic if world == "sync" else anthropic.AsyncAnthropic
        client: Any = resilient(of_sdk(api_key="k", http_client=below), HASTY)
        async with entered(client), entered(client.messages.stream(**asked)) as stream:
            text = "".join([event.text async for event in each(stream) if event.type == "text"])
        return text, report(stream)
    client, sent = resilient(below, HASTY), {**asked, "stream": True}
    async with (
        entered(client),
        entered(client.stream("POST", "http://api.test/v1/messages", json=sent)) as response,
    ):
        chunks = response.iter_bytes() if world == "sync" else response.aiter_bytes()
        seen = Through(status=response.status_code, raw=b"".join([chunk async for chunk in each(chunks)]))
        seen.read()
    return seen.text, report(response)


@pytest.mark.parametrize("world", ["sync", *LOOPS])
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", SPOILT)
def test_after_an_undecodable_body_no_encoding_is_accepted(name: str, door: str, world: str) -> None:
    """The request is sent once more without a content encoding, and the answer is whole."""
    asked: Asked = []

    async def law() -> None:
        got, told = await through(door, world, lambda http: upstream(http, name, asked))
        assert (got, told.outcome) == (TEXT, "completed")

    if world == "sync":
        with pytest.raises(StopIteration):
            law().send(None)
    else:
        on_loop(world, law)
    assert len(asked) == 2
    assert asked[0] != "identity"
    assert asked[1] == "identity"


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", SPOILT)
def test_an_upstream_that_encodes_all_the_same_is_asked_no_more(name: str, door: str) -> None:
    """It would do it a third time."""
    asked: Asked = []

    async def law() -> None:
        with pytest.raises((anthropic.APIConnectionError, httpx.TransportError, httpx2.TransportError)):
            await through(door, "sync", lambda http: upstream(http, name, asked, stubborn=True))

    with pytest.raises(StopIteration):
        law().send(None)
    assert asked[1:] == ["identity"]
