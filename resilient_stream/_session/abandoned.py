"""Remembers thinking blocks that were cut off in this process, to recognise them in a later history.

A thinking block without a signature may be the rest of one that Claude began, which the API refuses. Or it
may be a complete one of another model, whose host may want it. The text decides: blocks that were cut off in
this process are recognised. Only digests under a secret of this process are kept, so its memory does not hold
the text.
"""

from __future__ import annotations

import secrets
import threading
from hashlib import blake2b
from typing import Final

MOST: Final = 4_096
"""The most thoughts that are remembered. Then the oldest are forgotten. A cut leaves one or two."""

_SECRET: Final = secrets.token_bytes(32)
_KNOWN: Final[dict[bytes, None]] = {}
_LOCK: Final = threading.RLock()  # the collector may end a stream while another one is remembered


def remember(thought: str) -> None:
    """Remember a thought that was cut off."""
    with _LOCK:
        _KNOWN[_digest(thought)] = None
        if len(_KNOWN) > MOST:
            del _KNOWN[next(iter(_KNOWN))]


def remembered(thought: str) -> bool:
    """Whether a thought was cut off in this process."""
    return _digest(thought) in _KNOWN


def _digest(thought: str) -> bytes:
    return blake2b(thought.encode("utf-8", "surrogatepass"), digest_size=16, key=_SECRET).digest()
