"""The interface of a fault: a small frozen value that turns an answer into a script.

Most faults ``edit`` the answer and leave the framing unchanged. Those that break the framing or the response
head override ``script``. A fault that needs a place in the body takes it from :class:`Place`.
:class:`Healthy` changes nothing: it sends exactly the bytes that the stand-in sends without a fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from resilient_stream.testing.wire import Answer, Close, Part, Reset, Script, Wait, frame, split

TYPE = re.compile(rb'"type":"(\w+)"')

STALL = 60.0
"""Seconds of a stall by default. It ends at once when the client hangs up."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to fail.

    ``early`` faults occur before the request is checked. The others need an accepted request. A request that
    is refused gets its refusal.
    """

    early: ClassVar[bool] = False

    def edit(self, answer: Answer) -> Answer:
        """The answer with the fault in it."""
        return answer

    def script(self, answer: Answer) -> Script:
        """The bytes and pauses that are played."""
        return frame(self.edit(answer))


@dataclass(frozen=True, slots=True)
class Healthy(Fault):
    """No fault at all."""


@dataclass(frozen=True, slots=True)
class Chain(Fault):
    """Several faults, each applied to the result of the one before. The last one frames the body."""

    faults: tuple[Fault, ...]

    def edit(self, answer: Answer) -> Answer:
        """All edits in order."""
        for fault in self.faults:
            answer = fault.edit(answer)
        return answer

    def script(self, answer: Answer) -> Script:
        """The edits of all but the last, then the last one's script."""
        *first, last = self.faults
        return last.script(Chain(tuple(first)).edit(answer))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Fault):
    """A place in the body.

    ``at`` is a byte offset, negative from the end. ``after`` is a number of events, or the type of
    an event: the place is behind it, ``plus`` bytes further on. With neither, the place is the
    boundary between events nearest to the middle. A place beyond the end is the end.
    """

    at: int | None = None
    after: int | str | None = None
    plus: int = 0

    def offset(self, answer: Answer) -> int:
        """The place as a byte offset in this answer's body."""
        events = events_of(answer)
        if self.at is not None:
            found = self.at if self.at >= 0 else answer.size + self.at
        elif isinstance(self.after, str):
            names = [kind_of(event) for event in events]
            found = (
                sum(map(len, events[: names.index(self.after) + 1])) if self.after in names else answer.size
            )
        else:
            count = len(events) // 2 if self.after is None else self.after
            found = sum(map(len, events[:count]))
        return max(0, min(found + self.plus, answer.size))

    def parts(self, answer: Answer) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
        """The body before and after the place."""
        return split(answer.body, self.offset(answer))


def events_of(answer: Answer) -> list[bytes]:
    """The events of the body, pauses and the like left out."""
    return [part for part in answer.body if isinstance(part, bytes)]


def kind_of(event: bytes) -> str:
    """The ``type`` of an event's data; empty if there is none."""
    found = TYPE.search(event)
    return found[1].decode() if found else ""


def ending(how: str, seconds: float = STALL) -> tuple[Part, ...]:
    """The parts that end a body: ``fin``, ``rst``, ``stall``, or nothing for a clean end."""
    endings: dict[str, tuple[Part, ...]] = {
        "clean": (),
        "fin": (Close(),),
        "rst": (Reset(),),
        "stall": (Wait(seconds), Close()),
    }
    return endings[how]


def with_body(answer: Answer, *bodies: Iterable[Part]) -> Answer:
    """The answer with another body; a broken one still announces the length of the whole."""
    changed = replace(answer, body=tuple(part for body in bodies for part in body))
    broken = bool(changed.body) and isinstance(changed.body[-1], (Close, Reset))
    if broken and answer.framing == "length" and answer.length is None:
        return replace(changed, length=max(answer.size, changed.size + 1))
    return changed
