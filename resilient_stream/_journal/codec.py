"""What is stored, by way of the user's own encryption; and digests under the journal's secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final

from resilient_stream.errors import JournalError

Change = Callable[[bytes], bytes]

MOST_NAMED: Final = 5
"""Places that are named where two requests differ."""


class Codec:
    """Turns payloads into what is stored, and back.

    Args:
        encrypt: is given each payload before it is stored; None to store it as it is.
        decrypt: is given what ``encrypt`` gave.
    """

    def __init__(self, encrypt: Change | None = None, decrypt: Change | None = None) -> None:
        if (encrypt is None) != (decrypt is None):
            raise ValueError("encrypt and decrypt should be given together")
        self.store: Change = encrypt or bytes
        self._decrypt: Change = decrypt or bytes

    def load(self, stored: bytes) -> bytes:
        """The payload.

        Raises:
            JournalError: it can't be decrypted: it was stored under another key.
        """
        try:
            return self._decrypt(stored)
        except Exception as error:
            raise JournalError(
                "what the journal has can't be decrypted; it was stored under another key"
            ) from error


def request_bytes(body: Mapping[str, Any]) -> bytes:
    """A request's body, as it is stored: in its own order, by which a prompt cache may know it.

    Raises:
        JournalError: it is no JSON.
    """
    try:
        return json.dumps(dict(body), separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise JournalError(f"a request that is journaled should be JSON: {error}") from error


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Where two requests differ: the names of fields, and which messages; nothing of what is in them."""
    places = list[str]()
    for name in sorted({*before, *now}):
        one, other = before.get(name), now.get(name)
        if one == other and (name in before) == (name in now):
            continue
        if name == "messages" and isinstance(one, list) and isinstance(other, list):
            places += [f"messages[{at}]" for at in _differing(one, other)]
        else:
            places.append(name)
    return places[:MOST_NAMED]


def _differing(one: list[Any], other: list[Any]) -> list[int]:
    longest = max(len(one), len(other))
    return [at for at in range(longest) if one[at : at + 1] != other[at : at + 1]]


def digest(secret: bytes, credential: str) -> str:
    """A credential, so that it can be known again and not be read."""
    return blake2b(credential.encode("utf-8", "surrogatepass"), digest_size=16, key=secret).hexdigest()
