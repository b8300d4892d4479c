"""The last step to the consumer: what is handed over, what waits, and under which index.

Events go out in order. One that only makes sense together with what follows it waits (`wait`) until
content comes (`content`) or the attempt dies (`drop`). What was handed over is recorded in the turn,
and nothing else is. A continuation's blocks get the indices behind those the consumer has (`placed`).
There is one way out for all attempts, so that what one has handed over is not lost when the next begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from resilient_stream._core.turn.transcript import Block, Turn
from resilient_stream._core.wire.events import Event


class Output:
    """The way out."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.out: list[bytes] = []
        self.waiting: list[Event] = []
        self._starts = 0
        """How many blocks begin in what waits."""
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

    def wait(self, event: Event) -> None:
        """Keep until content comes."""
        self.waiting.append(event)
        self._starts += event.type == "content_block_start"

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
        for event in self.waiting:
            self.hand(event)
        self.waiting.clear()
        self._starts = 0

    @property
    def waits_for_content(self) -> bool:
        """Whether all that waits has said nothing: blank text at most."""
        starts = (one.data["content_block"] for one in self.waiting if one.type == "content_block_start")
        return all(block["type"] == "text" for block in starts)

    def drop(self) -> None:
        """The attempt is over: what waits is never handed over."""
        self.waiting.clear()
        self._starts = self.shift = 0

    def drop_empty_block(self) -> bool:
        """Never hand over the block that waits, if there is nothing in it; say whether that is so."""
        start = len(self.waiting) - 1
        while self.waiting[start].type != "content_block_start":
            start -= 1
        empty = not Block.of(self.waiting[start:]).text
        if empty:
            del self.waiting[start:]
            self._starts -= 1
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
        self.shift = len(self.turn.blocks) + self._starts - index

    def place_in_last(self, index: int) -> None:
        """The block that upstream calls ``index`` goes on in the consumer's last."""
        self.shift = len(self.turn.blocks) - 1 - index

    def placed(self, event: Event) -> Event:
        """The event under the consumer's index; the very same where that is no other."""
        if self.shift == 0:
            return event
        return Event.of({**event.data, "index": event.data["index"] + self.shift})
