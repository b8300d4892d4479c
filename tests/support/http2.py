"""HTTP/2 over TLS in front of the stand-in's endpoint.

The scripts are the stand-in's own, which speak HTTP/1.1; here each is told in frames, on a stream of its own.
`Reset` resets that stream, a clean end is its END_STREAM; what ends the connection ends it for all. A `Wait` lasts until
the client leaves the stream or the connection, however many seconds it names: no clock runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

import anthropic
import h11
import pytest

from resilient_stream.testing import Answer, Close, Place, Received, Reset, Script, Send, Wait
from resilient_stream.testing.endpoint import Endpoint, Settings
from resilient_stream.testing.faults.base import with_body
from resilient_stream.testing.requests import Incoming
from resilient_stream.testing.wire import Step

from .worlds import TEXT

h2_config: Any = pytest.importorskip("h2.config")
h2_connection: Any = pytest.importorskip("h2.connection")
hyperframe: Any = pytest.importorskip("hyperframe.frame")
trustme: Any = pytest.importorskip("trustme")

AUTHORITY: Final = trustme.CA()
LARGEST_FRAME: Final = 16_384
BETWEEN_PINGS: Final = 0.02
"""Seconds between two pings of a stream that is held."""

PROMPTLY: Final = 60.0
PING: Final = b'event: ping\ndata: {"type":"ping"}\n\n'


@dataclass(frozen=True, slots=True)
class Hold(Wait):
    """Say nothing but pings until the test says `Http2.go_on`.

    The pings are needed: httpcore2's threads that share a connection wait for one another's bytes.
    """

    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Die(Close):
    """The connection ends: an RST where it is ``rude``."""

    rude: bool = False


@dataclass(frozen=True, slots=True)
class GoAway(Close):
    """GOAWAY: no stream is served any more, and none above ``last`` was; None for this stream's number."""

    last: int | None = None


@dataclass(frozen=True, slots=True)
class Garbage(Close):
    """Bytes that are no frame of HTTP/2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Then(Place):
    """At a place of the body something happens; after a pause the body goes on."""

    step: Step

    def edit(self, answer: Answer) -> Answer:
        """The body with the step in it."""
        before, after = self.parts(answer)
        return with_body(answer, before, (self.step,), after if isinstance(self.step, Wait) else ())


@dataclass(frozen=True, slots=True)
class Instead(Then):
    """The step comes instead of a head."""

    def script(self, answer: Answer) -> Script:
        """Nothing but the step."""
        return (self.step,)


class Http2:
    """A stand-in that speaks HTTP/2 over TLS, in a thread of its own."""

    def __init__(self, *faults: Any) -> None:
        self._endpoint = Endpoint(Settings(reply=TEXT, faults=faults))
        self._told = threading.Condition()
        self.connections = 0
        """Connections accepted so far."""
        self.live: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self.going_on = asyncio.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
        context.set_alpn_protocols(["h2"])
        listening = self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, ssl=context)
        self._server = self._loop.run_until_complete(listening)
        self.url = f"https://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End everything."""

        async def end() -> None:
            self._server.close()
            for connection in list(self.live):
                connection.end()
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(PROMPTLY)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PROMPTLY)
        self._loop.close()

    def go_on(self) -> None:
        """End all that is held."""
        self._loop.call_soon_threadsafe(self.going_on.set)

    @property
    def requests(self) -> list[Received]:
        """The requests so far, in order."""
        with self._told:
            return list(self._endpoint.received)

    def wait_requests(self, number: int) -> bool:
        """Wait until so many requests have come."""
        with self._told:
            return self._told.wait_for(lambda: len(self._endpoint.received) >= number, PROMPTLY)

    def take(self, incoming: Incoming) -> Script:
        """The script for a request."""
        with self._told:
            self._told.notify_all()
            return self._endpoint.take(incoming)


@contextlib.contextmanager
def http2(*faults: Any) -> Generator[Http2]:
    """A stand-in that speaks HTTP/2, for the length of a block."""
    server = Http2(*faults)
    try:
        yield server
    finally:
        server.close()


