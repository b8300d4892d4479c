"""The interface of a store. ``tests/journal/test_store.py`` has the laws, and runs them on each store.

A store knows of requests, frames and records only that they are bytes. It may be called from any thread, and
blocks, so an event loop calls it from another thread. A method that can't reach the storage raises
`JournalUnavailable`. Its write may or may not have happened, and can be repeated: if the holder of the same
lease repeats a write, nothing changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from .entries import Answer, Claim, Head, Lease, Opening, Page, Status, Write

Mark = tuple[int, Status, int]
"""What a reader has seen of a stream: last number, status, epoch."""


class Store(Protocol):
    """The interface of a store of streams.

    The laws:

    * **Frames.** Reading from a position returns what was written after it, in the same order, numbered
      without a gap.
    * **Fencing.** Of several claims on a stream that nobody writes, one is granted. A write is not kept if
      its epoch is not the stream's, or if it would leave a gap.
    * **Atomicity.** A write is kept completely or not at all.
    * **Ends.** Any status but RUNNING ends the lease. A stream that has ended can't be claimed.
    * **Durability.** A write that was answered with KEPT is there for every process that opens the store
      later.
    """

    @property
    def secret(self) -> bytes:
        """32 random bytes that all users of this store share, for digests."""
        ...

    def now(self) -> float:
        """Seconds since the epoch, by the clock that measures leases."""
        ...

    def claim(
        self, key: str, holder: str, ttl: float, *, opening: Opening | None = None, void: int | None = None
    ) -> Claim:
        """Ask for the right to write a stream.

        Args:
            key: its name.
            holder: who asks.
            ttl: seconds that the lease shall last.
            opening: what to begin it with if there is none; None to take over only.
            void: as for `lease.verdict`.
        """
        ...

    def commit(self, writes: Sequence[Write], ttl: float) -> list[Answer]:
        """Write, and renew the leases of the streams that are written. The answers have the order of
        ``writes``."""
        ...

    def renew(self, leases: Sequence[Lease], ttl: float) -> list[Answer]:
        """Make leases last ``ttl`` seconds from now."""
        ...

    def head(self, key: str) -> Head | None:
        """The state of a stream; None if there is none."""
        ...

    def payloads(self, key: str) -> tuple[bytes, bytes] | None:
        """The request, and the record of progress (empty before the first); None if they are gone."""
        ...

    def read(self, key: str, after: int, limit: int) -> Page | None:
        """At most ``limit`` frames behind number ``after``; None if there is no such stream."""
        ...

    def heads(self) -> list[Head]:
        """All streams, the oldest first."""
        ...

    def stop(self, key: str) -> bool:
        """Ask to stop a stream. Its writer learns it with the next write; a stream that nobody writes is
        stopped at once. Return whether there was anything to stop."""
        ...

    def expire(self, key: str) -> None:
        """Remove all of a stream but its name. One that is being written stays."""
        ...

    def remove(self, key: str) -> bool:
        """Remove a stream and its name. Its writer loses the lease. Return whether it existed."""
        ...

    def changed(self, marks: Mapping[str, Mark], seconds: float) -> set[str]:
        """Wait until one of these streams differs from its mark, for ``seconds`` at most. Return those that
        do."""
        ...

    def tidy(self) -> None:
        """Free the space of removed streams, a little at a time."""
        ...

    def close(self) -> None:
        """Close files and connections. The next call opens them again."""
        ...
