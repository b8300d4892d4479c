"""The short way of a healthy stream's deltas.

Nearly all of a stream are deltas of one block in one spelling. While a block is live, the spelling is
learned from its first delta; a frame that begins like it and goes on as a canonical string may go to
the consumer as it is, its string is kept undecoded, and no JSON is parsed. Everything else must go the
long way, through the relay.
"""

from __future__ import annotations

from typing import Final

from .events import CANONICAL_HEAD, CANONICAL_TAIL, is_utf8
from .transcript import TEXT_FIELDS, Block

_NO_PREFIX: Final[tuple[bytes, ...]] = ()
"""Nothing starts with one of nothing."""


class Steady:
    """Passes the deltas of one live block at a time."""

    def __init__(self) -> None:
        self.passed = 0
        """Events that went the short way."""
        self._raw = bytearray()
        self._index: bytes | None = None
        self._delta = b""
        self._shift = 0
        self._prefix: bytes | tuple[bytes, ...] = _NO_PREFIX
        self._length = 0
        self._shown: bytes | None = None

    def follow(self, block: Block, index: int, shift: int) -> None:
        """``block`` is live: upstream calls it ``index``, the consumer ``index + shift``."""
        self.rest()
        if grows := TEXT_FIELDS.get(block.type):
            self._index, self._delta = b"%d" % index, grows[0].encode()
            self._raw, self._shift = block.raw, shift

    def rest(self) -> None:
        """No block is live, or the live one must go the long way for now."""
        self._index, self._prefix = None, _NO_PREFIX

    def quick(self, frame: bytes) -> bytes | None:
        """What to hand over for a canonical delta of the block that is followed, spelled as its first;
        None for anything else."""
        if not frame.startswith(self._prefix):
            return None
        tail = CANONICAL_TAIL.fullmatch(frame, self._length)
        if tail is None or not (frame.isascii() or is_utf8(frame)):
            return None
        self.passed += 1
        self._raw += tail[1]
        return frame if self._shown is None else self._shown + frame[self._length :]

    def learn(self, frame: bytes) -> bytes | None:
        """As `quick`, after taking the spelling from ``frame`` itself where it is such a delta."""
        head = CANONICAL_HEAD.match(frame)
        if head is None or head[1] != self._index or not head[2].startswith(self._delta):
            return None
        self._prefix, self._length, self._shown = head[0], head.end(), None
        if self._shift:
            shown = b"%d" % (int(head[1]) + self._shift)
            self._shown = frame[: head.start(1)] + shown + frame[head.end(1) : head.end()]
        return self.quick(frame)
