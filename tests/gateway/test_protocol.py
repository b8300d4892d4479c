import asyncio
import socket
from typing import Any

import h11
import pytest
import uvicorn
from uvicorn.server import ServerState

from resilient_stream._gateway.protocol import StrictProtocol, flaw
from resilient_stream.asgi import Gateway
from tests.support.gateways import body_of, everything, post, served, until
from tests.support.worlds import HASTY, stand_in

GOOD = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"

WRONG = {
    "bare LF": GOOD.replace(b"localhost\r\n", b"localhost\n"),
    "bare LF at the end": GOOD.replace(b"\r\n\r\n", b"\r\n\n"),
    "bare LF everywhere": GOOD.replace(b"\r\n", b"\n"),
    "bare CR": GOOD.replace(b"localhost", b"local\rhost"),
    "folded": GOOD.replace(b"localhost\r\n", b"localhost\r\n X: y\r\n"),
    "folded by a tab": GOOD.replace(b"localhost\r\n", b"localhost\r\n\tX: y\r\n"),
    "both lengths": GOOD.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "both lengths, a space before the colon": GOOD.replace(
        b"\r\n\r\n", b"\r\ntransfer-encoding : chunked\r\n\r\n"
    ),
    "two lengths": GOOD.replace(b"\r\n\r\n", b"\r\ncontent-length: 2\r\n\r\n"),
    "two encodings": GOOD.replace(
        b"Content-Length: 2", b"Transfer-Encoding: chunked\r\ntransfer-encoding: x"
    ),
    "chunks in 1.0": GOOD.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked").replace(
        b"1.1", b"1.0"
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_could_be_read_in_two_ways_is_refused(name: str) -> None:
    """At once, or when the head is whole."""
    assert flaw(WRONG[name])


def test_what_can_be_read_in_one_way_is_not() -> None:
    """However much of it has come, and whatever is behind the head."""
    for end in range(len(GOOD) + 1):
        assert flaw(GOOD[:end]) is None
    assert flaw(GOOD + b"\n\n\r \n content-length: 1\n") is None
    assert flaw(GOOD.replace(b"1.1", b"1.0")) is None
    assert flaw(GOOD.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked")) is None


@pytest.mark.parametrize("name", WRONG)
def test_smuggling_is_answered_400(name: str) -> None:
    """On a first request and on a later one of the connection; and the upstream hears nothing of it."""
    with stand_in() as api, served(Gateway(api.url), StrictProtocol) as door:
        assert door.speak(WRONG[name]).startswith(b"HTTP/1.1 400 ")
        first = b"GET /resilient/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with door.connect() as sock:
            sock.sendall(first + WRONG[name])
            got = until(sock, b"HTTP/1.1 400 ")
        assert got.startswith(b"HTTP/1.1 200 ")
        assert api.requests == []


def test_a_request_may_come_in_pieces() -> None:
    """Its head down to single bytes, and its body when it is asked for."""
    with stand_in() as api, served(Gateway(api.url, HASTY), StrictProtocol) as door:
        head, _, content = post(headers={"expect": "100-continue"}).partition(b"\r\n\r\n")
        head += b"\r\n\r\n"
        with door.connect() as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for place in range(len(head)):
                sock.sendall(head[place : place + 1])
            until(sock, b"100 Continue\r\n\r\n")
            sock.sendall(content)
            body, ended = body_of(everything(sock))
        assert b"message_stop" in body
        assert ended


class Connection(asyncio.Transport):
    """A connection that only notes that it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def is_closing(self) -> bool:
        """Whether it was."""
        return self.closed

    def close(self) -> None:
        """Close it."""
        self.closed = True

    def write(self, data: Any) -> None:
        """Nobody listens."""


def protocol(timers: list[Any]) -> tuple[StrictProtocol, Connection]:
    """A protocol whose timers are kept, and its connection."""

    class Timer:
        def __init__(self, act: Any) -> None:
            self.act = act

        def cancel(self) -> None:
            timers.remove(self)

    class Loop:
        def call_later(self, seconds: float, act: Any) -> Timer:
            assert seconds == 30.0
            timer = Timer(act)
            timers.append(timer)
            return timer

    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    config = uvicorn.Config(app, ws="none", log_config=None)
    loop: Any = Loop()
    made, connection = StrictProtocol(config, ServerState(), {}, loop), Connection()
    made.connection_made(connection)
    return made, connection


def test_a_head_has_so_long() -> None:
    """From the connection on, or from its first byte on a connection that was used; then it is closed."""
    timers = list[Any]()
    made, connection = protocol(timers)
    made.data_received(b"GET / HT")
    (timer,) = timers
    timer.act()
    assert connection.closed
    made.connection_lost(None)
    assert timers == []


def test_an_idle_connection_has_uvicorns_time() -> None:
    """Not ours: it waits for a head only when that has begun."""
    timers = list[Any]()
    made, _ = protocol(timers)
    made._expect_nothing()
    made.handle_events()
    assert timers == []
    made.data_received(b"GE")
    made.data_received(b"T")
    assert len(timers) == 1
    assert made.conn.their_state is h11.IDLE
