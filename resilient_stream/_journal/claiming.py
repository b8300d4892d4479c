"""Claims the right to write a stream, and waits if its last writer may be dead.

A process of this machine that has died is recognised at once. One on another machine is watched: if it renews
its lease, it is alive; if the lease ends, it is taken to be dead. So nobody waits longer than a lease lasts.
"""

from __future__ import annotations

from collections.abc import Generator

from resilient_stream.errors import StreamBusy

from . import lease as rules
from .entries import Claim, Head, Opening, Verdict
from .store import Store

LOOK_AGAIN: float = 0.5
"""Seconds between two looks at a lease that may end."""


def claiming(store: Store, key: str, ttl: float, opening: Opening | None) -> Generator[float, None, Claim]:
    """Claim a stream. Yields the seconds to wait before the next step.

    Args:
        store: where.
        key: the stream's.
        ttl: seconds that the lease shall last.
        opening: what to begin it with; None to take over only.

    Raises:
        StreamBusy: another process writes it.
    """
    seen: Head | None = None
    void: int | None = None
    while True:
        claim = store.claim(key, rules.holder(), ttl, opening=opening, void=void)
        head = claim.head
        if claim.verdict is not Verdict.LEASED or head is None:
            return claim
        if rules.is_dead(head.holder) and head.epoch != void:
            void = head.epoch
            continue
        if head.holder == rules.holder():
            raise StreamBusy("this process is writing the stream already; it can be read meanwhile")
        if seen is not None and (head.epoch, head.until) != (seen.epoch, seen.until):
            raise StreamBusy("another process is writing the stream; it can be read meanwhile")
        seen = head
        yield min(LOOK_AGAIN, max(0.0, head.until - store.now()) + 0.001)
