"""The order of one message's events.

``message_start``, then blocks one after the other, each with ``content_block_start``, deltas and
``content_block_stop``, then ``message_delta``, then ``message_stop``; no block after the stop reason
[platform docs, "Streaming"]. A stop reason may arrive while a block is open: ``max_tokens`` inside a tool
call looks like that (SDK's tests). Events that break this order would make the SDK fail, or accept two
messages as one.

Gateways are less strict: blocks overlap or have no stop, indices have gaps where blocks were filtered out, or
are missing. The meaning is clear, and the SDK reads most of it. So blocks that begin while another is open
wait behind it, and follow in order, with indices that rise by one. A block is recognised by the index of its
start or, as in the SDK, by its position among the blocks. A second stop is ignored. A ``message_stop`` waits
for the ``message_delta`` that should have come before it. Events that are not named here may occur anywhere.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final

from resilient_stream._core.failures import Flaw, Kind

from . import shapes
from .events import Event, read

LONGEST_BEHIND: Final = 64 * 1024 * 1024
"""The largest number of bytes of blocks that wait behind an open one."""

NO_REASON_AT_STOP: Final = "message_stop without a stop reason"
"""The detail of the failure of a message that ends without a stop reason."""


class Grammar:
    """Receives the events of one attempt, and yields them in order."""

    def __init__(self) -> None:
        self.opening: dict[str, Any] | None = None
        """The message of ``message_start``."""
        self.open: dict[str, Any] | None = None
        """The content block that is open; of several, the first."""
        self.kind = ""
        """The type of that block, or of the last."""
        self.index = -1
        """The index under which it is delivered."""
        self.label = -1
        """The index under which it arrived."""
        self.stop_reason: str | None = None
        self._labels = set[int]()
        self._last_label = -1
        self._behind = OrderedDict[int, list[bytes]]()
        self._growing = set[int]()
        self._behind_bytes = 0
        self._stop: Event | None = None

    def take(self, event: Event) -> Iterator[Event]:
        """The events that may be delivered after this event has arrived, in order. The attributes describe
        each event in turn.

        Raises:
            Flaw: it can't come here (`Kind.PROTOCOL`).
        """
        match event.type:
            case "message_start":
                yield from self._message_start(event)
            case "content_block_start":
                yield from self._block_start(event)
            case "content_block_delta" | "content_block_stop":
                yield from self._in_block(event)
            case "message_delta":
                yield from self._message_delta(event)
            case "message_stop" if self.stop_reason is None:
                self.end()
                self._stop = event
            case _:
                yield event

    @property
    def waits(self) -> bool:
        """Whether only the stop reason is missing: ``message_stop`` was received."""
        return self._stop is not None

    def end(self) -> None:
        """Note that nothing more arrives.

        Raises:
            Flaw: the message has stopped, and has not said why (`Kind.TRUNCATED`). It is raised once.
        """
        if self._stop is not None:
            self._stop = None
            raise Flaw(Kind.TRUNCATED, NO_REASON_AT_STOP)

    def close_open(self) -> Event:
        """The stop of the open block, if it did not arrive."""
        self.open = None
        return Event.of({"type": "content_block_stop", "index": self.index})

    def behind(self) -> Iterator[Iterator[Event]]:
        """The events of the blocks that wait behind the open one, block by block."""
        return (map(read, frames) for frames in self._behind.values())

    def _message_start(self, event: Event) -> Iterator[Event]:
        if self.opening is not None:
            if event.data["message"] == self.opening and not self._labels:
                return  # the same frame twice
            raise Flaw(Kind.PROTOCOL, "a second message_start")
        self.opening = message = event.data["message"]
        if not message["content"]:
            yield event
            return
        yield Event.of({**event.data, "message": {**message, "content": []}})
        for given in message["content"]:  # where the SDK would put it, before what follows
            start = {"type": "content_block_start", "index": -1, "content_block": shapes.block(given)}
            yield self._begin(Event.of(start), -1)
            yield self.close_open()

    def _block_start(self, event: Event) -> Iterator[Event]:
        self.end()
        begun = self.index + 1 + len(self._behind)
        label = _number(event.data.get("index"), begun)
        if self.open is not None and (label, event.data["content_block"]) == (self.label, self.open):
            return  # the same frame twice
        if (
            self.opening is None
            or self.stop_reason is not None
            # a part between them may be missing
            or (self.open is not None and (label in self._labels or label != self._last_label + 1))
        ):
            raise Flaw(Kind.PROTOCOL, "a content_block_start out of place")
        self._labels.add(label)
        self._last_label = max(self._last_label, label)
        if self.open is None:
            yield self._begin(event, label)
        else:
            self._behind[label] = []
            self._growing.add(label)
            self._wait(label, event)

    def _in_block(self, event: Event) -> Iterator[Event]:
        self.end()
        label = _number(event.data.get("index"), None if self._behind else self.label)
        at_its_place = label == self.index and label not in self._labels
        if self.open is not None and (label == self.label or at_its_place):
            yield self._front(event)
            yield from self._follow()
        elif label in self._growing:
            self._wait(label, event)
            if event.type == "content_block_stop":
                self._growing.remove(label)
        elif event.type == "content_block_stop" and label in self._labels:
            pass  # the block has stopped
        else:
            raise Flaw(Kind.PROTOCOL, f"a {event.type} out of place")

    def _message_delta(self, event: Event) -> Iterator[Event]:
        if self.opening is None:
            raise Flaw(Kind.PROTOCOL, "a message_delta out of place")
        reason = event.data["delta"].get("stop_reason")
        if isinstance(reason, str) and reason:
            while self._behind:  # the block in front was never closed
                yield self.close_open()
                yield from self._follow()
            self.stop_reason = reason
        yield event
        if self._stop is not None and self.stop_reason is not None:
            stop, self._stop = self._stop, None
            yield stop

    def _wait(self, label: int, event: Event) -> None:
        """Keep an event of a block that is not the first."""
        self._behind[label].append(event.frame)
        self._behind_bytes += len(event.frame)
        if self._behind_bytes > LONGEST_BEHIND:
            raise Flaw(Kind.PROTOCOL, f"more than {LONGEST_BEHIND} bytes behind a block that is open")

    # -- the block in front ----------------------------------------------------------------------

    def _begin(self, event: Event, label: int) -> Event:
        opened = event.data["content_block"]
        self.open, self.label = opened, label
        self.kind, self.index = opened["type"], self.index + 1
        return self._placed(event)

    def _front(self, event: Event) -> Event:
        """An event of the open block."""
        if event.type == "content_block_stop":
            self.open = None
        return self._placed(event)

    def _follow(self) -> Iterator[Event]:
        """If no block is open: the events of those behind it, up to a block that is not complete."""
        while self.open is None and self._behind:
            label, frames = self._behind.popitem(last=False)
            self._growing.discard(label)
            self._behind_bytes -= sum(map(len, frames))
            waiting = map(read, frames)
            yield self._begin(next(waiting), label)
            yield from map(self._front, waiting)

    def _placed(self, event: Event) -> Event:
        """The event with the index under which it is delivered; the same object if it has that index."""
        index = event.data.get("index")
        same = type(index) is int and index == self.index
        return event if same else Event.of({**event.data, "index": self.index})


def _number(index: Any, default: Any) -> Any:
    """An index; the default if it is not a number. True and 1.0 are not numbers here."""
    return index if type(index) is int else default
