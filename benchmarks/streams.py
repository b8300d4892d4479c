"""Streams to measure with: their bytes, and transports that serve them from memory.

No socket and no server takes processor time then, so only the SDK and the library are measured.
"""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final

import anthropic
import httpx2

from resilient_stream import RetryPolicy

AT_ONCE: Final = RetryPolicy(
    wait_initial=0,
    wait_max=0,
    overload_wait_initial=0,
    overload_wait_max=0,
    budget=None,
    max_input_multiple=None,
)
"""The defaults, without waits and without a budget."""

KINDS: Final = ("text", "held tool", "thinking")
WIRES: Final = {"one event a chunk": 0, "many (1,460 bytes)": 1460, "cut (80 bytes)": 80}
"""Bytes of each chunk; 0 for one event in each."""

USAGE: Final = {"input_tokens": 10, "output_tokens": 1}
BLOCKS: Final[dict[str, tuple[dict[str, Any], dict[str, Any], str]]] = {
    "text": ({"type": "text", "text": ""}, {"type": "text_delta", "text": " word"}, "end_turn"),
    "thinking": (
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": " word"},
        "end_turn",
    ),
    "held tool": (
        {"type": "tool_use", "id": "toolu_1", "name": "note", "input": {}},
        {"type": "input_json_delta", "partial_json": " word"},
        "tool_use",
    ),
}


def frame(data: dict[str, Any]) -> bytes:
    """One event as the API writes it."""
    return f"event: {data['type']}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def events(kind: str, count: int) -> list[bytes]:
    """A message with one block of that kind, in this many deltas."""
    block, delta, reason = BLOCKS[kind]
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": USAGE,
    }
    deltas: list[dict[str, Any]] = [{"type": "content_block_delta", "index": 0, "delta": delta}] * count
    if kind == "held tool":
        field = "partial_json"
        deltas[0] = deltas[0] | {"delta": delta | {field: '{"text":"'}}
        deltas[-1] = deltas[-1] | {"delta": delta | {field: '"}'}}
    if kind == "thinking":
        deltas.append(deltas[0] | {"delta": {"type": "signature_delta", "signature": "c2ln"}})
    ending = {"stop_reason": reason, "stop_sequence": None}
    parts: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *deltas,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ending, "usage": USAGE},
        {"type": "message_stop"},
    ]
    return [frame(part) for part in parts]


def chunks(frames: Sequence[bytes], size: int) -> list[bytes]:
    """The frames in chunks of this many bytes; 0 for one frame in each."""
    if size == 0:
        return list(frames)
    whole = b"".join(frames)
    return [whole[at : at + size] for at in range(0, len(whole), size)]


class _Connection:
    """Stands for the network stream of an HTTP/1.1 connection, whose socket is shut when a stream is
    closed."""

    def __init__(self) -> None:
        self._socket, self._other = socket.socketpair()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        raise NotImplementedError

    def get_extra_info(self, name: str) -> Any:
        return self._socket

    def close(self) -> None:
        self._socket.close()
        self._other.close()


class Memory(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Answers each request with the same body."""

    def __init__(self, body: Sequence[bytes]) -> None:
        self.body = body
        self._connection = _Connection()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One whole answer."""
        return self._response(_Body(self.body))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One whole answer."""
        return self._response(_AsyncBody(self.body))

    def _response(self, stream: Any) -> httpx2.Response:
        headers = {"content-type": "text/event-stream", "request-id": "req_1"}
        extensions: Any = {"network_stream": self._connection, "http_version": b"HTTP/1.1"}
        return httpx2.Response(200, headers=headers, stream=stream, extensions=extensions)

    def close(self) -> None:
        """Free the socket pair."""
        self._connection.close()

    async def aclose(self) -> None:
        """Free the socket pair."""
        self._connection.close()


class _Body(httpx2.SyncByteStream):
    def __init__(self, body: Sequence[bytes]) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield from self._body


class _AsyncBody(httpx2.AsyncByteStream):
    def __init__(self, body: Sequence[bytes]) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._body:
            yield chunk


def client(transport: Memory, **options: Any) -> anthropic.Anthropic:
    """A bare client over a transport."""
    http = httpx2.Client(transport=transport)
    return anthropic.Anthropic(api_key="any", base_url="http://api.test", http_client=http, **options)


def async_client(transport: Memory, **options: Any) -> anthropic.AsyncAnthropic:
    """As `client`, async."""
    http = httpx2.AsyncClient(transport=transport)
    return anthropic.AsyncAnthropic(api_key="any", base_url="http://api.test", http_client=http, **options)
