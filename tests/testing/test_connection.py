"""One connection, over a socket pair or the loopback."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

import pytest

from resilient_stream.testing import connection
from resilient_stream.testing.connection import CONTINUE, Connection, unsent
from resilient_stream.testing.requests import Incoming
from resilient_stream.testing.wire import Close, Reset, Script, Send, Wait

GET = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"
FOREVER = 600.0


class Line:
    """A served connection: the client's socket, the waker, and what was asked."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.asked: list[Incoming] = []
        self.wake, self.waker = socket.socketpair()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.client = socket.create_connection(listener.getsockname())
            self.connection = Connection(listener.accept()[0], self.wake, self.take)
        self.client.settimeout(20)
        self.thread = threading.Thread(target=self.connection.run)
        self.thread.start()

    def take(self, incoming: Incoming) -> Script:
        """The next script."""
        self.asked.append(incoming)
        return self.scripts.pop(0)

    def read(self) -> bytes:
        """All that comes until the end."""
        return b"".join(iter(lambda: self.client.recv(65536), b""))

    def ended(self) -> bool:
        """Whether the thread ends, though the client keeps its side open."""
        self.thread.join(60)
        return not self.thread.is_alive()


@contextmanager
def line(*scripts: Script) -> Generator[Line]:
    """A served connection that is gone afterwards."""
    served = Line(*scripts)
    try:
        yield served
    finally:
        served.client.close()
        served.waker.close()
        served.thread.join(60)
        served.wake.close()


def test_requests_are_read_one_after_the_other() -> None:
    """Two requests in one write, bodies and all; both are answered on one connection."""
    post = b"POST /b HTTP/1.1\r\nHost: x\r\nX-Api-Key: k\r\ncontent-length: 3\r\n\r\nabc"
    with line((Send(b"1"),), (Send(b"2"), Close())) as served:
        served.client.sendall(post + GET)
        assert served.read() == b"12"
    first, second = served.asked
    assert (first.method, first.path, first.body, first.headers["x-api-key"]) == ("POST", "/b", b"abc", "k")
    assert (second.method, second.path, second.body) == ("GET", "/a", b"")


def test_a_body_may_come_late_and_in_chunks() -> None:
    """The request is whole when its last chunk is."""
    with line((Close(),)) as served:
        for piece in (
            b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-enc",
            b"oding: chunked\r\n\r\n3\r\nabc\r\n",
            b"0\r\n\r\n",
        ):
            served.client.sendall(piece)
        assert served.read() == b""
    assert served.asked[0].body == b"abc"


@pytest.mark.parametrize(
    "sent", [b"", b"GET /a HT", b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nab"]
)
def test_a_client_that_leaves_ends_it(sent: bytes) -> None:
    """Before, inside or after the head of a request."""
    with line() as served:
        served.client.sendall(sent)
        served.client.shutdown(socket.SHUT_WR)
        assert served.ended()
    assert served.asked == []


def test_what_is_no_http_ends_it() -> None:
    """There is nobody to talk to."""
    with line() as served:
        served.client.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert served.ended()


def test_connection_close_is_obeyed() -> None:
    """After the answer the server closes."""
    with line((Send(b"x"),)) as served:
        served.client.sendall(GET.replace(b"host", b"Connection: close\r\nhost"))
        assert served.read() == b"x"


def test_a_reset_is_a_reset() -> None:
    """The bytes before it arrive, then ECONNRESET."""
    with line((Send(b"x"), Reset())) as served:
        served.client.sendall(GET)
        assert served.client.recv(1) == b"x"
        with pytest.raises(ConnectionResetError):
            served.client.recv(1)


def test_a_reset_waits_for_what_was_said() -> None:
    """A client that reads slowly still gets every byte before the reset."""
    said = b"x" * 8_000_000
    with line((Send(said), Reset())) as served:
        served.client.sendall(GET)
        got = 0
        while got < len(said):
            got += len(served.client.recv(100_000))
        with pytest.raises(ConnectionResetError):
            served.client.recv(1)


def test_a_client_that_never_reads_cannot_hold_a_reset_up() -> None:
    """Closing the server ends the waiting."""
    with line((Reset(),)) as served:
        fill = served.connection.sock.dup()
        fill.settimeout(0)
        with suppress(BlockingIOError):
            while fill.send(b"x" * 65536):
                pass
        assert unsent(fill) > 0
        fill.close()
        served.client.sendall(GET)
        served.waker.close()
        assert served.ended()


def test_where_nobody_knows_what_was_taken_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reset follows what was said at once on such a system."""
    monkeypatch.setattr(connection, "ASK", None)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"x" * 100)
        assert unsent(ours) == 0


def test_a_wait_passes() -> None:
    """Then the script goes on."""
    with line((Send(b"a"), Wait(0.01), Send(b"b"), Close())) as served:
        served.client.sendall(GET)
        assert served.read() == b"ab"


def test_a_wait_ends_when_the_client_leaves() -> None:
    """However long it would have been."""
    with line((Send(b"a"), Wait(FOREVER), Send(b"b"))) as served:
        served.client.sendall(GET)
        assert served.client.recv(1) == b"a"
        served.client.close()
        assert served.ended()


def test_a_wait_ends_when_the_server_is_closed() -> None:
    """However long it would have been."""
    with line((Send(b"a"), Wait(FOREVER), Send(b"b"))) as served:
        served.client.sendall(GET)
        assert served.client.recv(1) == b"a"
        served.waker.close()
        assert served.ended()


def test_a_wait_is_not_disturbed_by_what_the_client_says() -> None:
    """The next request waits for its turn."""
    with line((Send(b"a"), Wait(0.05), Send(b"b")), (Send(b"c"), Close())) as served:
        served.client.sendall(GET)
        assert served.client.recv(1) == b"a"
        served.client.sendall(GET)
        assert served.read() == b"bc"


def test_a_client_that_resets_ends_it() -> None:
    """Writing to it is no error of the server's."""
    with line((Wait(FOREVER), Send(b"x"))) as served:
        served.client.sendall(GET)
        served.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        served.client.close()
        assert served.ended()


def test_a_client_that_expects_100_is_told_to_go_on() -> None:
    """Before its body; then it is answered as any other."""
    expecting = b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n"
    with line((Send(b"done"), Close())) as served:
        served.client.sendall(expecting)
        told = b""
        while len(told) < len(CONTINUE):
            told += served.client.recv(100)
        assert told == CONTINUE
        served.client.sendall(b"abc")
        assert served.read() == b"done"
    assert served.asked[0].body == b"abc"


@pytest.mark.parametrize("option", [b"close", b"Close", b"x-a, CLOSE"])
def test_a_client_may_spell_close_as_it_likes(option: bytes) -> None:
    """Connection options are a list without case."""
    with line((Send(b"x"),)) as served:
        served.client.sendall(GET.replace(b"host", b"connection: " + option + b"\r\nhost"))
        assert served.read() == b"x"


def test_a_client_of_http_1_0_gets_one_answer() -> None:
    """Its connection is closed behind it, whatever the framing; the request says which HTTP it spoke."""
    with line((Send(b"x"),)) as served:
        served.client.sendall(GET.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert served.read() == b"x"
    assert [asked.http_version for asked in served.asked] == ["1.0"]
