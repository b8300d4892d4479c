"""A block that is held until it is complete.

A tool call may arrive in a hundred thousand deltas of four bytes. As parsed events they would take ten times
as much memory as their bytes. So the frames are kept as one byte string, ready to be delivered, and their
content is added to the block that they build.
"""

from __future__ import annotations

from typing import Final

from resilient_stream._core.turn.transcript import Block
from resilient_stream._core.wire.events import Event

LONGEST_HELD: Final = 64 * 1024 * 1024
"""The largest number of bytes that are held of one block. If a block exceeds it, it is delivered as it
arrives. The longest call that a model writes, at four bytes a delta, takes a third of it."""


class HeldBlock:
    """The part of a block that has been received.

    Args:
        start: the block's ``content_block_start``. It and later events must have the consumer's index.
    """

    def __init__(self, start: Event) -> None:
        self.frames = bytearray(start.frame)
        """The frames of the block, and those of other events that arrived among them."""
        self.block = Block(start.data["content_block"])
        """The block that the frames build."""

    @property
    def too_long(self) -> bool:
        """Whether the block exceeds `LONGEST_HELD`."""
        return len(self.frames) > LONGEST_HELD

    def add(self, event: Event) -> None:
        """Add the block's next event, or an event without content that arrives meanwhile."""
        self.frames += event.frame
        if event.type == "content_block_delta":
            self.block.apply_delta(event.data["delta"])
        elif event.type == "content_block_stop":
            self.block.closed = True
