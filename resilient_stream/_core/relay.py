"""One attempt's events on their way to the consumer.

A relay reads the frames of one attempt, refuses what is not the stream of one message, and hands
the rest over at the right moment and under the right index. Most frames pass untouched. Some wait,
so that an attempt that dies leaves nothing behind that could not be continued:

* ``message_start`` waits for the first content: until then another attempt can take its place.
* The start of a text block waits for its first non-blank character, the start of a thinking block
  for its first thought; the signature and stop of a thinking block wait for the next content.
* A block of a type in ``hold`` (a tool call) waits until it is complete.
* The head of a continuation waits until it is known how it joins.

What waits in `_pending` is handed over with the next content, or never. A continuation's own
``message_start`` and, after a user turn, its thinking are not handed over; its blocks are
renumbered behind those the consumer has.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from . import events
from .continuation import Form, Plan
from .events import CANONICAL, Event
from .failures import Flaw, Kind, kind_of_error
from .seam import Join, Joined, join
from .settings import Settings
from .transcript import TEXT_FIELDS, Block, Turn

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


class Barren(Flaw):
    """A continuation ended, formally well, without bringing anything."""

    def __init__(self, stop_reason: str) -> None:
        super().__init__(Kind.PROTOCOL, "the continuation brought nothing")
        self.stop_reason = stop_reason


class Relay:
    """Reads one attempt. After `feed`, `take` what is to be handed over."""

    def __init__(
        self, turn: Turn, plan: Plan, settings: Settings, *, final_usage: UsageOf, accept_empty: bool = False
    ) -> None:
        self.turn = turn
        self.opening: dict[str, Any] | None = None
        """The message of this attempt's own ``message_start``."""
        self.closing_usage: dict[str, Any] = {}
        """The last cumulative usage of this attempt."""
        self.events = 0
        """Events seen, pings and comments apart."""
        self.joined: Join | None = None
        self.complete = False
        self._plan = plan
        self._settings = settings
        self._asked = plan.asked
        self._final_usage = final_usage
        self._accept_empty = accept_empty
        self._out: list[bytes] = []
        self._pending: list[Event] = []
        self._held: list[Event] = []
        self._head = ""
        self._mode = Mode.LIVE
        self._next = 0
        self._open: dict[str, Any] | None = None
        self._shift = 0
        self._live_index: bytes | None = None
        self._live_delta = b""
        self._live_raw = bytearray()
        self._placed_index: bytes | None = None

    # -- reading ---------------------------------------------------------------------------------

    def feed(self, frame: bytes) -> None:
        """Take one frame in.

        Raises:
            Flaw: the frame is broken, breaks the grammar, or tells of an error.
        """
        delta = CANONICAL.fullmatch(frame)
        if (
            delta is None
            or delta[1] != self._live_index
            or not delta[2].startswith(self._live_delta)
            or events.string_tail_is_half(delta[3])
            or not (frame.isascii() or _is_utf8(frame))
        ):
            self._read(events.read(frame))
            return
        self.events += 1
        self._live_raw += delta[3]
        if self._placed_index is not None:
            frame = frame[: delta.start(1)] + self._placed_index + frame[delta.end(1) :]
        self._out.append(frame)

    def take(self) -> bytes:
        """What is to be handed over now; empty if nothing is."""
        if len(self._out) == 1:
            return self._out.pop()
        out = b"".join(self._out)
        self._out.clear()
        return out

    def end(self, rest: bytes) -> None:
        """The attempt is over; ``rest`` is what came of a last frame without its blank line.

        A last event that is complete but for its blank line counts. A head that was held is joined
        with what came of it. What still waits is dropped.

        Raises:
            Flaw: the last frame told of an error.
        """
        try:
            if rest and events.read(rest).type not in (events.SKIPPED, "ping"):
                self.feed(rest + b"\n\n")
        except Flaw as flaw:
            if flaw.failure.in_band:
                raise
        if self._mode is Mode.SEAM:
            self._join_what_came()
        self._pending.clear()
        self._held.clear()
        self._live_index = None

    def _read(self, event: Event) -> None:
        if event.type in (events.SKIPPED, "ping"):
            self._pass(event)
            return
        self.events += 1
        match event.type:
            case "message_start":
                self._message_start(event)
            case "content_block_start":
                self._block_start(event)
            case "content_block_delta":
                self._block_delta(event)
            case "content_block_stop":
                self._block_stop(event)
            case "message_delta":
                self._message_delta(event)
            case "message_stop":
                self._message_stop(event)
            case "error":
                error = event.data.get("error")
                word = error.get("type") if isinstance(error, dict) else None
                raise Flaw(kind_of_error(error), str(word or "unreadable error"), in_band=True, body=event.data)
            case _:
                self._pass(event)

    # -- the message -----------------------------------------------------------------------------

    def _message_start(self, event: Event) -> None:
        message = event.data.get("message")
        if self.opening is not None or not isinstance(message, dict):
            raise Flaw(Kind.PROTOCOL, "a second message_start" if self.opening else "a message_start without message")
        self.opening = message
        if self.turn.message is None:
            self._pending.append(event)

    def _message_delta(self, event: Event) -> None:
        delta = event.data.get("delta")
        if self.opening is None or self._open is not None or not isinstance(delta, dict):
            raise Flaw(Kind.PROTOCOL, "a message_delta out of place")
        self.closing_usage |= event.data.get("usage") or {}
        reason = delta.get("stop_reason")
        if reason is None:
            self._pass(event)
            return
        if self._asked is not None:
            self._came_to_nothing(str(reason))
        self._flush()
        self.close_open_block()
        if self._plan.form is not Form.FIRST:
            usage = self._final_usage(event.data.get("usage") or {})
            event = Event.of({**event.data, "usage": usage}) if usage != event.data.get("usage") else event
        self._hand(event)

    def _came_to_nothing(self, stop_reason: str) -> None:
        """The continuation ended before it was joined: no text, at most thinking."""
        if stop_reason in ("end_turn", "stop_sequence", "max_tokens") and not self._accept_empty:
            raise Barren(stop_reason)
        self._unproved()

    def _message_stop(self, event: Event) -> None:
        if self.turn.stop_reason is None:
            raise Flaw(Kind.TRUNCATED, "message_stop without a stop reason")
        self._hand(event)
        self.complete = True

    # -- blocks ----------------------------------------------------------------------------------

    def _block_start(self, event: Event) -> None:
        index, block = event.data.get("index"), event.data.get("content_block")
        if self.opening is None or self._open is not None or index != self._next or not isinstance(block, dict):
            raise Flaw(Kind.PROTOCOL, "a content_block_start out of place")
        self._next += 1
        self._open = block
        kind = block.get("type")
        if kind in ("thinking", "redacted_thinking") and self._plan.hide_thinking:
            self._mode = Mode.HIDDEN
        elif self._asked is not None and kind == "text":
            self._mode, self._held, self._head = Mode.SEAM, [event], str(block.get("text") or "")
            self._join(final=False)
        else:
            if self._asked is not None:
                self._unproved()
            self._open_block(self._placed(event, fresh=True), kind)

    def _open_block(self, event: Event, kind: object) -> None:
        if kind in self._settings.hold:
            self._mode, self._held = Mode.HELD, [event]
        elif kind in ("text", "thinking", "redacted_thinking") and not _has_content(event.data["content_block"]):
            self._mode = Mode.WAITING
            self._pending.append(event)
        else:
            self._content(event)
            self._go_live()

    def _block_delta(self, event: Event) -> None:
        delta = event.data.get("delta")
        if self._open is None or event.data.get("index") != self._next - 1 or not isinstance(delta, dict):
            raise Flaw(Kind.PROTOCOL, "a content_block_delta out of place")
        match self._mode:
            case Mode.HIDDEN:
                pass
            case Mode.SEAM:
                self._seam_delta(event, delta)
            case Mode.HELD:
                self._held.append(self._placed(event))
            case Mode.WAITING:
                self._pending.append(self._placed(event))
                if _has_content(delta) and not _ends_in_half(delta):
                    self._flush()
                    self._go_live()
            case Mode.LIVE:
                self._live_event(self._placed(event), delta)

    def _live_event(self, event: Event, delta: dict[str, Any]) -> None:
        if delta.get("type") == "signature_delta" or _ends_in_half(delta):
            self._pending.append(event)
            self._live_index = None
        else:
            self._content(event)
            self._go_live()

    def _block_stop(self, event: Event) -> None:
        if self._open is None or event.data.get("index") != self._next - 1:
            raise Flaw(Kind.PROTOCOL, "a content_block_stop out of place")
        kind = self._open.get("type")
        if self._mode is Mode.SEAM:
            self._join(final=True)
        self._open, self._live_index = None, None
        match self._mode:
            case Mode.HIDDEN | Mode.SEAM:
                pass
            case Mode.HELD:
                self._release(self._placed(event), kind)
            case Mode.WAITING:
                self._stop_waiting(self._placed(event), kind)
            case Mode.LIVE if kind == "thinking":
                self._pending.append(self._placed(event))
            case Mode.LIVE:
                self._content(self._placed(event))

    def _release(self, stop: Event, kind: object) -> None:
        """A held block is complete. A tool call goes at once, if its input parses; what may still
        be regenerated, or is only good together with what follows it, waits for that."""
        block = Block(self._held[0].data["content_block"])
        for held in self._held[1:]:
            if held.type == "content_block_delta":
                block.apply_delta(held.data["delta"])
        self._pending += [*self._held, stop]
        self._held = []
        regenerate = kind == "tool_use" and self._settings.completed_tools == "regenerate"
        if kind != "thinking" and _parses(block) and not regenerate:
            self._flush()

    def _stop_waiting(self, stop: Event, kind: object) -> None:
        """A block ends of which nothing was handed over: it goes with the next content, as it came;
        a blank one that only a continuation brought is no part of the message and goes nowhere."""
        if kind == "text" and self._plan.asked is not None:
            start = max(i for i, event in enumerate(self._pending) if event.type == "content_block_start")
            del self._pending[start:]
        else:
            self._pending.append(stop)

    # -- the seam --------------------------------------------------------------------------------

    def _seam_delta(self, event: Event, delta: dict[str, Any]) -> None:
        if delta.get("type") == "text_delta" and isinstance(delta.get("text"), str):
            self._head += delta["text"]
            self._join(final=False)
        elif delta.get("type") != "citations_delta":
            self._join(final=True)
            self._block_delta(event)

    def _join(self, *, final: bool) -> None:
        """Decide the join if enough of the head is here, and hand over what follows the cut."""
        decided = self._asked and join(self._asked, self._head, final=final)
        if decided:
            self._join_at(decided)

    def _join_what_came(self) -> None:
        """The attempt died with its head held: what it brought beyond the fragment is kept, if any."""
        decided = self._asked and join(self._asked, self._head, final=True)
        if decided and decided.cut < len(self._head) and (decided.verified or self._settings.unverified == "accept"):
            self._join_at(decided)

    def _join_at(self, decided: Join) -> None:
        if not decided.verified and self._settings.unverified != "accept" and decided.cut < len(self._head):
            raise Flaw(Kind.PROTOCOL, UNVERIFIED)
        self.joined, self._asked = decided, None
        start, self._held = self._held[0], []
        rest = self._head[decided.cut :]
        if self._folds(start):
            self._place_at(len(self.turn.blocks) - 1)
            self._go_live()
        else:
            self._mode = Mode.WAITING
            self._pending.append(self._placed(Event.of({**start.data, "content_block": _empty_text(start)}), fresh=True))
        if rest:
            self._block_delta(
                Event.of(
                    {
                        "type": "content_block_delta",
                        "index": self._next - 1,
                        "delta": {"type": "text_delta", "text": rest},
                    }
                )
            )

    def _folds(self, start: Event) -> bool:
        """Whether the continuation's text goes on in the block that is open: not where either cites."""
        last = self.turn.open_block
        if last is None or last.type != "text" or last.citations or last.start.get("citations"):
            return False
        return start.data["content_block"].get("citations") is None

    def _unproved(self) -> None:
        """Something other than text came first: the text stays as it stands."""
        self.joined, self._asked = Join(0, Joined.AS_IS, verified=False), None

    # -- handing over ----------------------------------------------------------------------------

    def close_open_block(self) -> None:
        """Close the block that an earlier attempt left open."""
        if self.turn.open_block is not None:
            self._hand(Event.of({"type": "content_block_stop", "index": len(self.turn.blocks) - 1}))

    def hand(self, event: Event) -> None:
        """Hand over an event of our own making."""
        self._hand(event)

    def _pass(self, event: Event) -> None:
        """An event that is no content keeps its place behind what waits."""
        if self._mode is Mode.HELD and self._open is not None:
            self._held.append(event)
        elif self._pending:
            self._pending.append(event)
        else:
            self._hand(event)

    def _content(self, event: Event) -> None:
        self._pending.append(event)
        self._flush()

    def _flush(self) -> None:
        for event in self._pending:
            self._hand(event)
        self._pending.clear()

    def _hand(self, event: Event) -> None:
        if event.type == "content_block_start":
            self.close_open_block()
        self._out.append(event.frame)
        self.turn.apply(event)

    def _placed(self, event: Event, *, fresh: bool = False) -> Event:
        """The event under the index that its block has for the consumer."""
        if fresh:
            waiting = sum(pending.type == "content_block_start" for pending in self._pending)
            self._place_at(len(self.turn.blocks) + waiting)
        if self._shift == 0:
            return event
        return Event.of({**event.data, "index": event.data["index"] + self._shift})

    def _place_at(self, index: int) -> None:
        self._shift = index - (self._next - 1)
        self._placed_index = str(index).encode() if self._shift else None

    def _go_live(self) -> None:
        """From here on canonical deltas of the open block take the short way."""
        block = self.turn.blocks[-1]
        self._mode = Mode.LIVE
        grows = TEXT_FIELDS.get(block.type)
        self._live_index = str(self._next - 1).encode() if grows else None
        self._live_delta = grows[0].encode() if grows else b""
        self._live_raw = block.raw


UNVERIFIED = "an unverified seam"


def _is_utf8(frame: bytes) -> bool:
    try:
        frame.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_content(part: dict[str, Any]) -> bool:
    """Whether a block start or a delta carries something that a consumer would show or keep."""
    if part.get("type") in ("citations_delta", "input_json_delta"):
        return True
    return bool(str(part.get("text") or "").strip() or part.get("thinking"))


def _ends_in_half(delta: dict[str, Any]) -> bool:
    """Whether a delta's text ends in the first half of a surrogate pair."""
    text = delta.get("text") or delta.get("thinking") or ""
    return isinstance(text, str) and "\ud800" <= text[-1:] <= "\udbff"


def _parses(block: Block) -> bool:
    if block.opaque:
        return False
    try:
        json.loads(block.written or "{}")
    except ValueError:
        return False
    return True


def _empty_text(start: Event) -> dict[str, Any]:
    return {**start.data["content_block"], "text": ""}
