"""Faults that the stand-in does not have: a refused connection, and chunks cut anew."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Literal

from resilient_stream.testing import Answer, Chain, Fault, Informational, Late
from resilient_stream.testing.wire import Part

Chunking = Literal["whole", "event", "random", "byte"]
"""How a body is cut into chunks, and how it is read: everything at once, event by event, in pieces of random
size, byte by byte."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The connection is refused, so no request arrives."""


@dataclass(frozen=True, slots=True)
class Rechunked(Fault):
    """The same body in other chunks."""

    chunking: Chunking = "event"
    seed: int = 0

    def edit(self, answer: Answer) -> Answer:
        """The body cut anew; what is no byte stays where it is."""
        if self.chunking == "event":
            return answer
        rng, parts = random.Random(self.seed), list[Part]()
        run = b""
        for part in (*answer.body, None):
            if isinstance(part, bytes):
                run += part
                continue
            parts += pieces(run, self.chunking, rng)
            run = b""
            if part is not None:
                parts.append(part)
        return replace(answer, body=tuple(parts))


def pieces(data: bytes, chunking: Chunking, rng: random.Random) -> list[bytes]:
    """Bytes in pieces."""
    found, at = list[bytes](), 0
    while at < len(data):
        size = piece_size(chunking, rng, len(data))
        found.append(data[at : at + size])
        at += size
    return found


def piece_size(chunking: Chunking, rng: random.Random, there: int) -> int:
    """How many of the available bytes come next."""
    match chunking:
        case "byte":
            return 1
        case "random":
            return rng.choice((1, 2, 7, rng.randrange(1, 200), rng.randrange(1, 2000)))
        case _:
            return there


def dressed(fault: Fault | None, chunking: Chunking, seed: int) -> Fault | None:
    """A fault whose answer is also cut into other chunks."""
    chunks = Rechunked(chunking, seed)
    if fault is None:
        return chunks
    if fault.early:
        return fault
    if isinstance(fault, (Late, Informational)):  # these frame the answer themselves
        return Chain((chunks, fault))
    return Chain((fault, chunks))
