"""Faults of the body's encoding: line endings, byte order mark, compression."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Literal

from resilient_stream.testing.wire import Answer, Part

from .base import Fault, Place, ending, events_of, with_body


@dataclass(frozen=True, slots=True)
class LineEndings(Fault):
    """Lines end in ``ending`` instead of LF; ``split`` puts its last byte into the next chunk."""

    ending: bytes = b"\r\n"
    split: bool = False

    def edit(self, answer: Answer) -> Answer:
        """The body with other line endings."""
        events = [event.replace(b"\n", self.ending) for event in events_of(answer)]
        if not self.split:
            return with_body(answer, events)
        lines = b"".join(events).split(self.ending)
        tail = self.ending[-1:]
        first = [lines[0] + self.ending[:-1]]
        return with_body(answer, first, (tail + line + self.ending[:-1] for line in lines[1:-1]), (tail,))


@dataclass(frozen=True, slots=True)
class Bom(Fault):
    """A UTF-8 byte order mark before the first event."""

    def edit(self, answer: Answer) -> Answer:
        """The body with the mark."""
        return with_body(answer, (b"\xef\xbb\xbf",), answer.body)


@dataclass(frozen=True, slots=True)
class Labelled(Fault):
    """A ``content-encoding`` that is false: the body is not encoded."""

    encoding: str = "br"

    def edit(self, answer: Answer) -> Answer:
        """The answer with the label."""
        return answer.with_headers({"content-encoding": self.encoding})


@dataclass(frozen=True, slots=True)
class Gzip(Place):
    """A compressed body, flushed after each event, with an optional fault.

    ``truncated`` and ``truncated_fin`` end the compressed body at the place, cleanly or not. ``corrupt``
    damages what follows the place; ``bad_crc`` only the checksum at the end.
    """

    wrong: Literal["nothing", "truncated", "truncated_fin", "corrupt", "bad_crc"] = "nothing"

    def edit(self, answer: Answer) -> Answer:
        """The compressed body."""
        labelled = answer.with_headers({"content-encoding": "gzip"})
        before, after = self.parts(answer)
        squeeze = zlib.compressobj(wbits=31)
        packed, rest = (
            [
                squeeze.compress(part) + squeeze.flush(zlib.Z_SYNC_FLUSH)
                for part in parts
                if isinstance(part, bytes)
            ]
            for parts in (before, after)
        )
        trailer = squeeze.flush()
        end: list[Part] = []
        match self.wrong:
            case "truncated" | "truncated_fin":
                end += ending("clean" if self.wrong == "truncated" else "fin")
            case "corrupt":
                end += [b"\xff" * 16 + piece for piece in rest]
            case "bad_crc":
                crc, size = trailer[-8:-4], trailer[-4:]
                end += [*rest, trailer[:-8] + bytes(byte ^ 0xFF for byte in crc) + size]
            case _:
                end += [*rest, trailer]
        return with_body(labelled, packed, end)
