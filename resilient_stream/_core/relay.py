"""One attempt's events on their way to the consumer.

A relay reads the bytes of one attempt, refuses what is not the stream of one message, and hands the
rest over at the right moment and under the right index. Most frames pass untouched. Some wait, so
that an attempt that dies leaves nothing behind that could not be continued:

* ``message_start`` waits for the first content: until then another attempt can take its place.
* The start of a text block waits for its first non-blank character, the start of a thinking block
  for its first thought; the signature and stop of a thinking block wait for the next content.
* A block of a type in ``hold`` (a tool call) waits until it is complete.
* The head of a continuation waits until it is known how it joins.

A continuation's own ``message_start`` and, after a user turn, its thinking are not handed over.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from enum import Enum, auto
from typing import Any

from . import events, sse
from .continuation import Form, Plan
from .events import Event
from .failures import Barren, Flaw, kind_of_error
from .grammar import Grammar
from .handover import Handover
from .head import Head
from .seam import Join
from .settings import Settings
from .steady import Steady
from .transcript import SERVER_TOOL_USES, TOOL_USES, Block

UsageOf = Callable[[dict[str, Any]], dict[str, Any]]


class Mode(Enum):
    """What is done with the block that is open upstream."""

    LIVE = auto()
    WAITING = auto()
    """Its start waits for content."""
    HELD = auto()
    """All of it waits until it is complete."""
    HIDDEN = auto()
    """It is not handed over at all."""
    SEAM = auto()
    """Its head is held until the join is decided."""


class Relay:
    """Reads one attempt: `receive` its bytes, then `end` it.

    Args:
        out: the way to the consumer; it outlives the attempt.
        plan: what the attempt was asked.
        settings: what to hold, and what to do with an unverified seam.
        final_usage: from the usage of this attempt's last ``message_delta`` to the one that is shown.
        asked_again: as in `Head`.
    """

    def __init__(
        self,
        out: Handover,
        plan: Plan,
        settings: Settings,
        *,
        final_usage: UsageOf,
        asked_again: Collection[str] = (),
    ) -> None:
        self.out = out
        self.closing_usage: dict[str, Any] = {}
        """The last cumulative usage of this attempt."""
        self.steady = Steady()
        self.complete = False
        self._events = 0
        self._turn = out.turn
        self._plan = plan
        self._settings = settings
        self._final_usage = final_usage
        self._head = Head(plan, accept_unverified=settings.unverified == "accept", asked_again=asked_again)
        self.framer = sse.Framer()
        self._first_frame = True
        self._mode = Mode.LIVE
        self._grammar = Grammar()
        self._held: list[Event] = []

    @property
    def events(self) -> int:
        """Events seen, pings and comments apart."""
        return self._events + self.steady.passed

    @property
    def ended(self) -> bool:
        """Whether a stop reason came."""
        return self._grammar.stop_reason is not None

    @property
    def joined(self) -> Join | None:
        """How the reply was joined to what the consumer had; None where nothing was joined."""
        return self._head.joined

    @property
    def opening(self) -> dict[str, Any] | None:
        """The message of this attempt's own ``message_start``."""
        return self._grammar.opening

    # -- reading ---------------------------------------------------------------------------------

    def receive(self, chunk: bytes) -> None:
        """Take bytes in. After ``message_stop`` only what is no part of a message goes on.

        Raises:
            Flaw: they are broken, break the grammar, or tell of an error.
        """
        try:
            for frame in self.framer.feed(chunk):
                if self._first_frame:
                    self._first_frame = False
                    frame = frame.removeprefix(sse.BOM)  # noqa: PLW2901 -- the repaired frame is the frame
                if self.complete:
                    self._behind(frame)
                else:
                    self._frame(frame)
        except Flaw:
            self.framer.drop()  # what follows a flaw follows a gap
            raise

    def end(self, *, clean: bool = False) -> None:
        """The attempt is over.

        A last event that is complete but for its blank line counts. A head that was held is joined
        with what came of it. What still waits is dropped.

        Args:
            clean: the body ended as a body does. A ``message_stop`` without its blank line is then no
                failure, and stays the bytes it is.

        Raises:
            Flaw: the last event told of an error, or ended a continuation that brought nothing.
        """
        told = self._read_unfinished(clean=clean)
        if self._mode is Mode.SEAM and self._head.decide_at_death():
            self._join()
        if self._mode is Mode.HELD and self._held:
            self._turn.unseen += [block for block in [Block.of(self._held)] if block.type in SERVER_TOOL_USES]
        self.out.drop()
        self._held.clear()
        self.steady.rest()
        if told is not None:
            raise told

    def _read_unfinished(self, *, clean: bool) -> Flaw | None:
        """Read a last event that lacks its blank line; the flaw that it tells of. One that is cut is none."""
        rest = self.framer.drop()
        try:
            kind = events.read(rest).type if rest else "ping"
            if kind not in (events.SKIPPED, "ping"):
                untouched = clean and kind == "message_stop" and self._plan.form is Form.FIRST
                self._frame(rest if untouched else rest + b"\n\n")
        except Flaw as flaw:
            return flaw if flaw.failure.in_band or isinstance(flaw, Barren) else None
        return None

    def _frame(self, frame: bytes) -> None:
        steady = self.steady
        out = steady.quick(frame) or steady.learn(frame)
        if out is None:
            event = events.read(frame)
            if event.type == "content_block_stop" and self.opening is None and self._turn.message is None:
                event = Event(events.SKIPPED, event.data, frame)  # before the message it stops nothing
            self._read(event)
        else:
            self.out.out.append(out)

    def _read(self, event: Event) -> None:
        if event.type in (events.SKIPPED, "ping"):
            self._pass(event)
            return
        self._events += 1
        kind = (self._grammar.open or {}).get("type")
        self._grammar.check(event)
        match event.type:
            case "message_start" if self._turn.message is None:
                self.out.wait(event)
            case "message_start":
                pass
            case "content_block_start":
                self._block_start(event)
            case "content_block_delta":
                self._block_delta(event)
            case "content_block_stop":
                self._block_stop(event, kind)
            case "message_delta":
                self._message_delta(event)
            case "message_stop":
                self.out.hand(event)
                self.complete = True
            case "error":
                error = event.data.get("error")
                word = error.get("type") if isinstance(error, dict) else None
                raise Flaw(
                    kind_of_error(error), str(word or "unreadable error"), in_band=True, body=event.data
                )
            case _:
                self._pass(event)

    def _behind(self, frame: bytes) -> None:
        """A frame after ``message_stop``: what belongs to no message goes on, all else is nobody's."""
        with contextlib.suppress(Flaw):
            event = events.read(frame)
            if event.type not in events.MESSAGE_EVENTS and event.type != "error":
                self.out.hand(event)

    def _pass(self, event: Event) -> None:
        """An event that is no content keeps its place behind what waits."""
        if self._mode is Mode.HELD and self._grammar.open is not None:
            self._held.append(event)
        else:
            self.out.in_order(event)

    # -- the message -----------------------------------------------------------------------------

    def _message_delta(self, event: Event) -> None:
        stop_reason, usage = event.data["delta"].get("stop_reason"), event.data.get("usage")
        first = self._plan.form is Form.FIRST
        for name, value in (usage or {}).items():
            if value is not None or name not in self.closing_usage:
                self.closing_usage[name] = value
        if stop_reason:
            if self._grammar.open is not None:
                self._leave_block()
            self._head.end(str(stop_reason))
            self.out.flush()
            if not first:
                self.out.close_open_block()
        if (usage or stop_reason) and not first:
            event = Event.of({**event.data, "usage": self._final_usage(self.closing_usage)})
        self.out.in_order(event)

    def _leave_block(self) -> None:
        """The stop reason came inside a block. In a first attempt it stays open, as the API left it."""
        if self._plan.form is not Form.FIRST:
            self._read(Event.of({"type": "content_block_stop", "index": self._grammar.index}))
            return
        for held in self._held:
            self.out.wait(held)
        self._held, self._mode = [], Mode.LIVE
        self.steady.rest()

    # -- blocks ----------------------------------------------------------------------------------

    def _block_start(self, event: Event) -> None:
        block = event.data["content_block"]
        kind = block.get("type")
        if kind in ("thinking", "redacted_thinking") and self._plan.hide_thinking:
            self._mode = Mode.HIDDEN
        elif kind == "text" and self._head.wanted:
            self._mode, self._held = Mode.SEAM, [event]
            self._head.open(str(block.get("text") or ""))
            self._join_if(final=False)
        else:
            self._head.other()
            self.out.place_behind(self._grammar.index)
            self._open_block(self.out.placed(event), kind)

    def _open_block(self, event: Event, kind: object) -> None:
        if kind in self._settings.hold:
            self._mode, self._held = Mode.HELD, [event]
        elif kind in ("text", "thinking", "redacted_thinking") and not events.has_content(
            event.data["content_block"]
        ):
            self._mode = Mode.WAITING
            self.out.wait(event)
        else:
            self.out.content(event)
            self._go_live()

    def _block_delta(self, event: Event) -> None:
        delta = event.data["delta"]
        match self._mode:
            case Mode.HIDDEN:
                pass
            case Mode.SEAM:
                self._seam_delta(event, delta)
            case Mode.HELD:
                self._held.append(self.out.placed(event))
            case Mode.WAITING:
                self.out.wait(self.out.placed(event))
                if events.has_content(delta) and not events.ends_in_half(delta):
                    self.out.flush()
                    self._go_live()
            case _:
                self._live_event(self.out.placed(event), delta)

    def _live_event(self, event: Event, delta: dict[str, Any]) -> None:
        if delta.get("type") == "signature_delta" or events.ends_in_half(delta):
            self.out.wait(event)
            self.steady.rest()
        else:
            self.out.content(event)
            self._go_live()

    def _go_live(self) -> None:
        """From here on canonical deltas of the open block take the short way."""
        self._mode = Mode.LIVE
        self.steady.follow(self._turn.blocks[-1], self._grammar.index, self.out.shift)

    def _block_stop(self, event: Event, kind: object) -> None:
        if self._mode is Mode.SEAM:
            self._join_if(final=True)
        self.steady.rest()
        match self._mode:
            case Mode.HELD:
                self._release(self.out.placed(event), kind)
            case Mode.WAITING if kind == "text" and self._plan.continues and self.out.drop_empty_block():
                pass  # all of it was an echo: there is no block
            case Mode.WAITING:
                self.out.wait(self.out.placed(event))
            case Mode.LIVE if kind == "thinking":
                self.out.wait(self.out.placed(event))
            case Mode.LIVE:
                self.out.content(self.out.placed(event))
            case _:
                pass

    def _release(self, stop: Event, kind: object) -> None:
        """A held block is complete. A tool call goes at once, if its input parses; what may still
        be regenerated, or is only good together with what follows it, waits for that."""
        block = Block.of(self._held)
        for held in [*self._held, stop]:
            self.out.wait(held)
        self._held = []
        regenerate = kind == "tool_use" and self._settings.completed_tools == "regenerate"
        if kind in TOOL_USES and block.parses and not regenerate:
            self.out.flush()

    # -- the seam --------------------------------------------------------------------------------

    def _seam_delta(self, event: Event, delta: dict[str, Any]) -> None:
        if delta.get("type") == "text_delta" and isinstance(delta.get("text"), str):
            self._head.grow(delta["text"])
            self._join_if(final=False)
        elif delta.get("type") != "citations_delta":
            self._join_if(final=True)
            self._block_delta(event)

    def _join_if(self, *, final: bool) -> None:
        """Join if that is decided; a block that ends before has nothing to hand over."""
        if self._head.decide(final=final):
            self._join()
        elif final:
            self._mode = Mode.HIDDEN

    def _join(self) -> None:
        """Hand over what follows the cut."""
        start, self._held = self._held[0], []
        if self._folds(start):
            self.out.place_in_last(self._grammar.index)
            self._go_live()
        else:
            self.out.place_behind(self._grammar.index)
            self._mode = Mode.WAITING
            empty = {**start.data["content_block"], "text": ""}
            self.out.wait(self.out.placed(Event.of({**start.data, "content_block": empty})))
        whole = self._head.rest.rstrip(events.FIRST_HALVES)
        for piece in (whole, self._head.rest[len(whole) :]):
            if piece:
                delta = {"type": "text_delta", "text": piece}
                self._block_delta(
                    Event.of({"type": "content_block_delta", "index": self._grammar.index, "delta": delta})
                )

    def _folds(self, start: Event) -> bool:
        """Whether the continuation's text goes on in the block that is open: not where either cites."""
        last = self._turn.open_block
        if last is None or last.type != "text" or last.citations or last.start.get("citations"):
            return False
        return start.data["content_block"].get("citations") is None
