"""The thoughts that this process has seen cut off, to be known again when they come back in a history.

A thought without a signature may be what is left of one of Claude's, which the API refuses, or a whole one of
another model's, whose host may want it. Its text tells: what was cut off here is known. Kept are digests
under a secret of this process, so that its memory does not show here what was thought.
"""

from __future__ import annotations

import secrets
import threading
from hashlib import blake2b
from typing import Final

MOST: Final = 4_096
"""Thoughts that are remembered. A stream leaves one or two behind where it is cut; beyond, the oldest go."""

_SECRET: Final = secrets.token_bytes(32)
_KNOWN: Final[dict[bytes, None]] = {}
_LOCK: Final = threading.RLock()  # the collector may end a stream while another one is noted


def remember(thought: str) -> None:
    """Note a thought that was cut off."""
    with _LOCK:
        _KNOWN[_digest(thought)] = None
        if len(_KNOWN) > MOST:
            del _KNOWN[next(iter(_KNOWN))]


def remembered(thought: str) -> bool:
    """Whether it was cut off here."""
    return _digest(thought) in _KNOWN


def _digest(thought: str) -> bytes:
    return blake2b(thought.encode("utf-8", "surrogatepass"), digest_size=16, key=_SECRET).digest()
