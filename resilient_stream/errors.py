"""The exceptions of the library's own.

::

    ValueError
    └── PolicyError             the policy as written cannot be meant
    RuntimeError
    └── JournalError            of a journal
        ├── JournalUnavailable  its store can't be reached, or can't be written to
        ├── UnknownStream       there is no stream of that key
        ├── ExpiredStream       there was one; its retention is over
        ├── StoppedStream       it was stopped, so it is not gone on with
        ├── StreamBusy          another process writes it
        ├── OtherRequest        the key was used for another request
        ├── LeaseLost           another process has gone on with it
        ├── WriterGone          its writer is gone, and nobody has taken over yet
        ├── StreamFailed        it was given up; raised to whoever follows it
        ├── BadCursor           this is no place in it
        └── ForeignCursor       this is a place in another stream

A stream that fails raises the SDK's exceptions, never one of these, unless its journal is what failed.
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
    """A policy was written wrongly: an unknown field, an impossible value, a contradiction, a missing file.

    The text names the field, the value and what would be right. It is raised where the policy is
    made, before any request is sent, except for what a strategy of the user's own answers: that
    is only known when the strategy is asked.
    """


class JournalError(RuntimeError):
    """Something about a journal is not as it should be. The text says what, and what to do. It has no content
    of requests or replies."""


class JournalUnavailable(JournalError):
    """The store of a journal can't be reached, is full, damaged, or somebody else's."""


class UnknownStream(JournalError):
    """There is no stream of that key."""


class ExpiredStream(JournalError):
    """There was a stream of that key, and its retention is over."""


class StoppedStream(JournalError):
    """The stream was stopped; its key begins nothing until it is removed."""


class StreamBusy(JournalError):
    """Another process writes the stream. It can be read meanwhile."""


class OtherRequest(JournalError):
    """The key was used for another request. The text names the fields that differ, not what is in them."""


class LeaseLost(JournalError):
    """Another process has gone on with the stream, because this one did not write for too long; or the stream
    was removed. What this one brought since is not kept."""


class WriterGone(JournalError):
    """The process that wrote the stream is gone, and nobody has taken over. What it wrote was given."""


class StreamFailed(JournalError):
    """The stream was given up. What it brought was given."""


class BadCursor(JournalError):
    """This is no cursor, or one of a frame that there is not."""


class ForeignCursor(JournalError):
    """The cursor is of another stream."""
