import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from resilient_stream._gateway.errors import Refused
from resilient_stream._gateway.request import Body, ClientLeft, Incoming

LEFT = {"type": "http.disconnect"}


def piece(content: bytes, *, more: bool = True) -> dict[str, Any]:
    """A message of ASGI's."""
    return {"type": "http.request", "body": content, "more_body": more}


def receiving(*messages: dict[str, Any]) -> Callable[[], Awaitable[dict[str, Any]]]:
    """A channel that has these messages, and then nothing."""
    waiting = list(messages)

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    return receive


def scope(**more: Any) -> dict[str, Any]:
    """A scope of ASGI's."""
    return {"type": "http", "method": "POST", "path": "/v1/messages", "headers": [], **more}


def test_a_body_is_read_whole() -> None:
    """Piece by piece; an empty one adds nothing."""
    body = Body(receiving(piece(b"a"), piece(b""), piece(b"bc", more=False)))
    assert asyncio.run(body.whole(3)) == b"abc"


def test_a_body_has_a_limit() -> None:
    """It is refused as soon as it passes it, and the connection with it."""
    with pytest.raises(Refused) as refused:
        asyncio.run(Body(receiving(piece(b"abc"), piece(b"d"))).whole(3))
    assert (refused.value.status, refused.value.close) == (413, True)


def test_a_body_has_a_pace() -> None:
    """The next piece comes within the patience."""
    with pytest.raises(Refused) as refused:
        asyncio.run(Body(receiving(piece(b"a")), 0.01).whole(3))
    assert (refused.value.status, refused.value.close) == (408, True)


def test_half_a_body_is_none() -> None:
    """A client that leaves has sent nothing."""
    body = Body(receiving(piece(b"a"), LEFT))
    with pytest.raises(ClientLeft):
        asyncio.run(body.whole(3))
    assert body.left


def test_leaving_is_told_behind_the_body() -> None:
    """What else comes is passed over."""

    async def read_and_wait() -> bool:
        body = Body(receiving(piece(b"", more=False), piece(b"?", more=False), LEFT))
        await body.whole(0)
        await body.until_left()
        return body.left

    assert asyncio.run(read_and_wait())


def test_the_target_is_what_came() -> None:
    """Raw, with its query; where a server does not tell it, the path is quoted again."""
    raw = scope(raw_path=b"/v1/a%2fb", path="/v1/a/b", query_string=b"beta=true")
    assert Incoming.of(raw).target == b"/v1/a%2fb?beta=true"
    assert Incoming.of(scope(path="/v1/a b")).target == b"/v1/a%20b"
    assert Incoming.of(raw).path == "/v1/a%2fb"


@pytest.mark.parametrize(
    ("raw", "target"), [(b"/in/v1/messages", b"/v1/messages"), (b"/v1/messages", b"/v1/messages")]
)
def test_the_target_is_below_the_mount(raw: bytes, target: bytes) -> None:
    """Servers tell the path with what the application is mounted at, or without it."""
    assert Incoming.of(scope(raw_path=raw, root_path="/in")).target == target


def test_methods_and_names_have_one_case() -> None:
    """Upper and lower, as ASGI wants them."""
    incoming = Incoming.of(scope(method="post", headers=[(b"X-A", b"1")], http_version="1.0"))
    assert (incoming.method, incoming.value("x-a"), incoming.http_version) == ("POST", "1", "1.0")


@pytest.mark.parametrize(
    ("headers", "length", "has_body"),
    [
        ([], None, False),
        ([(b"content-length", b"12")], 12, True),
        ([(b"transfer-encoding", b"chunked")], None, True),
        ([(b"content-length", "\u0661".encode())], None, False),
        ([(b"content-length", b"1, 1")], None, False),
    ],
)
def test_the_length_is_what_is_said(headers: Any, length: int | None, has_body: bool) -> None:
    """Digits, or nothing."""
    incoming = Incoming.of(scope(headers=headers))
    assert (incoming.length, incoming.has_body) == (length, has_body)