class _Connection(asyncio.Protocol):
    """One connection, its streams played side by side."""

    def __init__(self, server: Http2) -> None:
        self.server = server
        self.asked: dict[int, tuple[dict[str, str], bytearray]] = {}
        self.playing: dict[int, asyncio.Task[None]] = {}
        self.frames = h2_connection.H2Connection(
            config=h2_config.H2Configuration(client_side=False, header_encoding="utf-8")
        )

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self.transport = transport
        self.server.connections += 1
        self.server.live.add(self)
        self.frames.initiate_connection()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody listens any more."""
        self.server.live.discard(self)
        for task in self.playing.values():
            task.cancel()

    def data_received(self, data: bytes) -> None:
        """Frames came."""
        for event in self.frames.receive_data(data):
            match type(event).__name__:
                case "RequestReceived":
                    self.asked[event.stream_id] = (dict(event.headers), bytearray())
                case "DataReceived":
                    self.asked[event.stream_id][1].extend(event.data)
                    self.frames.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case "StreamEnded":
                    task = asyncio.get_running_loop().create_task(self.play(event.stream_id))
                    self.playing[event.stream_id] = task
                case "StreamReset" if event.stream_id in self.playing:
                    self.playing[event.stream_id].cancel()
                case _:
                    pass
        self.flush()

    def flush(self) -> None:
        """Send what is to be sent."""
        self.transport.write(self.frames.data_to_send())

    def end(self, *, rude: bool = False) -> None:
        """End the connection without a word of TLS."""
        if rude:
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    async def play(self, stream: int) -> None:
        """Answer one request."""
        headers, body = self.asked.pop(stream)
        plain = {name: value for name, value in headers.items() if not name.startswith(":")}
        script = self.server.take(Incoming(headers[":method"], headers[":path"], plain, bytes(body)))
        reader = h11.Connection(h11.CLIENT)
        reader.send(h11.Request(method="GET", target="/", headers=[("host", "any")]))
        reader.send(h11.EndOfMessage())
        for step in script:
            match step:
                case Send(data):
                    reader.receive_data(data)
                    self.tell(stream, reader)
                case Hold():
                    await self.hold(stream)
                case Wait():
                    await asyncio.Event().wait()  # until `data_received` or `connection_lost` ends this task
                case _:
                    self.break_off(stream, step)
            self.flush()

    async def hold(self, stream: int) -> None:
        """Send pings until all go on."""
        while not self.server.going_on.is_set():
            self.frames.send_data(stream, PING)
            self.flush()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.server.going_on.wait(), BETWEEN_PINGS)

    def break_off(self, stream: int, step: Step) -> None:
        """End the stream, or the connection."""
        match step:
            case Reset():
                self.frames.reset_stream(stream, error_code=2)
            case GoAway(last):
                served = stream if last is None else last
                frame = hyperframe.GoAwayFrame(stream_id=0, last_stream_id=served)
                self.transport.write(frame.serialize())
            case Garbage():
                self.transport.write(bytes(64))  # DATA on stream 0
            case Die(rude):
                self.end(rude=rude)
            case _:
                self.end()

    def tell(self, stream: int, reader: h11.Connection) -> None:
        """Say in frames what was said."""
        while (event := reader.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
            match event:
                case h11.Response():
                    kept = [
                        (name.decode(), value.decode())
                        for name, value in event.headers
                        if name not in (b"transfer-encoding", b"connection")
                    ]
                    self.frames.send_headers(stream, [(":status", str(event.status_code)), *kept])
                case h11.Data():
                    for at in range(0, len(event.data), LARGEST_FRAME):
                        self.frames.send_data(stream, bytes(event.data[at : at + LARGEST_FRAME]))
                case h11.EndOfMessage():
                    self.frames.end_stream(stream)
                case _:
                    raise AssertionError(event)


def speaking_http2() -> dict[str, Any]:
    """The options of a client of httpx or httpx2 that speaks HTTP/2 and trusts the stand-in."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return {"http2": True, "verify": context}


def http2_client(*, asynchronous: bool) -> Any:
    """An HTTP client of the SDK's that does."""
    made = anthropic.DefaultAsyncHttpxClient if asynchronous else anthropic.DefaultHttpxClient
    return made(**speaking_http2())
