"""Bytes to server-sent events and back.

The wire is a byte stream cut anywhere. `Framer` cuts it into *frames*: the bytes of one event up
to and including its blank line, unchanged, so that joining the frames gives the stream again. A
frame is only looked into where that is needed (`fields`). Lines may end in LF, CRLF or CR and the
two characters of a CRLF may arrive apart [WHATWG HTML, "Interpreting an event stream"].
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from resilient_stream._core.failures import Flaw, Kind

MAX_FRAME: Final = 8 * 1024 * 1024
"""Bytes one event may have. The API's own request limit is 32 MB; events of a few KB are normal."""

BOM: Final = b"\xef\xbb\xbf"

# A CRLF must never be taken for two line ends, nor be cut in two where lines end in CRLF.
_BLANK_LINE = re.compile(rb"\r\n(?:\r\n|\n|\r(?=[^\n]))|(?:(?<!\r)\n|\r(?!\n))(?>\r\n|\n|\r)")
_LINE_END = re.compile(r"\r\n|\n|\r")
_NAMES: Final = frozenset({b"", b"event", b"data", b"id", b"retry"})


class Framer:
    """Cuts a byte stream into frames. After `feed`, `rest` holds the unfinished tail."""

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._scanned = 0
        self.returns = False
        """A CR has come: lines may end in it."""
        self.pending = False
        """A frame has begun and is not complete."""

    @property
    def rest(self) -> bytes:
        """What has arrived of a frame that is not complete."""
        return bytes(self._rest)

    def drop(self) -> bytes:
        """Give up `rest`, and what it was."""
        rest = self.rest
        self._rest.clear()
        self._scanned, self.pending = 0, False
        return rest

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that ``chunk`` completes, in order.

        Raises:
            Flaw: a frame, its unfinished tail counted, is larger than the limit (`Kind.CORRUPT`).
        """
        if not self._rest and b"\r" not in chunk and 0 < chunk.find(b"\n\n") == len(chunk) - 2 < self._limit:
            return [chunk]
        self._rest += chunk
        self.returns = self.returns or b"\r" in chunk
        frames = self._cut()
        self.pending = bool(self._rest)
        if len(self._rest) > self._limit or any(len(frame) > self._limit for frame in frames):
            raise Flaw(Kind.CORRUPT, f"an event of more than {self._limit} bytes")
        return frames

    def grow(self, chunk: bytes) -> bool:
        """Keep ``chunk`` if it is plain to see that no frame ends in it; whether that is so."""
        rest = self._rest
        ends = b"\n\n" in chunk or b"\r" in chunk or (chunk[:1] == b"\n" and rest.endswith((b"\n", b"\r")))
        if ends or len(rest) + len(chunk) > self._limit:
            return False
        rest += chunk
        self.pending = bool(rest)
        return True

    def fits(self, frames: bytes) -> bool:
        """Whether none of these frames can be larger than the limit."""
        return len(frames) <= self._limit

    def keep(self, rest: bytes) -> None:
        """Have ``rest``, in which no frame ends and no line ends in CR, in place of what is here."""
        self._rest[:] = rest
        self._scanned, self.pending = max(0, len(rest) - 3), bool(rest)

    def _cut(self) -> list[bytes]:
        frames: list[bytes] = []
        start, end = 0, self._next_end(self._scanned)
        while end:
            frames.append(bytes(self._rest[start:end]))
            start, end = end, self._next_end(end)
        del self._rest[:start]
        self._scanned = max(0, len(self._rest) - 3)
        return frames

    def _next_end(self, start: int) -> int:
        """Where the next frame ends; 0 if none does."""
        if self.returns:
            match = _BLANK_LINE.search(self._rest, start)
            return match.end() if match else 0
        at = self._rest.find(b"\n\n", start)
        return at + 2 if at >= 0 else 0


def fields(frame: bytes) -> tuple[str | None, str | None]:
    """The ``event`` and ``data`` of a frame; None for a field that is not there.

    Comments, ``id``, ``retry`` and unknown fields are ignored, as the standard wants.

    Raises:
        Flaw: the frame is not UTF-8 (`Kind.CORRUPT`).
    """
    try:
        text = frame.decode()
    except UnicodeDecodeError:
        raise Flaw(Kind.CORRUPT, "invalid UTF-8") from None
    event: str | None = None
    data: list[str] = []
    for line in _LINE_END.split(text):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            event = value
        elif name == "data":
            data.append(value)
    return event, "\n".join(data) if data else None


def has_strange_line(frame: bytes) -> bool:
    """Whether a line of ``frame`` is no comment and of no field that the standard knows.

    The standard ignores such lines. The API sends none: where one comes, a field's name was spoilt.
    """
    return any(line and line.partition(b":")[0] not in _NAMES for line in frame.splitlines())


def encode(event: str, payload: Mapping[str, Any]) -> bytes:
    """One frame. Text is ASCII-escaped, so that halves of a surrogate pair survive the journey.

    Raises:
        Flaw: the payload is nested too deeply to be written (`Kind.CORRUPT`).
    """
    try:
        data = json.dumps(payload, separators=(",", ":"))
    except RecursionError:
        raise Flaw(Kind.CORRUPT, "nested too deeply") from None
    return b"event: %s\ndata: %s\n\n" % (event.encode(), data.encode())
