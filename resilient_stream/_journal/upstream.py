"""An upstream that records in the journal which server tools may run before their blocks are delivered."""

from __future__ import annotations

from resilient_stream._core.failures import Failure
from resilient_stream._core.loop.states import Send
from resilient_stream._driver.upstream import AsyncUpstream, Head, Upstream

from .keeper import Keeper


class KeptUpstream:
    """Before each read, records a server tool that has begun with what was read before.

    A tool is known when its block begins. While the policy holds the block, nothing that is delivered would
    show it.

    Args:
        upstream: the adapter's.
        keeper: the stream's.
    """

    def __init__(self, upstream: Upstream, keeper: Keeper) -> None:
        self._upstream, self._keeper = upstream, keeper
        self.release, self.interrupt = upstream.release, upstream.interrupt
        self.error_for = upstream.error_for

    def send(self, action: Send) -> Head | Failure:
        """As the adapter's."""
        return self._upstream.send(action)

    def read(self, patience: float) -> bytes | Failure | None:
        """As the adapter's."""
        self._keeper.note_tools()
        return self._upstream.read(patience)


class AsyncKeptUpstream:
    """As `KeptUpstream`."""

    def __init__(self, upstream: AsyncUpstream, keeper: Keeper) -> None:
        self._upstream, self._keeper = upstream, keeper
        self.release, self.interrupt = upstream.release, upstream.interrupt
        self.error_for = upstream.error_for

    async def send(self, action: Send) -> Head | Failure:
        """As the adapter's."""
        return await self._upstream.send(action)

    async def read(self, patience: float) -> bytes | Failure | None:
        """As the adapter's."""
        await self._keeper.anote_tools()
        return await self._upstream.read(patience)
