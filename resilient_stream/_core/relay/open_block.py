"""Decides when and how the events of the block that is open upstream are delivered.

Most events are delivered as they arrive. Some wait, so that a failed attempt leaves nothing that could not be
continued:

* The start of a text block waits for its first non-blank character, the start of a thinking block for its
  first thought. The signature and stop of a thinking block wait for the next content.
* A block of a type in ``hold`` (a tool call) waits until it is complete.
* The start of a continuation waits until it is known how it joins the text before it.

Thinking in the reply to a user turn is not delivered.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, Final

from resilient_stream._core.failures import Flaw
from resilient_stream._core.plan.planner import Plan
from resilient_stream._core.settings import Settings
from resilient_stream._core.turn.salvage import harmless
from resilient_stream._core.turn.transcript import SERVER_TOOL_USES, TOOL_USES, Block
from resilient_stream._core.wire import events
from resilient_stream._core.wire.event_order import Grammar
from resilient_stream._core.wire.events import Event
from resilient_stream._core.wire.tool_input import ToolInput

from .fast_path import FastPath
from .held_block import HeldBlock
from .output import Output
from .reply_start import ReplyStart

_COMPLETE: Final = ("tool_use", "end_turn")
"""Stop reasons which mean that the model has written everything that it wanted to write."""


class Mode(Enum):
    """What is done with the block that is open upstream."""

    LIVE = auto()
    """Its events are delivered as they arrive."""
    WAITING = auto()
    """The block's start waits for content."""
    HIDDEN = auto()
    """The block is not delivered at all."""
    SEAM = auto()
    """The start of the reply is held until the join is decided."""


