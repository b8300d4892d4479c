"""Faults of single events: added, missing, doubled, or damaged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from resilient_stream.testing.transcript import compact, sse_event
from resilient_stream.testing.wire import Answer, Part

from .base import Place, ending, kind_of, with_body

Then = Literal["clean", "fin", "rst", "stall", "go_on"]
Spelling = Literal["proper", "no_blank_line", "data_only", "not_json", "no_data"]
Mangling = Callable[[bytes], bytes]


def text_delta(text: str = " world", index: int = 0) -> bytes:
    """One text delta, for inserting."""
    said = {"type": "text_delta", "text": text}
    return sse_event({"type": "content_block_delta", "index": index, "delta": said})


@dataclass(frozen=True, slots=True)
class Insert(Place):
    """Bytes that do not belong there, in a chunk of their own; then the body goes on or ends."""

    data: bytes = b"\x00\x01 garbage \x7f\n"
    then: Then = "go_on"

    def edit(self, answer: Answer) -> Answer:
        """The bytes at the place."""
        before, after = self.parts(answer)
        return with_body(answer, before, (self.data,), after if self.then == "go_on" else ending(self.then))


@dataclass(frozen=True, slots=True)
class ErrorEvent(Place):
    """The API's way to fail inside a body that had begun with 200.

    ``spelling``: ``proper``; without its final blank line; without its ``event:`` line
    (``data_only``); with data that is not JSON; with no data line at all.
    """

    error: str = "overloaded_error"
    message: str = "Overloaded"
    spelling: Spelling = "proper"
    then: Then = "clean"

    def data(self, request_id: str | None = None) -> bytes:
        """The event's bytes."""
        told = {"type": self.error, "message": self.message, "details": None}
        said = compact({"type": "error", "error": told, "request_id": request_id})
        spellings = {
            "proper": f"event: error\ndata: {said}\n\n",
            "no_blank_line": f"event: error\ndata: {said}\n",
            "data_only": f"data: {said}\n\n",
            "not_json": "event: error\ndata: upstream connect error\n\n",
            "no_data": "event: error\n\n",
        }
        return spellings[self.spelling].encode()

    def edit(self, answer: Answer) -> Answer:
        """The event at the place."""
        before, after = self.parts(answer)
        rest = after if self.then == "go_on" else ending(self.then)
        return with_body(answer, before, (self.data(dict(answer.headers).get("request-id")),), rest)


@dataclass(frozen=True, slots=True)
class Repeat(Place):
    """The event before the place comes a second time. ``what`` names another one, by its type."""

    what: str | None = None

    def edit(self, answer: Answer) -> Answer:
        """The doubled event at the place."""
        before, after = self.parts(answer)
        seen = [part for part in before if isinstance(part, bytes)]
        wanted = [event for event in seen if self.what in (None, kind_of(event))]
        return with_body(answer, before, wanted[-1:], after)


@dataclass(frozen=True, slots=True)
class Remove(Place):
    """The event that begins at the place is missing."""

    def edit(self, answer: Answer) -> Answer:
        """The body without the event."""
        before, after = self.parts(answer)
        return with_body(answer, before, after[1:])


def _two_data_lines(event: bytes) -> bytes:
    at = event.index(b",", event.index(b"data: ")) + 1
    return event[:at] + b"\ndata: " + event[at:]


MANGLINGS: Mapping[str, Mangling] = {
    "bad_utf8": lambda event: event.replace(b'"}}', b'\xff"}}'),
    "json_cut": lambda event: event[: event.index(b"{") + (len(event) - event.index(b"{")) // 2] + b"\n\n",
    "no_event_line": lambda event: event.partition(b"\n")[2],
    "no_index": lambda event: event.replace(b'"index":0,', b""),
    "padded": lambda event: event.replace(b"}\n\n", b"     }\n\n"),
    "two_data_lines": _two_data_lines,
    "wrong_event_name": lambda event: event.replace(b"event: content_block_delta", b"event: message_delta"),
    "wrong_index": lambda event: event.replace(b'"index":0,', b'"index":5,'),
}
"""Ways to damage one event's bytes, by name."""


@dataclass(frozen=True, slots=True)
class Mangle(Place):
    """The event that begins at the place is damaged; with ``every``, all events from there on."""

    how: str | Mangling = "json_cut"
    every: bool = False

    def edit(self, answer: Answer) -> Answer:
        """The body with the damaged event."""
        before, after = self.parts(answer)
        change = MANGLINGS[self.how] if isinstance(self.how, str) else self.how
        spoiled: list[Part] = []
        left = len(after) if self.every else 1
        for part in after:
            hit = isinstance(part, bytes) and left > 0
            spoiled.append(change(part) if hit and isinstance(part, bytes) else part)
            left -= hit
        return with_body(answer, before, spoiled)
