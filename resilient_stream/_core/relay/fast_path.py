"""Passes the deltas of a healthy stream to the consumer without parsing them.

Nearly all events of a stream are deltas of one block, in one spelling, which is learned from the block's
first delta. A frame that begins and ends like that delta, with a canonical string in between, is delivered as
it is, or added to the block that is held. Its string is kept undecoded, and no JSON is parsed. Most chunks
are one frame. A chunk with several frames is divided at the bytes that stand between two strings. If a chunk
ends inside a frame, the first part of the frame waits for the rest. Everything else takes the slow path,
through the relay.
"""

from __future__ import annotations

from typing import Any, Final

from resilient_stream._core.turn.transcript import TEXT_FIELDS, Block
from resilient_stream._core.wire.events import CANONICAL_HEAD, CANONICAL_TAIL, PLAIN, STRING_LINES
from resilient_stream._core.wire.sse import Framer, is_utf8
from resilient_stream._core.wire.tool_input import ToolInput

from .held_block import HeldBlock

LONGEST_CUT: Final = 4096
"""Bytes of an incomplete frame up to which it is joined with each chunk that arrives. A longer one is left to
the framer, which only appends to it."""

_NO_PREFIX: Final[Any] = ()
"""No prefix: `bytes.startswith` returns False for an empty tuple."""

_tail: Final = CANONICAL_TAIL.match
_whole_tail: Final = CANONICAL_TAIL.fullmatch


class _Held(bytes):
    """Empty bytes that can be distinguished from other empty bytes."""


HELD: Final = _Held()
"""Returned for frames that are held: nothing is delivered, although events have arrived."""