class OpenBlock:
    """Receives the events of one attempt's blocks, which `Grammar` has accepted, and delivers them.

    Args:
        out: delivers to the consumer; all attempts of a stream use the same one.
        plan: the attempt's request.
        settings: have the types of blocks to hold.
        head: holds the start of a continuation.
        grammar: has the index and the type of the block that is open upstream.
        steady: takes the canonical deltas of a block that is delivered live, or held.
    """

    def __init__(
        self,
        out: Output,
        plan: Plan,
        settings: Settings,
        head: ReplyStart,
        grammar: Grammar,
        steady: FastPath,
    ) -> None:
        self.out = out
        self.steady = steady
        self._turn = out.turn
        self._plan = plan
        self._settings = settings
        self._head = head
        self._grammar = grammar
        self._mode = Mode.LIVE
        self._held: HeldBlock | None = None
        """The open block, if all of it waits until it is complete. `Mode` does not apply to it then."""
        self._start: dict[str, Any] = {}
        """The ``content_block_start`` of the block that is waiting for the join."""
        self._input: ToolInput | None = None
        self._cut: Flaw | None = None
        """The flaw of a tool call that ended with incomplete input. It is a failure only if another block
        follows, or if the stop reason is one of `_COMPLETE`; otherwise the model itself stopped inside the
        call."""

    def aside(self, event: Event) -> None:
        """Deliver an event without content, in order: behind the events that wait."""
        if self._held is not None:
            self._hold(self._held, event)
        else:
            self.out.in_order(event)
            self._hand_on_if_full()

    def start(self, event: Event) -> None:
        """Handle the start of a block.

        Raises:
            Flaw: the input of the call before it is incomplete.
        """
        if self._cut is not None:
            raise self._cut
        block = event.data["content_block"]
        kind = block.get("type")
        if kind in ("thinking", "redacted_thinking") and self._plan.hide_thinking:
            self._mode = Mode.HIDDEN
        elif kind == "text" and self._head.wanted:
            self._mode, self._start = Mode.SEAM, event.data
            self._head.grow(str(block.get("text") or ""))
            self._decide(final=False)
        else:
            if kind != "fallback":  # text may follow a change of models, and still has to be joined
                self._head.other()
            self.out.place_behind(self._grammar.index)
            self._open(self.out.placed(event), kind)

    def _open(self, event: Event, kind: object) -> None:
        self._input = ToolInput() if kind in TOOL_USES else None
        if self._settings.holds(kind):
            self._mode, self._held = Mode.LIVE, HeldBlock(event)
            self._follow(self._held.block)
        elif kind in ("text", "thinking", "redacted_thinking") and not events.has_content(
            event.data["content_block"]
        ):
            self._mode = Mode.WAITING
            self.out.wait(event)
        else:
            self.out.content(event)
            self._go_live()

    def delta(self, event: Event) -> None:
        """Handle a delta of the open block.

        Raises:
            Flaw: the input of a call is not JSON.
        """
        delta = event.data["delta"]
        if self._input is not None and delta.get("type") == "input_json_delta":
            piece = self._input.take(delta["partial_json"])
            if piece != delta["partial_json"]:
                event = Event.of({**event.data, "delta": {**delta, "partial_json": piece}})
        if self._held is not None:
            self._hold(self._held, self.out.placed(event))
            return
        match self._mode:
            case Mode.HIDDEN:
                pass
            case Mode.SEAM:
                self._seam_delta(event, delta)
            case Mode.WAITING:
                self.out.wait(self.out.placed(event))
                if events.has_content(delta) and not events.ends_in_half(delta):
                    self.out.flush()
                    self._go_live()
                self._hand_on_if_full()
            case _:
                self._live(self.out.placed(event), delta)

    def _live(self, event: Event, delta: dict[str, Any]) -> None:
        if delta.get("type") == "signature_delta" or events.ends_in_half(delta):
            self.out.wait(event)
            self.steady.rest()
            self._hand_on_if_full()
        else:
            self.out.content(event)
            self._go_live()

    def _hold(self, held: HeldBlock, event: Event) -> None:
        held.add(event)
        self._let_go_if_too_long(held)

    def _let_go_if_too_long(self, held: HeldBlock) -> None:
        if held.too_long:
            self._held = None
            self.out.wait_whole(held)
            self.out.flush()
            self._go_live()

    def _hand_on_if_full(self) -> None:
        """Deliver everything that waits, if it has reached its limit before any content has arrived."""
        if self.out.full:
            self.out.flush()
            if self._mode is Mode.WAITING and self._grammar.open is not None:
                self._go_live()

    def _go_live(self) -> None:
        """Deliver the open block as it arrives from now on, its canonical deltas by the fast path."""
        self._mode = Mode.LIVE
        self._follow(self._turn.blocks[-1])

    def _follow(self, block: Block) -> None:
        shift = self.out.shift + self._grammar.index - self._grammar.label
        self.steady.follow(block, self._grammar.label, shift, self._input, self._held)

    def stop(self, event: Event, kind: object) -> None:
        """Handle the stop of the open block, which is of type ``kind``."""
        if self._mode is Mode.SEAM:
            self._decide(final=True)
        self.steady.rest()
        if kind == "tool_use" and self._input is not None and not self._input.whole:
            self._cut = self._input.broken()
        self._input = None
        if self._held is not None:
            self._release(self._held, self.out.placed(event), kind)
            return
        match self._mode:
            case Mode.WAITING if kind == "text" and self._plan.continues and self.out.drop_empty_block():
                pass  # the whole block was an echo, so there is nothing to deliver
            case Mode.WAITING:
                self.out.wait(self.out.placed(event))
                self._hand_on_if_full()
            case Mode.LIVE if kind == "thinking" or self._cut is not None:
                self.out.wait(self.out.placed(event))
            case Mode.LIVE:
                self.out.content(self.out.placed(event))
            case _:
                pass

    def _release(self, held: HeldBlock, stop: Event, kind: object) -> None:
        """Deliver a held block that is complete.

        A tool call whose input parses is delivered at once. A block that may still be regenerated, or that is
        valid only together with the next one, waits for the next content.
        """
        self._held = None
        held.add(stop)
        self.out.wait_whole(held)
        regenerate = kind == "tool_use" and self._settings.completed_tools == "regenerate"
        if kind in TOOL_USES and held.block.parses and not regenerate:
            self.out.flush()

    def end(self, stop_reason: str) -> None:
        """Handle the end of the message with this stop reason.

        Raises:
            Flaw: the stop reason means that everything was written, but the input of a call is incomplete.
        """
        if stop_reason not in _COMPLETE:
            return
        if self._cut is not None:
            raise self._cut
        if self._grammar.kind == "tool_use" and self._input is not None and not self._input.whole:
            raise self._input.broken()

    def left_open(self) -> None:
        """Handle a message that ends inside the block. The block stays open, as the API left it."""
        if self._held is not None:
            self.out.wait_whole(self._held)
        self._held, self._mode = None, Mode.LIVE
        self.steady.rest()

    def die(self) -> None:
        """Handle the end of the attempt: join the start of the reply that was held, and drop the events that
        wait."""
        if self._mode is Mode.SEAM and self._head.decide_at_death():
            self._join()
        # One is kept, so that the number does not grow from attempt to attempt.
        self._turn.unseen = [*self._turn.unseen, *self.unseen_tools][:1]
        self.out.drop()
        self._held = None
        self.steady.rest()

    @property
    def unseen_tools(self) -> list[Block]:
        """The server tool uses that have begun, were not delivered and may have side effects; without their
        input, which may be long."""
        held = [] if self._held is None else [self._held.block]
        blocks = (*held, *map(Block.of, self._grammar.behind()))
        uses = [block.start for block in blocks if block.type in SERVER_TOOL_USES]
        return [Block({"type": use["type"], "name": use.get("name")}) for use in uses if not harmless(use)]

    # -- the seam --------------------------------------------------------------------------------

    def _seam_delta(self, event: Event, delta: dict[str, Any]) -> None:
        if delta.get("type") == "text_delta" and isinstance(delta.get("text"), str):
            self._head.grow(delta["text"])
            self._decide(final=False)
        elif delta.get("type") != "citations_delta":
            self._decide(final=True)
            self.delta(event)

    def _decide(self, *, final: bool) -> None:
        """Join, if the join can be decided. If the block ends before that, it has nothing to deliver."""
        if self._head.decide(final=final):
            self._join()
        elif final:
            self._mode = Mode.HIDDEN

    def _join(self) -> None:
        """Deliver the text that follows the part that was cut."""
        start = self._start
        if self._folds(start["content_block"]):
            self.out.place_in_last(self._grammar.index)
            self._go_live()
        else:
            self.out.place_behind(self._grammar.index)
            self._mode = Mode.WAITING
            empty = {**start["content_block"], "text": ""}
            self.out.wait(self.out.placed(Event.of({**start, "content_block": empty})))
        whole = self._head.rest.rstrip(events.FIRST_HALVES)
        for piece in (whole, self._head.rest[len(whole) :]):
            if piece:
                delta = {"type": "text_delta", "text": piece}
                self.delta(
                    Event.of({"type": "content_block_delta", "index": self._grammar.index, "delta": delta})
                )

    def _folds(self, block: dict[str, Any]) -> bool:
        """Whether the continuation's text is added to the consumer's open block; not if either has
        citations."""
        last = self._turn.open_block
        if last is None or last.type != "text" or last.citations or last.start.get("citations"):
            return False
        return block.get("citations") is None
