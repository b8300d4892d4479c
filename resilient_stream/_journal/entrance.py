"""Brings a program's streams into the journal: begins, replays or continues them."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
import anyio.to_thread

from resilient_stream._session.context import StreamContext
from resilient_stream.errors import (
    JournalError,
    JournalUnavailable,
    OtherRequest,
    StoppedStream,
    UnknownStream,
)

from . import record
from .claiming import claiming
from .codec import UNREADABLE, Codec, differences, request_bytes
from .cursor import new_tag
from .entries import Claim, Head, Opening, Status
from .group import Group
from .keeper import Keeper, unjournaled
from .pulse import Pulse
from .scope import checked
from .session import Session
from .store import Store

PAGE: Final = 1024
"""How many frames are loaded at once."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a program wants to journal."""

    key: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    """The headers that are part of the request: with other values it would be another request."""
    owner: str = ""
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What a process that continues the stream needs to know besides, as JSON."""


class Entrance:
    """Gives each stream of a program its `Session`.

    Args:
        store: where the streams are.
        codec: encrypts and decrypts.
        group: writes.
        pulse: renews leases.
        ttl: seconds that a lease lasts.
    """

    def __init__(self, store: Store, codec: Codec, group: Group, pulse: Pulse, ttl: float) -> None:
        self.store, self._codec, self._group, self._pulse, self._ttl = store, codec, group, pulse, ttl
        self._awaited: dict[str, Callable[[], object]] = {}
        """What to call when the journal has a stream of this key."""

    @contextmanager
    def telling(self, key: str, act: Callable[[], object]) -> Generator[None]:
        """Call ``act`` once the journal has a stream of this key."""
        self._awaited[key] = act
        try:
            yield
        finally:
            self._awaited.pop(key, None)

    def enter(self, asked: Asked, context: StreamContext) -> Session | None:
        """As `take`; None if the store can't be used and the policy says to continue without it.

        If somebody waits for the stream to be in the journal, it does not continue without it.
        """
        try:
            return self.take(asked, context)
        except JournalUnavailable as error:
            self._let_go(asked, context, error)
            return None

    async def aenter(self, asked: Asked, context: StreamContext) -> Session | None:
        """As `enter`."""
        try:
            return await self.atake(asked, context)
        except JournalUnavailable as error:
            self._let_go(asked, context, error)
            return None

    def _let_go(self, asked: Asked, context: StreamContext, error: JournalUnavailable) -> None:
        """Handle a store that can't be used when a stream begins.

        Raises:
            JournalUnavailable: the stream is not to go on.
        """
        if asked.key in self._awaited:
            raise error
        unjournaled(context.policy.journal_failure, error)

    def take(self, asked: Asked, context: StreamContext) -> Session:
        """Begin a stream, or take up what the journal has of it.

        Args:
            asked: what is to be journaled.
            context: the stream's.

        Raises:
            OtherRequest: the key was used for another request.
            StreamBusy: another process writes the stream.
            StoppedStream: it was stopped.
            JournalError: the stored part of it can't be read.
            JournalUnavailable: the store can't be used.
        """
        steps = self._claiming(asked)
        while not isinstance(found := _next(steps), Claim):
            context.runtime.sleep(found)
        return self._session(found, asked, context)

    async def atake(self, asked: Asked, context: StreamContext) -> Session:
        """As `take`."""
        steps = await anyio.to_thread.run_sync(self._claiming, asked)
        while not isinstance(found := await anyio.to_thread.run_sync(_next, steps), Claim):  # noqa: ASYNC110 -- for what other processes do
            await anyio.sleep(found)
        return await anyio.to_thread.run_sync(self._session, found, asked, context)

    def _claiming(self, asked: Asked) -> Generator[float, None, Claim]:
        """The steps to claim the right to write a stream.

        Raises:
            OtherRequest: the key was used for another request.
        """
        more = {"more": dict(asked.more)} if asked.more else {}
        request = request_bytes({"headers": dict(asked.headers), "body": dict(asked.body), **more})
        key = checked(asked.key)
        with suppress(UnknownStream):
            self._compare(key, self.kept(key)[0], asked)
        opening = Opening(new_tag(), self._codec.store(request), asked.owner)
        return claiming(self.store, key, self._ttl, opening)

    def _compare(self, key: str, before: dict[str, Any], asked: Asked) -> None:
        if places := differences(before["body"], json.loads(request_bytes(asked.body))):
            raise OtherRequest(
                f"the key {key!r} was used for another request: {', '.join(places)} differ; give each "
                "request a key of its own, or remove the stream"
            )

    def _session(self, claim: Claim, asked: Asked, context: StreamContext) -> Session:
        """Decide what to do with a stream that was claimed. If there is nothing to do, give the claim
        back."""
        head, lease = claim.head, claim.lease
        assert head is not None, "it was to be begun where it was not"  # noqa: S101 -- for types
        keeper = None
        if lease is not None:
            failure = context.policy.journal_failure
            keeper = Keeper(self._group, self._codec, lease, head.last, failure, self._pulse.discard)
        try:
            session = self._found(head, asked, context, keeper)
        except BaseException:  # interruptions too: nobody else would give the claim back before it ends
            if keeper is not None:
                keeper.give_back()
            raise
        if keeper is not None:
            self._pulse.add(keeper)
        if (act := self._awaited.get(head.key)) is not None:
            act()
        return session

    def _found(self, head: Head, asked: Asked, context: StreamContext, keeper: Keeper | None) -> Session:
        if keeper is None and head.status is not Status.COMPLETE:
            raise StoppedStream(f"the stream {head.key!r} was stopped; remove it to begin it anew")
        before, kept = self.kept(head.key)
        self._compare(head.key, before, asked)
        again = kept.ledger is not None and kept.ledger.outcome is not None
        session = Session(context, keeper, self._frames(head), kept, again and keeper is not None, head.tag)
        session.refill()
        return session

    def kept(self, key: str) -> tuple[dict[str, Any], record.Kept]:
        """A stream's request, and its record.

        Raises:
            UnknownStream: there is none.
            JournalError: it can't be decrypted, or was encrypted and is read as if it were not.
        """
        payloads = self.store.payloads(key)
        if payloads is None:
            raise UnknownStream(f"there is no stream {key!r} in the journal")
        request, state = payloads
        plain = self._codec.load(request), self._codec.load(state) if state else b""
        try:
            return json.loads(plain[0]), record.read(plain[1])
        except ValueError as error:
            raise JournalError(UNREADABLE) from error

    def _frames(self, head: Head) -> list[bytes]:
        frames = list[bytes]()
        while len(frames) < head.last:
            page = self.store.read(head.key, len(frames), PAGE)
            if page is None or not page.frames:
                raise JournalError(f"the stream {head.key!r} lacks frames that it had; remove it")
            frames += (self._codec.load(frame) for _, frame in page.frames)
        return frames


def _next(steps: Any) -> float | Claim:
    """What a generator yields or returns: StopIteration can't pass between threads."""
    try:
        found: float = next(steps)
    except StopIteration as done:
        claim: Claim = done.value
        return claim
    return found
