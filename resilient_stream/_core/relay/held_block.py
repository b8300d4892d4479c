"""A block that is held until it is complete.

A tool call may come in a hundred thousand deltas of four bytes. As events with their JSON they would take ten
times what they took on the wire. So their frames are kept end to end, ready to be handed over, and what they
say goes into the block that they make.
"""

from __future__ import annotations

from typing import Final

from resilient_stream._core.turn.transcript import Block
from resilient_stream._core.wire.events import Event

LONGEST_HELD: Final = 64 * 1024 * 1024
"""Bytes that are held of a block. The longest call that a model writes has a third of that, at four bytes a
delta. What is longer is handed over as it comes."""


class HeldBlock:
    """What has come of a block, from its start on.

    Args:
        start: its ``content_block_start``, placed as the consumer will see it. So must be what follows.
    """

    def __init__(self, start: Event) -> None:
        self.frames = bytearray(start.frame)
        """Its frames, and those of events that are no content and came among them."""
        self.block = Block(start.data["content_block"])
        """What they make."""

    @property
    def too_long(self) -> bool:
        """Whether it is more than is held of any block."""
        return len(self.frames) > LONGEST_HELD

    def add_piece(self, frame: bytes, written: bytes) -> None:
        """The frame of a delta, and what it writes, still JSON-escaped."""
        self.frames += frame
        self.block.raw += written

    def add(self, event: Event) -> None:
        """Its next event, or one that is no content."""
        self.frames += event.frame
        if event.type == "content_block_delta":
            self.block.apply_delta(event.data["delta"])
        elif event.type == "content_block_stop":
            self.block.closed = True
