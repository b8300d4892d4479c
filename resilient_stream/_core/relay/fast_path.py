"""The fast path of a healthy stream's deltas.

Nearly all of a stream are deltas of one block in one spelling. While a block is live, the spelling is
learned from its first delta; frames that begin like it and go on as a canonical string may go to the
consumer as they are, their strings are kept undecoded, and no JSON is parsed. Most chunks are one frame.
If a chunk has several, each is checked. If it cuts a frame in two, the first part waits for the rest.
Everything else takes the slow path, through the relay.
"""

from __future__ import annotations

from typing import Final

from resilient_stream._core.turn.transcript import TEXT_FIELDS, Block
from resilient_stream._core.wire.events import CANONICAL_HEAD, CANONICAL_TAIL
from resilient_stream._core.wire.sse import Framer, is_utf8

LONGEST_CUT: Final = 4096
"""Bytes of a cut frame that are joined with each chunk anew. Longer ones are left to the framer, which
appends."""

_NO_PREFIX: Final[tuple[bytes, ...]] = ()
"""An empty tuple of prefixes: `bytes.startswith` is false for it."""

_whole_tail: Final = CANONICAL_TAIL.fullmatch
_tail: Final = CANONICAL_TAIL.match


class FastPath:
    """Passes the deltas of one live block at a time.

    Args:
        framer: divides what takes the slow path.
    """

    def __init__(self, framer: Framer) -> None:
        self.passed = 0
        """Events that took the fast path."""
        self._framer = framer
        self._cut = b""
        """The bytes received of a frame that is not complete. The framer has none then."""
        self._raw = bytearray()
        self._index: bytes | None = None
        self._delta = b""
        self._shift = 0
        self._prefix: bytes | tuple[bytes, ...] = _NO_PREFIX
        self._length = 0
        self._shown: bytes | None = None
        """What replaces the prefix for the consumer, if the block has another index there."""

    def follow(self, block: Block, index: int, shift: int) -> None:
        """``block`` is live: upstream calls it ``index``, the consumer ``index + shift``."""
        self.rest()
        if grows := TEXT_FIELDS.get(block.type):
            self._index, self._delta = b"%d" % index, grows[0].encode()
            self._raw, self._shift = block.raw, shift

    def rest(self) -> None:
        """No block is live, or the live one must take the slow path for now."""
        self._index, self._prefix = None, _NO_PREFIX

    def drop(self) -> bytes:
        """Drop what is kept of a frame, and return it."""
        cut, self._cut = self._cut, b""
        return cut

    def take_over(self) -> None:
        """Take what the framer has of a frame, if the rest of it may take the fast path."""
        framer = self._framer
        if self._prefix and framer.rest and len(framer.rest) <= LONGEST_CUT and not framer.returns:
            self._cut = framer.drop()

    def quick(self, chunk: bytes) -> bytes | None:
        """Return what to deliver for a chunk that ends canonical deltas of the block that is followed,
        spelled as its first, and nothing else. Empty bytes stand for a part of a frame, which is kept. None
        means that the chunk must take the slow path."""
        if not self._cut and chunk.startswith(self._prefix) and not self._framer.rest:
            tail = _whole_tail(chunk, self._length)  # as `whole`, and nearly always
            if tail is not None and (chunk.isascii() or is_utf8(chunk)):
                self.passed += 1
                self._raw += tail[1]
                return chunk if self._shown is None else self._shown + chunk[self._length :]
        return self._several(chunk) if self._prefix else None

    def whole(self, frame: bytes) -> bytes | None:
        """As `quick`, for a frame that the framer has cut."""
        return self._one(frame) or self._learn(frame)

    def _one(self, frame: bytes) -> bytes | None:
        if frame.startswith(self._prefix):
            tail = _whole_tail(frame, self._length)
            if tail is not None and is_utf8(frame):
                self.passed += 1
                self._raw += tail[1]
                return frame if self._shown is None else self._shown + frame[self._length :]
        return None

    def _several(self, chunk: bytes) -> bytes | None:
        """As `quick`, for several frames, or parts of some."""
        framer, joined = self._framer, self._cut + chunk
        # `rfind` takes 60 to 90 ns; `in` 140 to 330, for it asks first whether what it looks for is a number.
        last = joined.rfind(b"\n\n")
        end = 0 if last < 0 else last + 2
        frames, cut = joined[:end], joined[end:]
        if len(cut) > LONGEST_CUT or cut.rfind(b"\r") >= 0 or framer.returns or framer.rest:
            return None
        if frames:
            strings = self._strings(frames)
            if strings is None:
                return None
            self.passed += len(strings)
            self._raw += b"".join(strings)
            if self._shown is not None:
                frames = frames.replace(frames[: self._length], self._shown)
        self._cut = cut
        return frames

    def _strings(self, frames: bytes) -> list[bytes] | None:
        """Return what these frames write, or None if one of them is no such delta."""
        strings: list[bytes] = []
        prefix, length, start, end = self._prefix, self._length, 0, len(frames)
        while start < end:
            tail = _tail(frames, start + length) if frames.startswith(prefix, start) else None
            if tail is None:
                return None
            strings.append(tail[1])
            start = tail.end()
        return strings if is_utf8(frames) else None

    def _learn(self, frame: bytes) -> bytes | None:
        """As `_one`, after taking the spelling from ``frame`` itself where it is such a delta."""
        head = CANONICAL_HEAD.match(frame)
        if head is None or head[1] != self._index or not head[2].startswith(self._delta):
            return None
        self._prefix, self._length, self._shown = head[0], head.end(), None
        if self._shift:
            shown = b"%d" % (int(head[1]) + self._shift)
            self._shown = frame[: head.start(1)] + shown + frame[head.end(1) : head.end()]
        return self._one(frame)
