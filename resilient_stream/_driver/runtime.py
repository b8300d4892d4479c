"""Clocks, sleep and randomness in one place, so that tests can replace them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_AWAKE_OR_NOT: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""A clock that counts while the machine sleeps. (`time.monotonic` stops then, on Linux and macOS.)"""


def slept() -> float:
    """Seconds that the machine has slept since some moment; constant if the system has no such clock."""
    return 0.0 if _AWAKE_OR_NOT is None else time.clock_gettime(_AWAKE_OR_NOT) - time.monotonic()


@dataclass(frozen=True, slots=True)
class Runtime:
    """The clocks, the sleep and the randomness that a driver uses."""

    clock: Callable[[], float] = time.monotonic
    """A monotonic clock in seconds. Where the system has such a clock, it stops while the machine sleeps."""
    wall: Callable[[], float] = time.time
    """Seconds since the epoch, for ``retry-after`` dates."""
    sleep: Callable[[float], object] = time.sleep
    """Waits this many seconds, in a thread that may block."""
    slept: Callable[[], float] = slept
    """Seconds that the machine has slept since some moment."""
    rng: random.Random = field(default_factory=random.SystemRandom)
    """The source of randomness for jitter: the system's, which has no state that forked workers would
    share."""

    def __deepcopy__(self, memo: object) -> Runtime:
        """The same object: the system's time and randomness can't be copied."""
        return self
