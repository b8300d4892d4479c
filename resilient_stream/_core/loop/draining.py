"""Limits on what is read behind a complete message.

The end of the body follows within milliseconds, and a connection whose body was read to the end can be used
again. Anything else that the upstream sends is not worth waiting for, because the consumer has its message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DRAIN_PATIENCE: Final = 1.0
"""Seconds of reading that the end of a complete body may take in all."""

LONGEST_DRAINED: Final = 64 * 1024
"""The largest number of bytes that are read behind a complete message."""


@dataclass(slots=True)
class Draining:
    """Counts what has arrived behind the message."""

    seconds: float = 0.0
    size: int = 0

    def read(self, size: int, waited: float) -> None:
        """Count ``size`` bytes that arrived after ``waited`` seconds of reading."""
        self.seconds += waited
        self.size += size

    @property
    def over(self) -> bool:
        """Whether no more is to be read."""
        return self.seconds >= DRAIN_PATIENCE or self.size > LONGEST_DRAINED

    @property
    def patience(self) -> float:
        """Seconds that the next read may take."""
        return DRAIN_PATIENCE - self.seconds
