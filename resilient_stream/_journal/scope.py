"""Chooses the key under which a stream is journaled, without sending it."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from anthropic import Omit

HEADER: Final = "resilient-stream-journal"
"""The header that `journal_key` sets; it is never sent."""

LONGEST_KEY: Final = 512
"""The most characters of a key."""


class _Keys:
    """The keys of the streams of one block: its name, then its name with a number."""

    def __init__(self, key: str) -> None:
        self._key, self._numbers = key, itertools.count(1)

    def next(self) -> str:
        number = next(self._numbers)
        return self._key if number == 1 else f"{self._key}#{number}"


_SCOPE: ContextVar[_Keys | None] = ContextVar("resilient_stream_journaled", default=None)


class _Carrier:
    """A header that carries a key to the middleware and is not sent."""

    def __init__(self, key: str) -> None:
        self.key = key


@cache
def _carrier() -> type[Any]:
    """The class of such headers: a subclass of the SDK's `Omit`."""
    from anthropic import Omit

    return type("JournalHeader", (_Carrier, Omit), {})


def checked(key: str) -> str:
    """A valid key.

    Raises:
        ValueError: it is empty or too long, or has a control character in it.
    """
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise ValueError(f"a journal's key should have 1 to {LONGEST_KEY} printable characters")
    return key


def journal_key(key: str) -> Mapping[str, Omit]:
    """The key of one call, as its ``extra_headers``; no header is sent.

    ::

        client.messages.stream(..., extra_headers=journal_key("report/chapter-3"))

    Args:
        key: a name for this stream, the same each time the program is run.

    Raises:
        ValueError: it can't be a key.
    """
    return {HEADER: _carrier()(checked(key))}


@contextmanager
def journaled(key: str) -> Generator[None]:
    """Journal the streams that are begun in a ``with`` block: the first under ``key``, those after it under
    ``key#2``, ``key#3`` and so on, in the order in which they begin.

    So a loop that calls tools is journaled turn by turn. It counts for clients that were given a journal.
    Tasks begun within the block have it too; threads have it only if their context is copied.

    Args:
        key: a name for these streams, the same each time the program is run.

    Raises:
        ValueError: it can't be a key.
    """
    token = _SCOPE.set(_Keys(checked(key)))
    try:
        yield
    finally:
        _SCOPE.reset(token)


def chosen(option: object = None) -> str | None:
    """The key for a call that begins now; None if it is not to be journaled.

    Args:
        option: what the call's `HEADER` holds.
    """
    if isinstance(option, _Carrier):
        return option.key
    keys = _SCOPE.get()
    return None if keys is None else keys.next()


def is_option(option: object) -> bool:
    """Whether a call's `HEADER` has a key."""
    return isinstance(option, _Carrier)
