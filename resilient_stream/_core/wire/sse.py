"""Divides bytes into server-sent events, and writes events.

Bytes arrive in pieces of any size. `Framer` divides them into *frames*: the bytes of one event up to and
including its blank line, unchanged, so that the frames together are the stream again. A frame is parsed only
if that is needed (`fields`). Lines may end in LF, CRLF or CR and the
two characters of a CRLF may arrive apart [WHATWG HTML, "Interpreting an event stream"].
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from resilient_stream._core.failures import Flaw, Kind

MAX_FRAME: Final = 64 * 1024 * 1024
"""Bytes that one event may have. Most have some hundred; a fetched document is one event of up to ten
million. The API accepts requests of up to 32 MB, so a longer event could not be sent back to it."""

BOM: Final = b"\xef\xbb\xbf"

# A CRLF must never be taken for two line ends, nor be cut in two where lines end in CRLF.
_BLANK_LINE = re.compile(rb"\r\n(?:\r\n|\n|\r(?=[^\n]))|(?:(?<!\r)\n|\r(?!\n))(?>\r\n|\n|\r)")

_FIELDS = re.compile(
    rb"(event|data)(?:: ?([^\r\n]*+)|(?![^\r\n]))"
    rb"|(?:(?!(?:event|data)(?:[:\r\n]|\Z))[^\r\n]++[\r\n]*+)++"
)
"""A line that counts, or all lines up to the next one. A search goes from line to line."""

_KNOWN_LINES = re.compile(
    rb"(?:(?:event|data|id|retry)?+:[^\r\n]*+|(?:event|data|id|retry)(?![^\r\n])|[ \t]*+[\r\n]++)*+[ \t]*+"
)

_BLANK = re.compile(rb"[ \t\r\n]*+")

_FIELD_LINE = re.compile(
    rb"(?<![^\r\n])(?:(?:event|data|id|retry)?:|(?:event|data|id|retry)(?![^\r\n])"
    rb"|(?:e|ev|eve|even|d|da|dat|i|r|re|ret|retr)\Z)"
)
"""A line that only an event stream has, or the beginning of one at the very end."""


class Framer:
    """Cuts a byte stream into frames.

    Args:
        limit: the most bytes that a frame may have.
    """

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self.limit = limit
        self.rest = bytearray()
        """The bytes received of a frame that is not complete. No frame ends in them."""
        self.returns = False
        """A CR was received, so lines may end in it."""

    def drop(self) -> bytes:
        """Drop `rest`, and return it."""
        rest = bytes(self.rest)
        self.rest.clear()
        return rest

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that ``chunk`` completes, in order.

        Raises:
            Flaw: a frame, its unfinished tail counted, is larger than the limit (`Kind.CORRUPT`).
        """
        if not self.rest and b"\r" not in chunk and 0 < chunk.find(b"\n\n") == len(chunk) - 2 < self.limit:
            return [chunk]
        self.returns = self.returns or b"\r" in chunk
        frames = self._cut(chunk)
        if len(self.rest) > self.limit or any(len(frame) > self.limit for frame in frames):
            raise Flaw(Kind.CORRUPT, f"an event of more than {self.limit} bytes")
        return frames

    def _cut(self, chunk: bytes) -> list[bytes]:
        frames: list[bytes] = []
        seen = max(0, len(self.rest) - 3)
        self.rest += chunk
        start, end = 0, self._next_end(seen)
        with memoryview(self.rest) as rest:
            while end:
                frames.append(bytes(rest[start:end]))
                start, end = end, self._next_end(end)
        del self.rest[:start]
        return frames

    def _next_end(self, start: int) -> int:
        """Where the next frame ends; 0 if none does."""
        if self.returns:
            match = _BLANK_LINE.search(self.rest, start)
            return match.end() if match else 0
        at = self.rest.find(b"\n\n", start)
        return at + 2 if at >= 0 else 0


def fields(frame: bytes) -> tuple[str | None, str | None]:
    """The ``event`` and ``data`` of a frame; None for a field that is not there.

    Comments, ``id``, ``retry`` and unknown fields are ignored, as the standard wants.

    Raises:
        Flaw: the frame is not UTF-8 (`Kind.CORRUPT`).
    """
    if not is_utf8(frame):
        raise Flaw(Kind.CORRUPT, "invalid UTF-8")
    event: bytes | None = None
    data: bytes | bytearray | None = None
    for line in _FIELDS.finditer(frame):
        if line[1] == b"event":
            event = line[2] or b""
        elif line[1] is not None and data is None:
            data = line[2] or b""
        elif line[1] is not None:  # it may have millions of lines
            data = data if isinstance(data, bytearray) else bytearray(data or b"")
            data += b"\n"
            data += line[2] or b""
    return _text(event), _text(data)


def is_utf8(frame: bytes) -> bool:
    """Whether a frame is valid UTF-8."""
    if frame.isascii():
        return True
    try:
        frame.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(value: bytes | bytearray | None) -> str | None:
    return None if value is None else value.decode()


def is_event_stream(start: bytes) -> bool:
    """Whether a body with this beginning, up to its first blank line or its end, can be an event stream: if
    it has any text, some line is a comment, or has a field of the standard, or the beginning of one."""
    return _FIELD_LINE.search(start) is not None or _BLANK.fullmatch(start) is not None


def has_strange_line(frame: bytes) -> bool:
    """Whether a line of ``frame`` is neither a comment nor has a field of the standard.

    The standard ignores such lines. The API sends none, so one of them means that a field's name was damaged.
    """
    return _KNOWN_LINES.fullmatch(frame) is None


def encode(event: str, payload: Mapping[str, Any]) -> bytes:
    """One frame. Text is ASCII-escaped, so that halves of a surrogate pair are kept.

    Raises:
        Flaw: the payload is nested too deeply to be written (`Kind.CORRUPT`).
    """
    try:
        data = json.dumps(payload, separators=(",", ":"))
    except RecursionError:
        raise Flaw(Kind.CORRUPT, "nested too deeply") from None
    return b"event: %s\ndata: %s\n\n" % (event.encode(), data.encode())
