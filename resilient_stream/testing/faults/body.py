"""Faults of the body as a whole: it ends too early, or takes too long."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from resilient_stream.testing.wire import Answer, Close, Part, Script, Send, Wait, frame

from .base import STALL, Fault, Place, ending, with_body

Ending = Literal["clean", "fin", "rst", "stall"]
How = Literal[
    "clean",
    "close_fin",
    "close_rst",
    "fin",
    "length_cut",
    "length_short",
    "mid_chunk_fin",
    "mid_chunk_rst",
    "rst",
]


@dataclass(frozen=True, slots=True)
class Cut(Place):
    """The body ends here.

    ``clean``: with the 0-chunk, as if it were whole. ``fin``, ``rst``: the connection ends between
    two chunks. ``mid_chunk_fin``, ``mid_chunk_rst``: inside a chunk, of which all but one byte
    came. ``length_short``: a Content-Length that promised the whole, then a FIN. ``length_cut``: a
    Content-Length that promises only this much. ``close_fin``, ``close_rst``: no framing at all,
    so that the end of the connection is the end of the body.
    """

    how: How = "fin"

    def edit(self, answer: Answer) -> Answer:
        """The body up to the place, and its end."""
        kept, _ = self.parts(answer)
        match self.how:
            case "clean":
                return with_body(answer, kept)
            case "fin" | "rst":
                return with_body(answer, kept, ending(self.how))
            case "mid_chunk_fin" | "mid_chunk_rst":
                open_ended = _unfinished(kept) if answer.framing == "chunked" else kept
                return with_body(answer, open_ended, ending(self.how.removeprefix("mid_chunk_")))
            case "length_short":
                return with_body(replace(answer, framing="length"), kept, (Close(),))
            case "length_cut":
                return with_body(replace(answer, framing="length"), kept)
            case _:
                return with_body(
                    replace(answer, framing="close"), kept, ending(self.how.removeprefix("close_"))
                )


def cut_at(offset: int, how: How = "fin") -> Cut:
    """A cut at a byte offset of the stream's body, negative from the end.

    Bytes of the wire are counted, not characters of the answer: an event spends about a hundred bytes on
    sixteen characters, so ``cut_at(3000)`` lets some three hundred characters through. ``Cut(after=20)``
    counts events.
    """
    return Cut(at=offset, how=how)


def _unfinished(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The same parts, the last one as a chunk that announces one byte more than it brings."""
    for index in range(len(parts) - 1, -1, -1):
        part = parts[index]
        if isinstance(part, bytes):
            broken = Send(b"%x\r\n%b" % (len(part) + 1, part))
            return (*parts[:index], broken, *parts[index + 1 :])
    return (*parts, Send(b"1\r\n"))


@dataclass(frozen=True, slots=True)
class Stall(Place):
    """Nothing is sent for ``seconds``; then the body ends (``then``) or goes on.

    The wait ends at once when the client hangs up or the server is closed.
    """

    seconds: float = STALL
    then: Literal["clean", "fin", "rst", "go_on"] = "fin"

    def edit(self, answer: Answer) -> Answer:
        """A pause at the place."""
        before, after = self.parts(answer)
        rest = after if self.then == "go_on" else ending(self.then)
        return with_body(answer, before, (Wait(self.seconds),), rest)


@dataclass(frozen=True, slots=True)
class Pings(Place):
    """Only pings: ``count`` of them, one ``every`` so many seconds."""

    every: float = 0.02
    count: int = 10
    what: Literal["ping", "comment"] = "ping"
    then: Literal["clean", "fin", "rst", "go_on"] = "clean"

    def edit(self, answer: Answer) -> Answer:
        """Pings at the place."""
        before, after = self.parts(answer)
        sign_of_life = b'event: ping\ndata: {"type":"ping"}\n\n' if self.what == "ping" else b":\n\n"
        beats: tuple[Part, ...] = (Wait(self.every), sign_of_life) * self.count
        rest = after if self.then == "go_on" else ending(self.then)
        return with_body(answer, before, beats, rest)


@dataclass(frozen=True, slots=True)
class Trickle(Place):
    """From here on the body comes ``size`` bytes at a time, with a pause before each piece.

    After ``count`` pieces it ends (``then``); None means it trickles to its end.
    """

    every: float = 0.002
    size: int = 1
    count: int | None = None
    then: Ending = "fin"

    def edit(self, answer: Answer) -> Answer:
        """Small pieces from the place on."""
        before, after = self.parts(answer)
        rest = b"".join(part for part in after if isinstance(part, bytes))
        small = [rest[at : at + self.size] for at in range(0, len(rest), self.size)][: self.count]
        slow: tuple[Part, ...] = tuple(part for piece in small for part in (Wait(self.every), piece))
        return with_body(answer, before, slow, () if self.count is None else ending(self.then))


@dataclass(frozen=True, slots=True)
class BadChunk(Place):
    """A chunk-size line that is not a number, followed by the rest of the body."""

    line: bytes = b"zz\r\n"

    def edit(self, answer: Answer) -> Answer:
        """Invalid framing at the place."""
        before, after = self.parts(answer)
        return with_body(answer, before, (Send(self.line),), after)


@dataclass(frozen=True, slots=True)
class Slices(Place):
    """From here on each chunk has ``size`` bytes, wherever that cuts an event."""

    size: int = 1

    def edit(self, answer: Answer) -> Answer:
        """The body cut small."""
        before, after = self.parts(answer)
        rest = b"".join(part for part in after if isinstance(part, bytes))
        return with_body(answer, before, (rest[at : at + self.size] for at in range(0, len(rest), self.size)))


@dataclass(frozen=True, slots=True)
class IdleClose(Fault):
    """A whole answer on a kept-alive connection; then the server closes the idle connection.

    Call ``StandIn.wait_closed`` before the next request, or the request may be faster.
    """

    def script(self, answer: Answer) -> Script:
        """The answer and a FIN."""
        return (*frame(answer), Close())
