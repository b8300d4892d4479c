"""The known ways in which a stream goes wrong on the wire, by name.

Each entry says what the bare SDK does, without retries: it raises an exception, it ends silently with half a
message, or the program notices nothing. The faults happen after the second text delta unless the name says
otherwise, so the reply has to begin with a text of at least three deltas. Use a client with a read timeout,
or stalls last their full length.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import connection, status, stream
from .entry import Entry

__all__ = ["CATALOGUE", "Entry"]

_GROUPS = (
    connection.cuts,
    connection.silences,
    connection.heads,
    stream.contents,
    stream.events,
    stream.errors,
    stream.encodings,
    status.statuses,
    connection.connections,
)

CATALOGUE: Mapping[str, Entry] = MappingProxyType({row.name: row for group in _GROUPS for row in group()})
"""The known faults by name."""
