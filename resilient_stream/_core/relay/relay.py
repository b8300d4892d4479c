"""Reads the bytes of one attempt and delivers its events.

A relay refuses bytes that are not the stream of one message, and delivers the events at the right time and
with the right index. Most frames are delivered unchanged. ``message_start`` waits for the first content,
because another attempt can replace this one until then. `OpenBlock` decides which events of a block wait. The
``message_start`` of a continuation is not delivered.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from typing import Any, Final

from resilient_stream._core.failures import Barren, Flaw, Kind, error_in, is_word, kind_of_error
from resilient_stream._core.plan.planner import Form, Plan
from resilient_stream._core.seam.joined import Join
from resilient_stream._core.settings import Settings
from resilient_stream._core.turn.transcript import Block
from resilient_stream._core.wire import events, shapes, sse
from resilient_stream._core.wire.event_order import Grammar
from resilient_stream._core.wire.events import Event
from resilient_stream._core.wire.usage import bounded, kept, shown

from .fast_path import FastPath
from .open_block import OpenBlock
from .output import Output
from .reply_start import ReplyStart

LONGEST_UNSEEN: Final = 128 * 1024 * 1024
"""The largest number of bytes in a row of which nothing is delivered. The longest thought of a continuation,
which is not delivered, takes a sixth of it at four bytes a delta."""

OPENINGS: Final = frozenset({"message_start", "content_block_start"})
"""Events that may arrive before the model has written anything."""

UsageOf = Callable[[dict[str, Any]], dict[str, Any]]


class Relay:
    """Reads one attempt. Call `receive` with its bytes, then `end`.

    Args:
        out: delivers to the consumer; all attempts of a stream use the same one.
        plan: the attempt's request.
        settings: have the types of blocks to hold, and what to do with an unverified seam.
        final_usage: turns the usage of this attempt's last ``message_delta`` into the usage that the consumer
            sees.
        asked_again: as in `ReplyStart`.
    """

    def __init__(
        self,
        out: Output,
        plan: Plan,
        settings: Settings,
        *,
        final_usage: UsageOf,
        asked_again: Collection[str] = (),
    ) -> None:
        self.out = out
        self.closing_usage: dict[str, Any] = {}
        """The last cumulative usage of this attempt."""
        self._usage: dict[str, Any] = {}
        """The usage in its ``message_start``."""
        self.complete = False
        self._events = 0
        self._spoke = False
        self._turn = out.turn
        self._plan = plan
        self._final_usage = final_usage
        self._asked_again = asked_again
        self._head = ReplyStart(
            plan, accept_unverified=settings.unverified == "accept", asked_again=asked_again
        )
        self.framer = sse.Framer()
        self.steady = FastPath(self.framer)
        self.quick = self.steady.quick
        """The fast path of the block that is delivered live."""
        self._first_frame = True
        self._unseen = 0
        self._grammar = Grammar()
        self._block = OpenBlock(out, plan, settings, self._head, self._grammar, self.steady)

    @property
    def events(self) -> int:
        """Events received, without pings and comments."""
        return self._events + self.steady.passed

    @property
    def spoke(self) -> bool:
        """Whether the reply has more than `OPENINGS`: content of a block, or an end."""
        return self._spoke or self.steady.passed > 0

    @property
    def ended(self) -> bool:
        """Whether a stop reason was received."""
        return self._grammar.stop_reason is not None

    @property
    def ending(self) -> bool:
        """Whether only the last event of the message is missing."""
        return self.ended or self._grammar.waits

    @property
    def inferred(self) -> bool:
        """As `ReplyStart.inferred`."""
        return self._head.inferred

    @property
    def tells_again(self) -> bool:
        """As `ReplyStart.tells_again`."""
        return self._head.tells_again

    def end_without_reason(self) -> None:
        """End the message without a stop reason, because the reply has shown that the text is complete."""
        delta = {"type": "message_delta", "delta": dict(shapes.NO_REASON), "usage": {}}
        self._head.infer()
        self.out.close_open_block()
        self.out.hand_all([self._with_usage(Event.of(delta), ours=True)])
        self.complete = True

    @property
    def joined(self) -> Join | None:
        """How the reply was joined to the text before it; None if nothing was joined."""
        return self._head.joined

    @property
    def opening(self) -> dict[str, Any] | None:
        """The message in this attempt's own ``message_start``."""
        return self._grammar.opening

    @property
    def unseen_tools(self) -> list[Block]:
        """As `OpenBlock.unseen_tools`."""
        return self._block.unseen_tools

    # -- reading ---------------------------------------------------------------------------------

    def receive(self, chunk: bytes) -> None:
        """Receive bytes. After ``message_stop`` only frames that belong to no message are delivered.

        Raises:
            Flaw: the bytes are damaged, events are out of order, or an event reports an error.
        """
        try:
            for frame in self.framer.feed(self.steady.drop() + chunk):
                if self._first_frame:
                    frame = events.first(frame)  # noqa: PLW2901 -- the repaired frame is the frame
                    self._first_frame = False
                if self.complete:
                    self._behind(frame)
                else:
                    self._frame(frame)
            self.steady.take_over()
            self._unseen = 0 if self.out.out else self._unseen + len(chunk)
            if self._unseen > LONGEST_UNSEEN:
                raise Flaw(Kind.PROTOCOL, f"{LONGEST_UNSEEN} bytes in a row without anything to deliver")  # noqa: TRY301 -- as all flaws
        except Flaw:
            self.framer.drop()  # there is a gap before whatever follows
            if not self.complete:
                raise

    def end(self, *, clean: bool = False) -> None:
        """Handle the end of the attempt.

        A last event that lacks only its blank line counts. If the start of the reply was held, it is joined.
        The events that still wait are dropped.

        Args:
            clean: whether the body ended regularly. If so, a ``message_stop`` without its blank line is no
                failure, and is delivered as it came.

        Raises:
            Flaw: the last event reported an error, or it ended a continuation that brought nothing, or the
                message has stopped without a reason.
        """
        told = self._read_unfinished(clean=clean)
        self._grammar.end()
        self._block.die()
        if told is not None:
            raise told

    def _read_unfinished(self, *, clean: bool) -> Flaw | None:
        """Read a last event that lacks its blank line. Return the flaw if it reports an error. An incomplete
        event is ignored."""
        rest = self.steady.drop() + self.framer.drop()
        try:
            if self._first_frame and clean:
                rest = events.first(rest)
            kind = events.read(rest).type if rest else "ping"
            if kind not in (events.SKIPPED, "ping"):
                untouched = clean and kind == "message_stop" and self._plan.form is Form.FIRST
                self._frame(rest if untouched else rest + b"\n\n")
        except Flaw as flaw:
            told = flaw.failure.in_band or flaw.failure.detail == events.NO_STREAM
            return flaw if told or isinstance(flaw, Barren) else None
        return None

    def _frame(self, frame: bytes) -> None:
        out = self.steady.whole(frame)
        if out is not None:
            self.out.out.append(out)
        else:
            event = events.read(frame)
            if event.type == "content_block_stop" and self.opening is None and self._turn.message is None:
                event = Event(
                    events.SKIPPED, event.data, frame
                )  # no block can stop before the message starts
            self._read(event)

    def _read(self, event: Event) -> None:
        if event.type in (events.SKIPPED, "ping"):
            self._block.aside(event)
            return
        self._events += 1
        self._spoke = self._spoke or event.type not in OPENINGS
        for each in self._grammar.take(shapes.mended(event)):
            self._pass(each)
        if self._grammar.waits:  # events that follow do not belong to the message
            self.steady.rest()

    def _pass(self, event: Event) -> None:
        """Handle the next event."""
        match event.type:
            case "message_start":
                self._usage = bounded(event.data["message"]["usage"], {})
                if self._turn.message is None:
                    self.out.wait(event)
            case "content_block_start":
                self._block.start(event)
            case "content_block_delta":
                self._block.delta(event)
            case "content_block_stop":
                self._block.stop(event, self._grammar.kind)
            case "message_delta":
                self._message_delta(event)
            case "message_stop":
                self.out.hand(event)
                self.complete = True
            case "error":
                error = error_in(event.data)
                word = error.get("type") if isinstance(error, dict) else None
                detail = word if is_word(word) else "unreadable error"
                kept = len(event.frame) <= events.LONGEST_ERROR
                body, frame = (event.data, event.frame) if kept else (None, b"")
                raise Flaw(kind_of_error(error), detail, in_band=True, body=body, frame=frame)
            case _:
                self._block.aside(event)

    def _behind(self, frame: bytes) -> None:
        """Handle a frame after ``message_stop``: deliver it if it does not belong to a message, and ignore it
        otherwise."""
        with contextlib.suppress(Flaw):
            event = events.read(frame)
            if event.type not in events.MESSAGE_EVENTS and event.type != "error":
                self.out.hand(event)

    # -- the message -----------------------------------------------------------------------------

    def _message_delta(self, event: Event) -> None:
        stop_reason, first = event.data["delta"].get("stop_reason"), self._plan.form is Form.FIRST
        self._ask_again_if_empty(event)
        ours = not first and bool(stop_reason or event.data.get("usage"))
        event = self._with_usage(event, ours=ours)
        if stop_reason:
            self._block.end(stop_reason)
            if self._grammar.open is not None and first:
                self._block.left_open()
            elif self._grammar.open is not None:
                self._pass(self._grammar.close_open())
            self._head.end(stop_reason)
            self.out.flush()
            if not first:
                self.out.close_open_block()
        self.out.in_order(event)

    def _ask_again_if_empty(self, event: Event) -> None:
        """Refuse an empty answer without output tokens. Overloaded hosts send such answers.

        Raises:
            Barren: the answer is empty, for the first time.
        """
        reason, usage = event.data["delta"].get("stop_reason"), event.data.get("usage")
        said = usage.get("output_tokens") if isinstance(usage, dict) else None
        if said or reason != "end_turn" or reason in self._asked_again or self._plan.continues:
            return
        if self._turn.message is None and self._grammar.open is None:
            waiting = self.out.nothing_said
            if waiting is not None:
                flaw = Barren(reason, "an empty answer")
                flaw.answer = [*waiting, self._with_usage(event, ours=False)]
                raise flaw

    def _with_usage(self, event: Event, *, ours: bool) -> Event:
        """Record the usage in a ``message_delta``, and return the event with the usage that the consumer
        sees.

        Args:
            event: a ``message_delta``.
            ours: whether the consumer sees the usage that ``final_usage`` makes.
        """
        told, closing = event.data.get("usage"), self.closing_usage
        before = self._usage | closing
        for name, value in kept(before, bounded(told if isinstance(told, dict) else {}, before)).items():
            if value is not None or name not in closing:
                closing[name] = value
        usage = shown(before, self._final_usage(closing) if ours else told)
        return event if usage == told else Event.of({**event.data, "usage": usage})
