"""Reads a stream from any position, in any process: the frames that exist, then those that are added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from resilient_stream.errors import ExpiredStream, StoppedStream, StreamFailed, UnknownStream, WriterGone

from . import lease as rules
from .codec import Codec
from .cursor import cursor, number_of
from .entries import Head, Status
from .store import Store

AT_ONCE: Final = 256
"""How many frames are read at once."""

_ENDINGS: Final = {
    Status.FAILED: (StreamFailed, "the stream was given up; all that it received has been read"),
    Status.LEFT: (WriterGone, "the program that wrote the stream has left it before its end"),
    Status.STOPPED: (StoppedStream, "the stream was stopped before its end"),
    Status.EXPIRED: (ExpiredStream, "the stream's retention is over"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One frame of a stream."""

    number: int
    """1 for the first."""
    cursor: str
    """The position behind it, for ``after``."""
    frame: bytes
    """One server-sent event, its blank line included."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a reader receives next."""

    entries: list[Entry]
    wait: float | None
    """Seconds that may pass before there is news: 0 to read on at once, None if the stream is complete."""


class Follower:
    """One reader's position in one stream.

    Args:
        store: where it is.
        codec: decrypts.
        key: the stream's.
        after: the position to begin behind: a cursor, a number, or None for the beginning.
        owner: the digest of the reader's credential; None if that does not matter.

    Raises:
        UnknownStream: there is none, or it belongs to another owner.
        ExpiredStream: its retention is over.
        BadCursor: ``after`` is not a position in it.
        ForeignCursor: ``after`` is a position in another stream.
    """

    def __init__(
        self, store: Store, codec: Codec, key: str, after: str | int | None, owner: str | None = None
    ) -> None:
        self._store, self._codec, self.key = store, codec, key
        self.head = self._found(store.head(key), owner)
        self._last = number_of(after, self.head.tag, self.head.last)
        if self.head.status is Status.EXPIRED:
            raise ExpiredStream("the stream's retention is over")

    def _found(self, head: Head | None, owner: str | None) -> Head:
        if head is None or (owner is not None and head.owner != owner):
            raise UnknownStream("there is no such stream in the journal")
        return head

    @property
    def last(self) -> int:
        """The number of the last frame that was read."""
        return self._last

    @property
    def is_over(self) -> bool:
        """Whether the stream had ended when it was last looked at, and all of it was read."""
        return self.head.status is not Status.RUNNING and self._last >= self.head.last

    def step(self) -> Step:
        """What was added since the last call.

        Raises:
            StreamFailed: all frames were returned, and the stream was given up.
            StoppedStream: all frames were returned, and the stream was stopped.
            WriterGone: all frames were returned, and no process writes the stream, which is not complete.
            ExpiredStream: its retention ended while it was read.
            UnknownStream: it was removed while it was read.
            JournalError: a frame can't be decrypted.
        """
        page = self._store.read(self.key, self._last, AT_ONCE)
        if page is None or page.head.tag != self.head.tag:
            raise UnknownStream("the stream was removed while it was read")
        self.head = head = page.head
        entries = [
            Entry(number, cursor(head.tag, number), self._codec.load(frame)) for number, frame in page.frames
        ]
        if entries:
            self._last = entries[-1].number
            return Step(entries, 0.0)
        return Step(entries, self._wait(head))

    def _wait(self, head: Head) -> float | None:
        if head.status is Status.COMPLETE:
            return None
        if head.status in _ENDINGS:
            kind, sentence = _ENDINGS[head.status]
            raise kind(sentence)
        left = head.until - self._store.now()
        if left <= 0 or rules.is_dead(head.holder):
            raise WriterGone("the process that wrote the stream is gone, and no other has taken over yet")
        return left + 0.001
