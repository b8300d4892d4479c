"""AWS's event stream, the framing of the older Bedrock client's replies.

A message has its length, the length of its headers, a checksum of these two, the headers, a payload, and a
checksum of all that; numbers take four bytes [AWS, "Event stream encoding"]. The payload of a ``chunk`` is
JSON with the data of one server-sent event in base64. An error is a message of another type.

The core handles only server-sent events. So the client's own decoder turns each message into its event, and
delivered events become messages again, because the SDK decodes them once more.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple, Protocol

import httpx2

from resilient_stream._core.interruption import interrupts
from resilient_stream._core.wire import sse
from resilient_stream._http.classify import AWS_EVENT_STREAM, content_type_of

UNREADABLE: Final = b"event: unreadable\ndata: {\n\n"
"""Replaces a message that can't be read; the core treats it as a corrupt event."""

ERROR_TYPES: Final = {
    "internalServerException": "api_error",
    "modelStreamErrorException": "api_error",
    "modelTimeoutException": "timeout_error",
    "serviceUnavailableException": "api_error",
    "throttlingException": "rate_limit_error",
    "validationException": "invalid_request_error",
}
"""The errors that may occur inside a stream, with the ``error.type`` that means the same [Bedrock,
InvokeModelWithResponseStream, ``ResponseStream``]."""

LONGEST_HEADERS: Final = 128 * 1024
LONGEST_PAYLOAD: Final = 24 * 1024 * 1024
"""Bytes that the headers and the payload of one message may have [botocore, ``eventstream``,
``_MAX_HEADERS_LENGTH``, ``_MAX_PAYLOAD_LENGTH``]. The client's decoder reads nothing longer."""

_LINE_END: Final = re.compile(r"\r\n|\r|\n")


class ServerSentEvent(Protocol):
    """The event that the client's decoder returns for a message."""

    @property
    def event(self) -> str | None: ...
    @property
    def data(self) -> str: ...


class Decoder(Protocol):
    """The interface of the client's decoder."""

    def iter_bytes(self, iterator: Iterator[bytes]) -> Iterator[Any]: ...


class Unframer:
    """Turns the messages of one body into server-sent events.

    Args:
        decoder: the client's own.
    """

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._rest = bytearray()
        self._broken = False

    def feed(self, chunk: bytes) -> bytes:
        """The events of all messages that ``chunk`` completes."""
        self._rest += chunk
        frames: list[bytes] = []
        while len(self._rest) >= 12 and not self._broken:
            size, headers = int.from_bytes(self._rest[:4]), int.from_bytes(self._rest[4:8])
            sound = zlib.crc32(self._rest[:8]) == int.from_bytes(self._rest[8:12])
            possible = headers <= LONGEST_HEADERS and 0 <= size - headers - 16 <= LONGEST_PAYLOAD
            if not (sound and possible):
                frames.append(self._give_up())
            elif len(self._rest) < size:
                break
            else:
                message = bytes(self._rest[:size])
                del self._rest[:size]
                frames += self._decoded(message)
        return b"".join(frames)

    def _decoded(self, message: bytes) -> list[bytes]:
        try:
            return [_frame(event) for event in self._decoder.iter_bytes(iter([message]))]
        except ImportError:
            raise  # the SDK says so too if its extra is not installed
        except Exception as error:  # the parser has many ways to report that it can't
            if interrupts(error):
                raise
            if type(error) is ValueError:  # SDK 1.0's word for an error that is reported inside the stream
                return [_error("modelStreamErrorException", "an error in the event stream")]
            return [self._give_up()]

    def _give_up(self) -> bytes:
        self._broken = True
        self._rest.clear()
        return UNREADABLE


def _frame(event: ServerSentEvent) -> bytes:
    if event.event == "error":
        error = json.loads(event.data)["error"]
        return _error(error["type"], error["message"])
    data = "\ndata: ".join(_LINE_END.split(event.data))
    return f"event: {event.event}\ndata: {data}\n\n".encode()


def _error(code: str, message: str) -> bytes:
    error = {"type": ERROR_TYPES.get(code, "api_error"), "message": message, "code": code}
    return sse.encode("error", {"type": "error", "error": error})


def framed(frames: bytes) -> bytes:
    """Whole server-sent events as messages. Events without data are left out: the SDK never sees them."""
    found = (sse.fields(frame)[1] for frame in sse.Framer().feed(frames))
    return b"".join(_message(data.encode()) for data in found if data)


def _message(data: bytes) -> bytes:
    names = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        b"%c%b\x07%b%b" % (len(name), name.encode(), len(value).to_bytes(2), value.encode())
        for name, value in names.items()
    )
    payload = b'{"bytes":"%b"}' % base64.b64encode(data)
    lengths = (16 + len(headers) + len(payload)).to_bytes(4) + len(headers).to_bytes(4)
    message = lengths + zlib.crc32(lengths).to_bytes(4) + headers + payload
    return message + zlib.crc32(message).to_bytes(4)


class MessageDecoder:
    """Does what the client's decoder does, for one message at a time, if that is not available."""

    def iter_bytes(self, iterator: Iterator[bytes]) -> Iterator[ServerSentEvent]:
        """The events of whole messages.

        Raises:
            Exception: one is not what it should be.
        """
        for message in iterator:
            if zlib.crc32(message[:-4]) != int.from_bytes(message[-4:]):
                raise zlib.error("the checksum of a message is wrong")
            end = 12 + int.from_bytes(message[4:8])
            headers, payload = _headers(message[12:end]), json.loads(message[end:-4])
            if headers.get(":message-type", "event") != "event":
                code = headers.get(":exception-type") or headers.get(":error-code") or ""
                error = {"type": code, "message": str(payload.get("message", ""))}
                yield _Decoded("error", json.dumps({"type": "error", "error": error}))
                continue
            data = base64.b64decode(payload["bytes"]).decode()
            yield _Decoded(str(json.loads(data).get("type")), data)


class _Decoded(NamedTuple):
    event: str
    data: str


def _headers(encoded: bytes) -> dict[str, str]:
    """The headers of a message; all of them are strings, each with its length before it."""
    found: dict[str, str] = {}
    while encoded:
        at = 1 + encoded[0]
        size = int.from_bytes(encoded[at + 1 : at + 3])
        found[encoded[1:at].decode()] = encoded[at + 3 : at + 3 + size].decode()
        encoded = encoded[at + 3 + size :]
    return found


def framed_for(response: httpx2.Response, body: Any) -> Any:
    """A body in the framing that the response's consumer expects."""
    return FramedBody(body) if content_type_of(response) == AWS_EVENT_STREAM else body


class FramedBody:
    """A driver's body as messages. It is sync or async as the driver is.

    Args:
        driver: the body that delivers server-sent events.
    """

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    @property
    def elapsed(self) -> timedelta | None:
        """The driver's `elapsed`."""
        elapsed: timedelta | None = self._driver.elapsed
        return elapsed

    def __iter__(self) -> Iterator[bytes]:
        return map(framed, self._driver)

    def close(self) -> None:
        """Close the driver."""
        self._driver.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for out in self._driver:
            yield framed(out)

    async def aclose(self) -> None:
        """Close the driver."""
        await self._driver.aclose()
