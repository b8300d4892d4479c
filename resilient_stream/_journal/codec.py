"""Encrypts what is stored with the user's own functions, and makes digests under the journal's secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final

from resilient_stream.errors import JournalError

Change = Callable[[bytes], bytes]

UNREADABLE: Final = "the stored stream can't be decrypted; it was encrypted with another key"

MOST_NAMED: Final = 5
"""The most differences between two requests that are named."""


class Codec:
    """Turns payloads into what is stored, and back.

    Args:
        encrypt: applied to each payload before it is stored; None to store it unchanged.
        decrypt: the inverse of ``encrypt``.
    """

    def __init__(self, encrypt: Change | None = None, decrypt: Change | None = None) -> None:
        if (encrypt is None) != (decrypt is None):
            raise ValueError("encrypt and decrypt should be given together")
        self.store: Change = encrypt or bytes
        self._decrypt: Change = decrypt or bytes

    def load(self, stored: bytes) -> bytes:
        """The payload that was stored.

        Raises:
            JournalError: it can't be decrypted: it was stored under another key.
        """
        try:
            return self._decrypt(stored)
        except Exception as error:
            raise JournalError(UNREADABLE) from error


def request_bytes(body: Mapping[str, Any]) -> bytes:
    """A request's body as it is stored. The order of its fields is kept, because a prompt cache may depend on
    it.

    Raises:
        JournalError: it is not JSON.
    """
    try:
        return json.dumps(dict(body), separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise JournalError(f"a request that is journaled should be JSON: {error}") from error


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Where two requests differ: names of fields, and numbers of messages, without their content."""
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
    """A digest of a credential, by which it can be recognised but not read."""
    return blake2b(credential.encode("utf-8", "surrogatepass"), digest_size=16, key=secret).hexdigest()
