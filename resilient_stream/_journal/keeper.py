"""Writes one stream to the journal: the ``keep`` of its driver."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Literal

from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.progress import unseen_tools
from resilient_stream._core.record.lifecycle import Note, What
from resilient_stream._telemetry.guard import guarded
from resilient_stream.errors import JournalUnavailable, LeaseLost, StoppedStream

from . import record
from .codec import Codec
from .entries import Answer, Lease, Status, Write
from .group import Group

log: Final = logging.getLogger("resilient_stream")

ENDINGS: Final = {
    "completed": Status.COMPLETE,
    "finished_with_tools": Status.COMPLETE,
    "failed": Status.FAILED,
    "cancelled": Status.LEFT,
}


class Keeper:
    """Writes what a stream delivers, before it is delivered.

    Args:
        group: writes.
        codec: encrypts.
        lease: the right to write the stream.
        last: the number of its last frame.
        on_failure: what the policy's ``journal_failure`` says.
        done: is called once nothing more will be written.
    """

    def __init__(
        self,
        group: Group,
        codec: Codec,
        lease: Lease,
        last: int,
        on_failure: Literal["continue", "stop"],
        done: Callable[[Keeper], object],
    ) -> None:
        self.lease = lease
        self._group, self._codec, self._done = group, codec, done
        self._last, self._on_failure = last, on_failure
        self._machine: Machine | None = None
        self._began = self._wall = 0.0
        self._answer = Answer.KEPT
        self._over = False
        self._tools_noted = 0

    @property
    def last(self) -> int:
        """The number of the last frame that was written."""
        return self._last

    def watch(self, machine: Machine, began: float, wall: float) -> None:
        """Set whose progress is written.

        Args:
            machine: the stream's.
            began: when the call was made, by the machine's clock.
            wall: the same, in seconds since the epoch.
        """
        self._machine, self._began, self._wall = machine, began, wall

    def heard(self, answer: Answer) -> None:
        """Note the result of a lease renewal. An exception is raised when the stream continues."""
        if answer is not Answer.KEPT:
            self._answer = answer

    def keep(self, out: bytes, notes: list[Note]) -> None:
        """Write what is about to be delivered.

        Raises:
            LeaseLost: another process writes the stream by now.
            StoppedStream: it is to be stopped.
            JournalUnavailable: it can't be written, and the policy says to stop then.
        """
        if (write := self._write_of(out, notes)) is not None:
            self._write(write)

    async def akeep(self, out: bytes, notes: list[Note]) -> None:
        """As `keep`."""
        if (write := self._write_of(out, notes)) is not None:
            await self._awrite(write)

    def give_back(self) -> None:
        """Give the stream back unchanged, because nothing comes of it."""
        self._group.write(Write(self.lease, self._last + 1, (), None, Status.LEFT))

    def tools_begun(self) -> Write | None:
        """What to write if a held tool of the server has begun, or was delivered since.

        If this process ends, the tool may have run without anybody having seen it. None if nothing has
        changed.
        """
        if self._machine is None or self._over:
            return None
        count = len(unseen_tools(self._machine))
        noted, self._tools_noted = self._tools_noted, count
        return self._made((), noted=True, status=None) if count != noted else None

    def note_tools(self) -> None:
        """Write the result of `tools_begun`."""
        if (write := self.tools_begun()) is not None:
            self._write(write)

    async def anote_tools(self) -> None:
        """As `note_tools`."""
        if (write := self.tools_begun()) is not None:
            await self._awrite(write)

    def _write(self, write: Write) -> None:
        try:
            answer = self._group.write(write)
        except JournalUnavailable as error:
            self._without(write, error)
        else:
            self._settle(write, answer)

    async def _awrite(self, write: Write) -> None:
        try:
            answer = await self._group.awrite(write)
        except JournalUnavailable as error:
            self._without(write, error)
        else:
            self._settle(write, answer)

    def _write_of(self, out: bytes, notes: list[Note]) -> Write | None:
        if self._over:
            return None
        outcomes = [record.outcome for what, record in notes if what is What.END]  # type: ignore[union-attr]  # it is an EndRecord
        status = ENDINGS[outcomes[0]] if outcomes else None
        if status is not None and self._answer is Answer.STOP and status is not Status.COMPLETE:
            status = Status.STOPPED
        if not outcomes:
            self._check()
        frames = tuple(map(self._codec.store, record.cut(out))) if out else ()
        return self._made(frames, noted=bool(notes), status=status)

    def _made(self, frames: tuple[bytes, ...], *, noted: bool, status: Status | None) -> Write:
        state = None
        if noted and self._machine is not None:
            state = self._codec.store(record.written(self._machine, self._began, self._wall))
        return Write(self.lease, self._last + 1, frames, state, status)

    def _settle(self, write: Write, answer: Answer) -> None:
        self.heard(answer)
        if answer is not Answer.LOST:
            self._last += len(write.frames)
        if write.status is not None:
            self._end()
        else:
            self._check()

    def _check(self) -> None:
        if self._answer is Answer.LOST:
            self._end()
            raise LeaseLost(
                "another process has continued this stream, or it was removed; "
                "what that process receives is in the journal"
            )
        if self._answer is Answer.STOP:
            raise StoppedStream("the stream was stopped through its journal")

    def _without(self, write: Write, error: JournalUnavailable) -> None:
        """Handle a journal that can't be written.

        Raises:
            JournalUnavailable: the policy says to stop then, and there is something to stop.
        """
        self._end()
        unjournaled(self._on_failure if write.status is None else "continue", error)

    def _end(self) -> None:
        self._over = True
        self._done(self)


def unjournaled(on_failure: str, error: JournalUnavailable) -> None:
    """Log that a stream continues without its journal.

    Raises:
        JournalUnavailable: the policy's ``journal_failure`` is "stop".
    """
    if on_failure == "stop":
        raise error
    guarded(log.warning, f"the stream continues without its journal: {error}")
