"""What a store must do. ``tests/journal/test_store.py`` has the laws, and runs them on each.

A store knows nothing of requests, frames and records but that they are bytes. It may be called from any
thread, and blocks; whoever runs an event loop calls it from another thread. A method that cannot reach what
it stores in raises `JournalUnavailable`; what it was told is then written or not, and it can be told again: a
write that is repeated by the holder of the same lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from .entries import Answer, Claim, Head, Lease, Opening, Page, Status, Write

Mark = tuple[int, Status, int]
"""What a follower has seen of a stream: last number, status, epoch."""


class Store(Protocol):
    """Where streams are kept.

    The laws:

    * **Frames.** What is read from a place on is what was written behind it, in its order, numbered without a
      gap.
    * **Fencing.** Of the claims on a stream that nobody writes, one is given. A write under an epoch that is
      not the stream's is not kept, no part of it; neither is one that would leave a gap.
    * **Atomicity.** A write is kept whole or not at all.
    * **Ends.** A status but RUNNING ends the lease; a stream that is over is claimed by nobody.
    * **Durability.** What was answered KEPT is there for every process that opens the store afterwards.
    """

    @property
    def secret(self) -> bytes:
        """32 random bytes that all who use this store share. For digests."""
        ...

    def now(self) -> float:
        """Seconds since the epoch, by the clock that leases are measured by."""
        ...

    def claim(
        self, key: str, holder: str, ttl: float, *, opening: Opening | None = None, void: int | None = None
    ) -> Claim:
        """Ask to write a stream.

        Args:
            key: its name.
            holder: who asks.
            ttl: seconds that the lease shall last.
            opening: what to begin it with where there is none; None to take over only.
            void: as for `lease.verdict`.
        """
        ...

    def commit(self, writes: Sequence[Write], ttl: float) -> list[Answer]:
        """Write, and renew the leases of the streams that are written. Answers in the order of ``writes``."""
        ...

    def renew(self, leases: Sequence[Lease], ttl: float) -> list[Answer]:
        """Have leases last ``ttl`` seconds from now."""
        ...

    def head(self, key: str) -> Head | None:
        """How a stream stands; None where there is none."""
        ...

    def payloads(self, key: str) -> tuple[bytes, bytes] | None:
        """The request, and the record of progress (empty before the first); None where they are gone."""
        ...

    def read(self, key: str, after: int, limit: int) -> Page | None:
        """At most ``limit`` frames behind number ``after``; None where there is no such stream."""
        ...

    def heads(self) -> list[Head]:
        """All streams, the oldest first."""
        ...

    def stop(self, key: str) -> bool:
        """Ask for a stream to be stopped: whoever writes it is told with his next write, and one that nobody
        writes is stopped at once. Whether there was anything to stop."""
        ...

    def expire(self, key: str) -> None:
        """Take away all of a stream but its name. One that somebody writes stays."""
        ...

    def remove(self, key: str) -> bool:
        """Take away a stream, its name included. Whoever writes it loses his lease. Whether there was one."""
        ...

    def changed(self, marks: Mapping[str, Mark], seconds: float) -> set[str]:
        """Wait until one of these streams is no longer as its mark says, for ``seconds`` at most. Which are
        not."""
        ...

    def tidy(self) -> None:
        """Give back the space of what was taken away, a little at a time."""
        ...

    def close(self) -> None:
        """Let go of files and connections. The next call opens them again."""
        ...
