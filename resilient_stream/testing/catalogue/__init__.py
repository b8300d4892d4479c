"""The known ways in which a stream goes wrong on the wire, by name.

Each entry says what the bare SDK makes of it, without retries: whether it raises and what, whether
it ends silently with half a message, or whether nothing shows. The faults strike after the second
text delta unless the name says otherwise, so the reply has to begin with a text of three deltas or
more. A client needs a read timeout, or the stalls last their full length.
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
