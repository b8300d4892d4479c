"""The last step to the consumer: what is handed over, what waits, and under which index.

Events go out in order. One that only makes sense together with what follows it waits (`wait`) until
content comes (`content`) or the attempt dies (`drop`). What was handed over is recorded in the turn,
and nothing else is. A continuation's blocks get the indices behind those the consumer has (`placed`).
There is one way out for all attempts, so that what one has handed over is not lost when the next begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from resilient_stream._core.turn.transcript import Block, Turn
from resilient_stream._core.wire.events import Event

from .held_block import HeldBlock

MOST_WAITING: Final = 1000
LONGEST_WAITING: Final = 8 * 1024 * 1024
"""Events, and their bytes, that wait for content at most; more are handed on. A healthy stream has a ping
every few seconds and some empty events before its first content."""


class Output:
    """The way out."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.out: list[bytes] = []
        self.waiting: list[Event | HeldBlock] = []
        self._waiting_bytes = 0
        self._starts: list[int] = []
        """Where blocks begin in what waits."""
        self.shift = 0
        """What is added to an index of the attempt that runs."""

    def take(self) -> bytes:
        """What is to be handed over now; empty if nothing is."""
        if len(self.out) == 1:
            return self.out.pop()
        out = b"".join(self.out)
        self.out.clear()
        return out

    def hand(self, event: Event) -> None:
        """Hand over now. A block that an earlier attempt left open is closed before another starts."""
        if event.type == "content_block_start":
            self.close_open_block()
        self.out.append(event.frame)
        self.turn.apply(event)

    @property
    def full(self) -> bool:
        """Whether so much waits that it must be handed on, content or not."""
        return len(self.waiting) > MOST_WAITING or self._waiting_bytes > LONGEST_WAITING

    def wait(self, event: Event) -> None:
        """Keep until content comes."""
        if event.type == "content_block_start":
            self._starts.append(len(self.waiting))
        self.waiting.append(event)
        self._waiting_bytes += len(event.frame)

    def wait_whole(self, held: HeldBlock) -> None:
        """Keep a block that was held until content comes. Its own limit is that of held blocks."""
        self._starts.append(len(self.waiting))
        self.waiting.append(held)

    def hand_all(self, events: Iterable[Event]) -> None:
        """Hand over now, one after the other, and end the message."""
        for event in events:
            self.hand(event)
        self.stop()

    def in_order(self, event: Event) -> None:
        """No content: behind what waits, or at once if nothing does."""
        if self.waiting:
            self.wait(event)
        else:
            self.hand(event)

    def content(self, event: Event) -> None:
        """Content: hand over what waits, then this."""
        self.wait(event)
        self.flush()

    def flush(self) -> None:
        """Hand over what waits."""
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
        """All that waits, if that says nothing: blank text at most. None otherwise."""
        waiting = [each for each in self.waiting if isinstance(each, Event)]
        if len(waiting) < len(self.waiting):
            return None
        blank = all(waiting[at].data["content_block"]["type"] == "text" for at in self._starts)
        return waiting if blank else None

    def drop(self) -> None:
        """The attempt is over: what waits is never handed over."""
        self._forget()
        self.shift = 0

    def _forget(self) -> None:
        self.waiting.clear()
        self._starts.clear()
        self._waiting_bytes = 0

    def drop_empty_block(self) -> bool:
        """Never hand over the block that waits, if there is nothing in it; say whether that is so."""
        start = self._starts[-1]
        empty = not Block.of(each for each in self.waiting[start:] if isinstance(each, Event)).text
        if empty:
            del self.waiting[start:]
            del self._starts[-1]
        return empty

    def close_open_block(self) -> None:
        """Close the block that is open for the consumer, if one is."""
        if self.turn.open_block is not None:
            self.hand(Event.of({"type": "content_block_stop", "index": len(self.turn.blocks) - 1}))

    def end_here(self, stop_reason: str, usage: Mapping[str, Any]) -> None:
        """End the turn with what the consumer has, as the model would have."""
        self.close_open_block()
        delta = {"stop_reason": stop_reason, "stop_sequence": None}
        self.hand(Event.of({"type": "message_delta", "delta": delta, "usage": usage}))
        self.stop()

    def stop(self) -> None:
        """End the message, if that is not done."""
        if not self.turn.stopped:
            self.hand(Event.of({"type": "message_stop"}))

    def place_behind(self, index: int) -> None:
        """The block that upstream calls ``index`` is the consumer's next."""
        self.shift = len(self.turn.blocks) + len(self._starts) - index

    def place_in_last(self, index: int) -> None:
        """The block that upstream calls ``index`` goes on in the consumer's last."""
        self.shift = len(self.turn.blocks) - 1 - index

    def placed(self, event: Event) -> Event:
        """The event under the consumer's index; the very same where that is no other."""
        if self.shift == 0:
            return event
        return Event.of({**event.data, "index": event.data["index"] + self.shift})
