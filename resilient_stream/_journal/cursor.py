"""Cursors: positions in a stream as readers name them: ``TAG-NUMBER``, with the number of the last frame that
was read.

Each stream has a tag of its own. So a cursor of one stream is not accepted for another, nor for a later
stream under the same key. Something that is not a cursor is refused, and not taken for the beginning.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

from resilient_stream.errors import BadCursor, ForeignCursor

_CURSOR: Final = re.compile(r"([0-9a-f]{12})-(0|[1-9]\d{0,17})", re.ASCII)


def new_tag() -> str:
    """A tag for a new stream."""
    return secrets.token_hex(6)


def cursor(tag: str, number: int) -> str:
    """The cursor behind frame ``number``."""
    return f"{tag}-{number}"


def number_of(after: str | int | None, tag: str, last: int) -> int:
    """The number of the last frame that a reader has read; 0 for none.

    Args:
        after: the reader's position: a cursor, a plain number, or None for the beginning.
        tag: the tag of the stream that it reads.
        last: the number of the stream's last frame.

    Raises:
        BadCursor: ``after`` is not a cursor, or names a frame that does not exist.
        ForeignCursor: ``after`` belongs to another stream.
    """
    if after is None:
        return 0
    number = after if isinstance(after, int) else _parsed(after, tag)
    if not 0 <= number <= last:
        raise BadCursor(f"the cursor names frame {number}, and the stream has {last}")
    return number


def _parsed(after: str, tag: str) -> int:
    found = _CURSOR.fullmatch(after)
    if found is None:
        raise BadCursor("this is not a cursor of a journal; its form is TAG-NUMBER")
    if found[1] != tag:
        raise ForeignCursor("the cursor belongs to another stream")
    return int(found[2])
