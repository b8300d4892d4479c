"""Delivers events to the consumer, in order and with the consumer's block indices.

An event that is of no use without the next content waits (`wait`) until that content arrives (`content`) or
the attempt fails (`drop`). The turn records what was delivered, and nothing else. The blocks of a
continuation get the indices that follow those which the consumer has (`placed`). One output serves all
attempts of a stream, so nothing is lost between two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from resilient_stream._core.turn.transcript import Block, Turn
from resilient_stream._core.wire.events import Event

from .held_block import HeldBlock

MOST_WAITING: Final = 1000
LONGEST_WAITING: Final = 8 * 1024 * 1024
"""The largest number of events, and of their bytes, that wait for content. If there are more, they are
delivered without content. A healthy stream has a ping every few seconds and some empty events before its
first content."""


class Output:
    """Delivers events to the consumer."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.out: list[bytes] = []
        self.waiting: list[Event | HeldBlock] = []
        self._waiting_bytes = 0
        self._starts: list[int] = []
        """The positions in `waiting` at which blocks begin."""
        self.shift = 0
        """The number that is added to the block indices of the current attempt."""

    def take(self) -> bytes:
        """Return the bytes to deliver now; empty if there are none."""
        if len(self.out) == 1:
            return self.out.pop()
        out = b"".join(self.out)
        self.out.clear()
        return out

    def hand(self, event: Event) -> None:
        """Deliver an event now. A block that an earlier attempt left open is closed before another starts."""
        if event.type == "content_block_start":
            self.close_open_block()
        self.out.append(event.frame)
        self.turn.apply(event)

    @property
    def full(self) -> bool:
        """Whether so many events wait that they must be delivered without content."""
        return len(self.waiting) > MOST_WAITING or self._waiting_bytes > LONGEST_WAITING

    def wait(self, event: Event) -> None:
        """Keep an event until content arrives."""
        if event.type == "content_block_start":
            self._starts.append(len(self.waiting))
        self.waiting.append(event)
        self._waiting_bytes += len(event.frame)

    def wait_whole(self, held: HeldBlock) -> None:
        """Keep a block that was held until content arrives. It counts toward the limit of held blocks, not of
        waiting events."""
        self._starts.append(len(self.waiting))
        self.waiting.append(held)

    def hand_all(self, events: Iterable[Event]) -> None:
        """Deliver these events now, in order, and end the message."""
        for event in events:
            self.hand(event)
        self.stop()

    def in_order(self, event: Event) -> None:
        """Deliver an event that has no content: behind the events that wait, or at once if there are none."""
        if self.waiting:
            self.wait(event)
        else:
            self.hand(event)

    def content(self, event: Event) -> None:
        """Deliver the events that wait, then this content."""
        self.wait(event)
        self.flush()

    def flush(self) -> None:
        """Deliver the events that wait."""
        for each in self.waiting:
            if isinstance(each, HeldBlock):
                self._hand_block(each)
            else:
                self.hand(each)
        self._forget()

    def _hand_block(self, held: HeldBlock) -> None:
        self.close_open_block()
        self.out.append(bytes(held.frames))
        self.turn.begin(held.block)

    @property
    def nothing_said(self) -> list[Event] | None:
        """The events that wait, if they have no content except blank text; None otherwise."""
        waiting = [each for each in self.waiting if isinstance(each, Event)]
        if len(waiting) < len(self.waiting):
            return None
        blank = all(waiting[at].data["content_block"]["type"] == "text" for at in self._starts)
        return waiting if blank else None

    def drop(self) -> None:
        """Drop the events that wait, because the attempt is over."""
        self._forget()
        self.shift = 0

    def _forget(self) -> None:
        self.waiting.clear()
        self._starts.clear()
        self._waiting_bytes = 0

    def drop_empty_block(self) -> bool:
        """Drop the block that waits, if it is empty. Return whether it was."""
        start = self._starts[-1]
        empty = not Block.of(each for each in self.waiting[start:] if isinstance(each, Event)).text
        if empty:
            del self.waiting[start:]
            del self._starts[-1]
        return empty

    def close_open_block(self) -> None:
        """Close the block that is open for the consumer, if there is one."""
        if self.turn.open_block is not None:
            self.hand(Event.of({"type": "content_block_stop", "index": len(self.turn.blocks) - 1}))

    def end_here(self, stop_reason: str, usage: Mapping[str, Any]) -> None:
        """End the turn behind what the consumer has, with the events with which a model ends one."""
        self.close_open_block()
        delta = {"stop_reason": stop_reason, "stop_sequence": None}
        self.hand(Event.of({"type": "message_delta", "delta": delta, "usage": usage}))
        self.stop()

    def stop(self) -> None:
        """End the message, unless it has ended."""
        if not self.turn.stopped:
            self.hand(Event.of({"type": "message_stop"}))

    def place_behind(self, index: int) -> None:
        """Map the upstream's block ``index`` to the consumer's next index."""
        self.shift = len(self.turn.blocks) + len(self._starts) - index

    def place_in_last(self, index: int) -> None:
        """Map the upstream's block ``index`` to the consumer's last block, which it continues."""
        self.shift = len(self.turn.blocks) - 1 - index

    def placed(self, event: Event) -> Event:
        """The event with the consumer's index; the same object if the index does not change."""
        if self.shift == 0:
            return event
        return Event.of({**event.data, "index": event.data["index"] + self.shift})
