"""The exceptions that the library defines.

::

    ValueError
    └── PolicyError             a policy is wrong
    RuntimeError
    └── JournalError            the base of all errors of a journal
        ├── JournalUnavailable  the store can't be reached, or can't be written to
        ├── UnknownStream       there is no stream with that key
        ├── ExpiredStream       there was one, but its retention is over
        ├── StoppedStream       the stream was stopped and is not continued
        ├── StreamBusy          another process writes the stream
        ├── OtherRequest        the key was used for another request
        ├── LeaseLost           another process has taken over the stream
        ├── WriterGone          the writer is gone, and no other has taken over yet
        ├── StreamFailed        the stream was given up; raised to its readers
        ├── BadCursor           the cursor is not valid
        └── ForeignCursor       the cursor belongs to another stream

A stream that fails raises the SDK's exceptions, and one of these only if its journal failed.
"""

from __future__ import annotations

__all__ = [
    "BadCursor",
    "ExpiredStream",
    "ForeignCursor",
    "JournalError",
    "JournalUnavailable",
    "LeaseLost",
    "OtherRequest",
    "PolicyError",
    "StoppedStream",
    "StreamBusy",
    "StreamFailed",
    "UnknownStream",
    "WriterGone",
]


class PolicyError(ValueError):
    """A policy is wrong: an unknown field, an impossible value, a contradiction, a missing file.

    The text names the field, the value and what would be right. The error is raised when the policy is made,
    before any request is sent. Only a wrong answer of your own strategy is noticed later, when the strategy
    is called.
    """


class JournalError(RuntimeError):
    """A journal has failed or was used wrongly. The text says what happened and what to do. It has no content
    of requests or replies."""


class JournalUnavailable(JournalError):
    """The store of a journal can't be reached, is full or damaged, or belongs to another program."""


class UnknownStream(JournalError):
    """There is no stream with that key."""


class ExpiredStream(JournalError):
    """There was a stream with that key, but its retention is over."""


class StoppedStream(JournalError):
    """The stream was stopped. Remove it before you use its key again."""


class StreamBusy(JournalError):
    """Another process writes the stream. It can be read meanwhile."""


class OtherRequest(JournalError):
    """The key was used for another request. The text names the fields that differ, but not their values."""


class LeaseLost(JournalError):
    """Another process has taken over the stream, because this one did not write for too long; or the stream
    was removed. What this process has received since then is not kept."""


class WriterGone(JournalError):
    """The process that wrote the stream is gone, and no other has taken over. You have received all that it
    wrote."""


class StreamFailed(JournalError):
    """The stream was given up. You have received everything that it wrote."""


class BadCursor(JournalError):
    """This is not a cursor, or there is no such frame."""


class ForeignCursor(JournalError):
    """The cursor belongs to another stream."""
