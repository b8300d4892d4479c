"""Time and chance, in one place, so that tests can put their own there."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the drivers take from the outside world."""

    clock: Callable[[], float] = time.monotonic
    """Seconds that only rise."""
    wall: Callable[[], float] = time.time
    """Seconds since the epoch, for ``retry-after`` dates."""
    rng: random.Random = field(default_factory=random.Random)
    """The source of jitter."""
