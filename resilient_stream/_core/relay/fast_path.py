"""The short way of a healthy stream's deltas.

Nearly all of a stream are deltas of one block in one spelling. While a block is live, the spelling is
learned from its first delta; frames that begin like it and go on as a canonical string may go to the
consumer as they are, their strings are kept undecoded, and no JSON is parsed. One pattern decides on a
whole chunk, be it one frame or many; where chunks cut frames in two, the cut one waits in the framer.
Everything else must go the long way, through the relay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from resilient_stream._core.turn.transcript import TEXT_FIELDS, Block
from resilient_stream._core.wire.events import (
    CANONICAL_HEAD,
    CANONICAL_TAIL,
    MARK,
    MARKED_END,
    MARKED_FRAMES,
)
from resilient_stream._core.wire.sse import Framer, is_utf8

_NO_PREFIX: Final[tuple[bytes, ...]] = ()
"""Nothing starts with one of nothing."""


WORTH_A_PATTERN: Final = 16
"""Deltas of one spelling after which a pattern of their own is made, which costs as much as some hundred."""


@lru_cache(maxsize=64)
def _whole(head: bytes) -> Callable[[bytes], re.Match[bytes] | None]:
    """Matches a canonical frame with this head."""
    return re.compile(re.escape(head) + CANONICAL_TAIL.pattern).fullmatch


class FastPath:
    """Passes the deltas of one live block at a time.

    Args:
        framer: keeps what has come of a frame that is not complete.
    """

    def __init__(self, framer: Framer) -> None:
        self.passed = 0
        """Events that went the short way."""
        self._framer = framer
        self._raw = bytearray()
        self._index: bytes | None = None
        self._delta = b""
        self._shift = 0
        self._prefix: bytes | tuple[bytes, ...] = _NO_PREFIX
        self._length = 0
        self._shown: bytes | None = None
        self._whole: Callable[[bytes], re.Match[bytes] | None] | None = None
        """Matches one whole frame that may be handed over as it is; there once enough had its spelling."""
        self._left = 0

    def follow(self, block: Block, index: int, shift: int) -> None:
        """``block`` is live: upstream calls it ``index``, the consumer ``index + shift``."""
        self.rest()
        if grows := TEXT_FIELDS.get(block.type):
            self._index, self._delta = b"%d" % index, grows[0].encode()
            self._raw, self._shift = block.raw, shift

    def rest(self) -> None:
        """No block is live, or the live one must go the long way for now."""
        self._index, self._prefix, self._whole = None, _NO_PREFIX, None

    def quick(self, chunk: bytes) -> bytes | None:
        """What to hand over for a chunk that ends canonical deltas of the block that is followed, spelled as
        its first, and nothing else; empty bytes for a part of a frame, which is kept; None for any other."""
        if self._whole is not None and not self._framer.pending:  # as `_one`, and nearly always
            frame = self._whole(chunk)
            if frame is not None and (chunk.isascii() or is_utf8(chunk)):
                self.passed += 1
                self._raw += frame[1]
                return chunk
        return None if self._index is None else self._cut(chunk)

    def whole(self, frame: bytes) -> bytes | None:
        """As `quick`, for a frame that the framer has cut."""
        return self._one(frame) or self._learn(frame)

    def _one(self, frame: bytes) -> bytes | None:
        if frame.startswith(self._prefix):
            tail = CANONICAL_TAIL.fullmatch(frame, self._length)
            if tail is not None and is_utf8(frame):
                self.passed += 1
                self._raw += tail[1]
                if self._shown is not None:
                    return self._shown + frame[self._length :]
                self._left -= 1
                if self._left == 0:
                    self._whole = _whole(frame[: self._length])
                return frame
        return None

    def _cut(self, chunk: bytes) -> bytes | None:
        """As `quick`, for several frames, or parts of some."""
        framer = self._framer
        if framer.returns or b"\r" in chunk:
            return None  # no frame of the short way has one, and what waits would be joined for each chunk
        if framer.grow(chunk):
            return b""
        joined = framer.rest + chunk if framer.pending else chunk
        end = joined.rfind(b"\n\n") + 2
        frames, rest = joined[:end], joined[end:]
        if not framer.fits(joined):
            return None
        out = self._one(frames) or self._several(frames)
        if out is not None:
            framer.keep(rest)
        return out

    def _several(self, frames: bytes) -> bytes | None:
        prefix = self._prefix
        if isinstance(prefix, tuple) or not frames.startswith(prefix) or MARK in frames:
            return None
        marked = frames.replace(prefix, MARK)
        if MARKED_FRAMES.fullmatch(marked) is None or not is_utf8(frames):
            return None
        self.passed += marked.count(MARK)
        self._raw += MARKED_END.sub(b"", marked[1:])
        return frames if self._shown is None else frames.replace(prefix, self._shown)

    def _learn(self, frame: bytes) -> bytes | None:
        """As `_one`, after taking the spelling from ``frame`` itself where it is such a delta."""
        head = CANONICAL_HEAD.match(frame)
        if head is None or head[1] != self._index or not head[2].startswith(self._delta):
            return None
        self._prefix, self._length, self._shown = head[0], head.end(), None
        self._whole, self._left = None, WORTH_A_PATTERN
        if self._shift:
            shown = b"%d" % (int(head[1]) + self._shift)
            self._shown = frame[: head.start(1)] + shown + frame[head.end(1) : head.end()]
        return self._one(frame)
