import asyncio
import contextlib
import select
import socket
import threading
from contextlib import closing
from typing import Any

import h11
import pytest
import uvicorn
from uvicorn.server import ServerState

from resilient_stream._gateway import protocol as protocol_module
from resilient_stream._gateway.protocol import StrictProtocol, flaw
from resilient_stream._gateway.streams import Ended
from resilient_stream.asgi import Gateway
from resilient_stream.testing import sse_events
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
        self.closed = self.aborted = False
        self.waiting = 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing may wait."""
        assert high == 0

    def get_write_buffer_size(self) -> int:
        """Bytes that wait for the client."""
        return self.waiting

    def abort(self) -> None:
        """Close it now."""
        self.aborted = True

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

        def __call__(self) -> None:
            timers.remove(self)
            self.act()

        def cancel(self) -> None:
            if self in timers:  # it has not fired
                timers.remove(self)

    class Loop:
        def call_later(self, seconds: float, act: Any, *known: int) -> Timer:
            assert seconds == (300.0 if known else 30.0)
            timer = Timer(lambda: act(*known))
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


def test_a_client_that_reads_slowly_is_waited_for() -> None:
    """For as long as it takes something from time to time, however little; and no timer stays behind."""
    timers = list[Any]()
    made, connection = protocol(timers)
    made._expect_nothing()
    for left in (50, 49, 1):
        connection.waiting = left
        (timers[0] if timers else made.pause_writing)()
        assert not connection.aborted
        assert len(timers) == 1
    made.resume_writing()
    assert timers == []


def test_a_client_that_reads_nothing_is_cut_off() -> None:
    """After five minutes, in the middle of a response or while the connection closes behind one."""
    timers = list[Any]()
    made, connection = protocol(timers)
    made._expect_nothing()
    connection.waiting = 50
    made.pause_writing()
    timers[0]()
    assert connection.aborted
    made.connection_lost(None)
    assert timers == []


class Torrent:
    """An upstream whose answers have no end for as long as their bytes are taken."""

    MOST = 64 * 1024 * 1024

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.sent = 0
        self.stuck, self.ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with self._socket, self._socket.accept()[0] as sock:
            until(sock, b"\r\n\r\n")
            events = sse_events("word " * 20_000)
            text = b"".join(events[2:-3])
            sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + b"".join(events[:2]))
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                while self.sent < self.MOST:
                    if not select.select([], [sock], [], 0.5)[1]:
                        self.stuck.set()
                        select.select([], [sock], [], 20)
                    self.sent += sock.send(text[self.sent % len(text) :][:65536])
            self.stuck.set()
            self.ended.set()

    def close(self) -> None:
        """Wait for its end."""
        self._thread.join(60)
        assert not self._thread.is_alive()


def test_who_does_not_read_is_not_read_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its upstream waits, others have their streams, and in the end it is cut off, and its upstream with it."""
    monkeypatch.setattr(protocol_module, "READ_PATIENCE", 0.6)
    with closing(Torrent()) as torrent, stand_in() as api:
        ended = list[Ended]()
        app = Gateway(torrent.url, HASTY, on_end=ended.append)
        with (
            served(app, StrictProtocol) as door,
            served(Gateway(api.url), StrictProtocol) as other,
            door.connect() as sock,
        ):
            sock.sendall(post())
            assert torrent.stuck.wait(60)
            assert torrent.sent < torrent.MOST / 2
            for _ in range(3):
                assert body_of(other.speak(post()))[1]
            assert torrent.ended.wait(60)
        assert [one.what for one in ended] == ["left"]
        assert torrent.sent < torrent.MOST / 2
