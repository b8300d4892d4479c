"""What a bad network does to the bytes on their way back, with toxiproxy's names.

A toxic changes the steps of one connection. It has no socket, and its randomness comes from the connection's
seed, so the same plan gives the same steps.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from resilient_stream.testing import Close, Reset, Send, Wait
from resilient_stream.testing.wire import Step

Steps = Iterator[Step]

FOREVER = 3600.0
"""Seconds; a wait ends when the client hangs up."""


@dataclass(frozen=True, slots=True)
class Toxic:
    """The base of all toxics: it changes nothing."""

    def spoil(self, steps: Steps, rng: random.Random) -> Steps:
        """The steps as the client receives them."""
        return steps


@dataclass(frozen=True, slots=True)
class Latency(Toxic):
    """Each piece arrives ``seconds`` late, plus or minus ``jitter``."""

    seconds: float = 0.002
    jitter: float = 0.001

    def spoil(self, steps: Steps, rng: random.Random) -> Steps:
        """A wait before each piece."""
        for step in steps:
            if isinstance(step, Send):
                yield Wait(max(0.0, self.seconds + rng.uniform(-self.jitter, self.jitter)))
            yield step


@dataclass(frozen=True, slots=True)
class Bandwidth(Toxic):
    """No more than ``rate`` bytes a second."""

    rate: int = 1_000_000

    def spoil(self, steps: Steps, rng: random.Random) -> Steps:
        """A wait for each piece, as long as its transfer takes."""
        for step in steps:
            if isinstance(step, Send):
                yield Wait(len(step.data) / self.rate)
            yield step


@dataclass(frozen=True, slots=True)
class Slicer(Toxic):
    """Pieces of about ``size`` bytes, ``delay`` seconds apart."""

    size: int = 20
    delay: float = 0.0

    def spoil(self, steps: Steps, rng: random.Random) -> Steps:
        """Smaller pieces."""
        for step in steps:
            rest = step.data if isinstance(step, Send) else b""
            while rest:
                size = rng.randrange(1, 2 * self.size)
                yield Send(rest[:size])
                yield Wait(self.delay)
                rest = rest[size:]
            if not isinstance(step, Send):
                yield step


@dataclass(frozen=True, slots=True)
class LimitData(Toxic):
    """The connection ends after this many bytes."""

    size: int = 1000

    def end(self) -> Step:
        """How it ends."""
        return Close()

    def spoil(self, steps: Steps, rng: random.Random) -> Steps:
        """The steps up to the limit, and the end."""
        left = self.size
        for step in steps:
            if isinstance(step, Send):
                if left < len(step.data):
                    yield Send(step.data[:left])
                    yield self.end()
                    return
                left -= len(step.data)
            yield step


@dataclass(frozen=True, slots=True)
class ResetPeer(LimitData):
    """The connection is reset after this many bytes."""

    size: int = 0

    def end(self) -> Step:
        """A reset."""
        return Reset()


@dataclass(frozen=True, slots=True)
class Blackhole(LimitData):
    """After this many bytes nothing more arrives, and the connection stays open."""

    size: int = 0

    def end(self) -> Step:
        """Silence."""
        return Wait(FOREVER)


@dataclass(frozen=True, slots=True)
class SlowClose(Toxic):
    """The end of the connection comes ``seconds`` late."""

    seconds: float = 0.02

    def spoil(self, steps: Steps, rng: random.Random) -> Steps:
        """A wait before the end."""
        for step in steps:
            if isinstance(step, Close):
                yield Wait(self.seconds)
            yield step


def toxic_of(rng: random.Random) -> Toxic:
    """A random toxic, with numbers that keep a test quick."""
    size = int(9000 * rng.random() ** 2)
    kinds = (Latency(), Bandwidth(), Slicer(), LimitData(size), ResetPeer(size), Blackhole(size), SlowClose())
    return rng.choices(kinds, (1, 1, 1, 3, 3, 0.3, 1))[0]