class FastPath:
    """Passes the deltas of one block at a time.

    Args:
        framer: divides the bytes that take the slow path into frames.
    """

    def __init__(self, framer: Framer) -> None:
        self.passed = 0
        """Events that took the fast path."""
        self._framer = framer
        self._cut = b""
        """The bytes of an incomplete frame. If there are any, the framer has none."""
        self._raw = bytearray()
        self._index: bytes | None = None
        self._delta = b""
        self._shift = 0
        self._input: ToolInput | None = None
        self._held: HeldBlock | None = None
        self._prefix: bytes = _NO_PREFIX
        self._length = 0
        self._suffix = self._between = b""
        self._shown: bytes | None = None
        """The prefix that the consumer receives, if the block has another index there."""
        self._unchanged = True
        """Whether frames are delivered as they are, and their strings need no check."""

    def follow(
        self,
        block: Block,
        index: int,
        shift: int,
        written: ToolInput | None = None,
        held: HeldBlock | None = None,
    ) -> None:
        """Take the deltas of ``block`` from now on.

        Args:
            block: the block that their strings are added to.
            index: the block's index upstream. Its index for the consumer is ``index + shift``.
            shift: see ``index``.
            written: checks the strings, if they are the input of a call.
            held: the held block that their frames are added to, if they are not delivered yet.
        """
        if self._index is not None and self._raw is block.raw and self._held is held:
            return  # it is followed already
        self.rest()
        if grows := TEXT_FIELDS.get(block.type):
            self._index, self._delta = b"%d" % index, grows[0].encode()
            self._raw, self._shift = block.raw, shift
            self._input, self._held = written, held

    def rest(self) -> None:
        """Stop following the block: it has ended, or must take the slow path for now."""
        self._index, self._prefix = None, _NO_PREFIX
        self._input = self._held = None

    def drop(self) -> bytes:
        """Return the bytes of the incomplete frame, and keep them no longer."""
        cut, self._cut = self._cut, b""
        return cut

    def take_over(self) -> None:
        """Take the incomplete frame from the framer, if the rest of it may take the fast path."""
        framer = self._framer
        if self._prefix and framer.rest and len(framer.rest) <= LONGEST_CUT and not framer.returns:
            self._cut = framer.drop()

    def quick(self, chunk: bytes) -> bytes | None:
        """Return the bytes to deliver for a chunk, or None if the chunk must take the slow path.

        A chunk takes the fast path if it has nothing but canonical deltas of the block that is followed, in
        the spelling of the first, or parts of them. `HELD` is returned for deltas that are held, and other
        empty bytes for a part of a frame, which is kept.
        """
        if not self._cut and chunk.startswith(self._prefix) and not self._framer.rest:
            tail = _whole_tail(chunk, self._length)  # as `whole`, and nearly always
            if tail is not None and (chunk.isascii() or is_utf8(chunk)):
                if self._unchanged:
                    self.passed += 1
                    self._raw += tail[1]
                    return chunk
                return self._pass(chunk, tail[1], 1)
        return self._several(chunk) if self._prefix else None

    def whole(self, frame: bytes) -> bytes | None:
        """As `quick`, for a complete frame from the framer."""
        out = self._one(frame)
        return self._learn(frame) if out is None else out

    def _one(self, frame: bytes) -> bytes | None:
        if frame.startswith(self._prefix):
            tail = _whole_tail(frame, self._length)
            if tail is not None and is_utf8(frame):
                return self._pass(frame, tail[1], 1)
        return None

    def _pass(self, frames: bytes, strings: bytes, count: int) -> bytes | None:
        """Record canonical frames, and return the bytes to deliver; None if they must be parsed, because they
        are input of a call that can't be checked unparsed, or because the held block is too long."""
        held, shown = self._held, self._shown
        if held is not None and held.too_long:
            return None
        if self._input is not None and not self._input.follows(strings):
            return None
        self.passed += count
        self._raw += strings
        if shown is not None:
            frames = frames.replace(frames[: self._length], shown)
        if held is None:
            return frames
        held.frames += frames
        return HELD

    def _several(self, chunk: bytes) -> bytes | None:
        """As `quick`, for what is not one whole frame: parts of frames, and several."""
        if self._framer.rest:
            return None
        joined, prefix = self._cut + chunk, self._prefix
        if prefix.startswith(joined):
            self._cut = joined
            return b""
        tail = _tail(joined, self._length) if joined.startswith(prefix) else None
        if (
            tail is None
            or len(joined) - tail.end() > self._length  # what is left of a large chunk is not copied
            or not prefix.startswith(cut := joined[tail.end() :])
        ):
            return self._divided(joined)
        frame = joined[: tail.end()]  # what is cut is nearly always one frame and the beginning of the next
        if not (frame.isascii() or is_utf8(frame)):
            return None
        out: bytes | None = frame
        if self._unchanged:  # as in `quick`: what `_pass` would do, without a call
            self.passed += 1
            self._raw += tail[1]
        else:
            out = self._pass(frame, tail[1], 1)
        if out is not None:
            self._cut = cut
        return out

    def _divided(self, joined: bytes) -> bytes | None:
        """As `_several`, for the bytes from the beginning of a frame on."""
        # `rfind` takes 60 to 90 ns, `in` 140 to 330, because `in` first checks whether its operand
        # is a number.
        end = joined.rfind(b"\n\n") + 2
        frames, cut = (joined[:end], joined[end:]) if end > 1 else (b"", joined)
        if len(cut) > LONGEST_CUT or cut.rfind(b"\r") >= 0:
            return None
        out = self._all(frames) if frames else b""
        if out is not None:
            self._cut = cut
        return out

    def _all(self, frames: bytes) -> bytes | None:
        """Record these frames, as `_pass` does, unless one of them is not such a delta."""
        end = len(frames) - len(self._suffix)
        if not (frames.startswith(self._prefix) and frames.endswith(self._suffix, self._length)):
            return None
        if not is_utf8(frames):
            return None
        strings = frames[self._length : end].split(self._between)
        joined = b"".join(strings)
        if not PLAIN.fullmatch(joined):
            # A quotation mark can't stand between them: a string broken by one would be taken for two.
            lines = b"\n".join(strings) + b"\n"
            if STRING_LINES.fullmatch(lines) is None or lines.count(b"\n") != len(strings):
                return None
        return self._pass(frames, joined, len(strings))

    def _learn(self, frame: bytes) -> bytes | None:
        """As `_one`, after learning the spelling from ``frame``, if it is a canonical delta of the block."""
        head = CANONICAL_HEAD.match(frame)
        if head is None or head[1] != self._index or not head[2].startswith(self._delta):
            return None
        tail = _whole_tail(frame, head.end())
        if tail is None:
            return None
        self._prefix, self._length, self._shown = head[0], head.end(), None
        self._suffix = frame[tail.end(1) :]
        self._between = self._suffix + head[0]
        if self._shift:
            shown = b"%d" % (int(head[1]) + self._shift)
            self._shown = frame[: head.start(1)] + shown + frame[head.end(1) : head.end()]
        self._unchanged = self._shown is None and self._input is None and self._held is None
        return self._one(frame)
