"""A local proxy that cuts the answers it passes on, so that real replies meet chosen faults.

It listens on the loopback interface, in separate threads. It passes each request on with its headers
(including a key, which it neither stores nor adds), and ends the answer's body early.
"""

from __future__ import annotations

import http.server
import itertools
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, cast

import httpx2

HOP_BY_HOP: Final = frozenset(
    {"connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that belong to one connection, and two that the new connection sets itself."""


@dataclass(frozen=True, slots=True)
class Snip:
    """The body ends after this many bytes: by a TCP reset, by a FIN, or cleanly as if it were complete."""

    after: int
    how: Literal["rst", "fin", "clean"]


OnAnswer = Callable[[bytes, int, Mapping[str, str], bytes, bool], None]
"""Called with the request's body, the status, the headers, the body that was passed on, and whether it was
cut."""


class CuttingProxy:
    """Passes requests on to ``upstream`` and cuts the answers: the first snip for the first, and so on.

    Further answers, and those with another status than 200, are not cut. ``on_answer`` is called after each
    answer, in the thread that passed it on.
    """

    def __init__(
        self, upstream: str, snips: Sequence[Snip | None] = (), on_answer: OnAnswer | None = None
    ) -> None:
        self.on_answer = on_answer
        self.upstream = httpx2.Client(base_url=upstream, timeout=httpx2.Timeout(600, connect=10))
        self._snips: Iterator[Snip | None] = itertools.chain(snips, itertools.repeat(None))
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.upstream.close()

    def next_snip(self) -> Snip | None:
        """What happens to the answer that begins now."""
        with self._lock:
            return next(self._snips)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    proxy: CuttingProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that hangs up, and report any other error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def _proxy(self) -> CuttingProxy:
        return cast("_Server", self.server).proxy

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing is logged."""

    def do_POST(self) -> None:
        """Pass one request on, and its answer back."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        headers["accept-encoding"] = "identity"  # so that a byte of the body is a byte of the stream
        try:
            with self._proxy.upstream.stream("POST", self.path, headers=headers, content=body) as answer:
                self._answer(body, answer)
        except httpx2.HTTPError:  # the upstream failed: before a head this ends the connection, after it too
            self.close_connection = True

    def _answer(self, request: bytes, answer: httpx2.Response) -> None:
        self.send_response_only(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        snip = self._proxy.next_snip() if answer.status_code == 200 else None
        left = snip.after if snip else sys.maxsize
        kept: list[bytes] = []
        for data in answer.iter_raw():
            part = data[:left]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            left -= len(part)
            if self._proxy.on_answer is not None:
                kept.append(part)
            if not left:
                break
        if self._proxy.on_answer is not None:
            self._proxy.on_answer(request, answer.status_code, answer.headers, b"".join(kept), not left)
        self._end(snip.how if snip and not left else "clean")

    def _end(self, how: str) -> None:
        self.close_connection = how != "clean"
        if how == "clean":
            self.wfile.write(b"0\r\n\r\n")
        elif how == "rst":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())  # the base class would say FIN first
