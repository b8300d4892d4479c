"""What may still come behind a complete message.

The end of the body follows within milliseconds, and read to there a connection can be used again. Whatever
else an upstream sends is not worth waiting for: the consumer has its message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DRAIN_PATIENCE: Final = 1.0
"""Seconds of reading that the end of a complete body may take, in all."""

LONGEST_DRAINED: Final = 64 * 1024
"""Bytes that are read behind a complete message."""


@dataclass(slots=True)
class Draining:
    """How much has come behind the message."""

    seconds: float = 0.0
    size: int = 0

    def read(self, size: int, waited: float) -> None:
        """So many bytes have come, after ``waited`` seconds of reading."""
        self.seconds += waited
        self.size += size

    @property
    def over(self) -> bool:
        """Whether that was enough."""
        return self.seconds >= DRAIN_PATIENCE or self.size > LONGEST_DRAINED

    @property
    def patience(self) -> float:
        """Seconds that the next read may take."""
        return DRAIN_PATIENCE - self.seconds
