"""`Journal`: the store, the writers and the readers of a process, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, Self

import anyio.to_thread

from . import background
from . import lease as rules
from .bell import AsyncSignal, Bell, Signal, Subscription
from .codec import Change, Codec, digest
from .entrance import Entrance
from .entries import Head, Status
from .follow import Entry, Follower
from .group import Group
from .pulse import Pulse, forgotten, outdated
from .store import Store
from .urls import open_store

WEEK: Final = 7 * 86_400.0
PATIENCE: Final = 5.0


class Journal:
    """Streams that outlive the process that began them. One object serves all threads and tasks of a process.

    Args:
        url: ``sqlite:///streams.db``, ``sqlite:////var/lib/streams.db?synchronous=full``, or
            ``redis://host:6379/0`` (with the ``redis`` extra).
        encrypt: a function that takes the bytes of each request, frame and record, and returns what is
            stored. Keys, sizes and times stay readable. Default None: nothing is encrypted.
        decrypt: the inverse of ``encrypt``.
        keep_for: seconds that a stream is kept after it was last written to; None for no limit. Default a
            week.
        keep_bytes: bytes that all frames may have together; the oldest streams are removed first. Default
            None: no limit.
        ttl: seconds without a renewed lease after which the writer of a stream is taken to be dead. Default
            15. A process of the same machine that has died is recognised at once.
        patience: seconds in which a store that can't be reached is tried again before the policy's
            ``journal_failure`` decides. Default 5.

    Raises:
        ValueError: the URL is not valid, or one of ``encrypt`` and ``decrypt`` is missing.
        JournalUnavailable: the store can't be used, is damaged, or belongs to another program.
    """

    def __init__(
        self,
        url: str,
        *,
        encrypt: Change | None = None,
        decrypt: Change | None = None,
        keep_for: float | None = WEEK,
        keep_bytes: int | None = None,
        ttl: float = rules.TTL,
        patience: float = PATIENCE,
    ) -> None:
        self.codec = Codec(encrypt, decrypt)
        self._keep_for, self._keep_bytes = keep_for, keep_bytes
        self.store: Store = open_store(url)
        self._bell = Bell(self.store)
        self._group = Group(self.store, ttl, patience, self._bell.ring)
        self._pulse = Pulse(self.store, ttl, self.prune)
        self.entrance = Entrance(self.store, self.codec, self._group, self._pulse, ttl)
        """For clients."""
        self._tasks = set[asyncio.Task[None]]()

    # -- reading ---------------------------------------------------------------------------------

    def read(self, key: str, *, after: str | int | None = None, owner: str | None = None) -> Iterator[Entry]:
        """The frames of a stream, those that exist and then those that are added, until it is complete.

        Args:
            key: the stream's.
            after: the position to begin behind: the ``cursor`` or the ``number`` of the last entry that was
                read; None for the beginning.
            owner: the result of `owner_of` for the reader's credential, if only the client that began the
                stream may read it; None if that does not matter.

        Raises:
            UnknownStream: there is none, or it belongs to another owner.
            ExpiredStream: its retention is over.
            BadCursor: ``after`` is not a position in it.
            ForeignCursor: ``after`` is a position in another stream.
            StreamFailed: after the last frame, if the stream was given up.
            StoppedStream: after the last frame, if it was stopped.
            WriterGone: after the last frame, if no process writes it. `recover` it.
        """
        follower = Follower(self.store, self.codec, key, after, owner)
        return self._following(follower)

    def _following(self, follower: Follower) -> Iterator[Entry]:
        signal = Signal()
        with Subscription(self._bell, follower.key, signal):
            while (step := follower.step()).wait is not None:
                yield from step.entries
                if step.wait:
                    signal.wait(step.wait)

    async def aread(
        self, key: str, *, after: str | int | None = None, owner: str | None = None
    ) -> AsyncIterator[Entry]:
        """As `read`, for an event loop. Errors in the arguments are raised with the first entry."""
        follower = await self.follower(key, after, owner)
        async for entries in self.steps(follower):
            for entry in entries:
                yield entry

    async def follower(self, key: str, after: str | int | None, owner: str | None = None) -> Follower:
        """A reader's position in a stream. It raises what `read` raises."""
        return await anyio.to_thread.run_sync(
            lambda: Follower(self.store, self.codec, key, after, owner), abandon_on_cancel=True
        )

    async def steps(self, follower: Follower, beat: float = rules.TTL) -> AsyncIterator[list[Entry]]:
        """What a reader receives, as it is added; an empty list if nothing was added for ``beat`` seconds."""
        signal = AsyncSignal()
        with Subscription(self._bell, follower.key, signal):
            while True:
                step = await anyio.to_thread.run_sync(follower.step, abandon_on_cancel=True)
                if step.wait is None:
                    return
                if step.entries:
                    yield step.entries
                elif not await signal.wait(min(beat, step.wait)) and step.wait > beat:
                    yield []

    # -- in the background -----------------------------------------------------------------------

    def start(self, client: Any, key: str, **request: Any) -> None:
        """Run a stream in a thread. Return once the journal has it, before a request is sent.

        It continues from what is stored, as any stream with a key; one that is complete costs nothing. If the
        process ends, the stream is abandoned: `recover` it. A failure is logged, and raised to its readers.

        Args:
            client: a resilient sync client of the SDK with this journal.
            key: the stream's.
            request: as for ``client.messages.create``.

        Raises:
            JournalError: it can't begin: the key was used for another request, another process writes it, ...
        """
        background.start(self.entrance, client, key, request)

    async def astart(self, client: Any, key: str, **request: Any) -> None:
        """As `start`, for an async client, in a task of asyncio. Under trio, start `arun` in your own
        nursery."""
        await background.astart(self.entrance, client, key, request, self._tasks)

    async def arun(self, client: Any, key: str, **request: Any) -> None:
        """Run a stream of an async client to its end, in this task."""
        await background.arun(client, key, request)

    def recover(self, client: Any) -> list[str]:
        """Continue the streams whose writer is gone, in threads, with the credential of ``client``. Return
        their keys. If two processes do so at once, each stream goes to one of them.

        Args:
            client: a resilient sync client of the SDK with this journal.
        """
        return background.recover(self.entrance, client, self.abandoned())

    async def arecover(self, client: Any) -> list[str]:
        """As `recover`, for an async client, in tasks of asyncio."""
        heads = await anyio.to_thread.run_sync(self.abandoned)
        return await background.arecover(self.entrance, client, heads, self._tasks)

    # -- streams ---------------------------------------------------------------------------------

    def streams(self) -> list[Head]:
        """The streams in the journal, the oldest first."""
        return self.store.heads()

    def abandoned(self) -> list[Head]:
        """The streams whose writer is gone and that no other process has taken over."""
        now = self.store.now()
        return [
            head
            for head in self.store.heads()
            if head.status is Status.RUNNING and (rules.is_abandoned(head, now) or rules.is_dead(head.holder))
        ]

    def request(self, key: str) -> dict[str, Any]:
        """The request of a stream: its ``body``, and the ``headers`` that are part of it.

        Raises:
            UnknownStream: there is none.
        """
        return self.entrance.kept(key)[0]

    def stop(self, key: str) -> bool:
        """Stop a stream for good, whichever process writes it, with its next event or ping. Return whether
        there was anything to stop.

        What was received can still be read. Its key can't begin another stream until the stream is removed.
        """
        return self.store.stop(key)

    def remove(self, key: str) -> bool:
        """Remove a stream from the journal, and end its writer. Return whether it existed."""
        return self.store.remove(key)

    def owner_of(self, credential: str) -> str:
        """A digest of a credential under the journal's own secret. It recognises who began a stream, and the
        credential can't be read from it."""
        return digest(self.store.secret, credential)

    def prune(self) -> None:
        """Remove what is old. While streams are written this happens by itself, once a minute."""
        heads, now = self.store.heads(), self.store.now()
        for head in outdated(heads, now, self._keep_for, self._keep_bytes):
            self.store.expire(head.key)
        for head in forgotten(heads, now, self._keep_for):
            self.store.remove(head.key)
        self.store.tidy()

    # -- the end ---------------------------------------------------------------------------------

    def close(self) -> None:
        """End the threads, and close files and connections. Streams that are still being written continue."""
        self._bell.close()
        self._pulse.close()
        self._group.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
