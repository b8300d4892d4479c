"""Estimates of token numbers that the API did not report.

Claude's tokenizer is not public. A token is about 3.5 characters of English [platform docs, "Glossary"],
fewer of code, and a Chinese character is about one. By bytes of UTF-8 these come close to each other, so
bytes are what is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeGuard

INPUT_FIELDS: Final = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
"""The numbers of a usage object that add up to the input of a request."""

MOST_BYTES: Final = 4.5
"""The most bytes per token: plain English has fewer, and only rows of blanks have more."""
USUAL_BYTES: Final = 3.5
"""The usual number of bytes per token."""
FEWEST_BYTES: Final = 2.5
"""The fewest bytes per token: code, tables, and prose with newer tokenizers."""

MOST: Final = 10**12
"""The largest number of tokens that is believed. No request has a millionth of that, and a float represents
each smaller number exactly."""

MEDIA: Final = 1_600
"""The tokens that an image or a document in base64 counts as: its bytes say nothing about its tokens. It is
what a large image costs [platform docs, "Vision"]."""


def is_count(value: object) -> TypeGuard[int]:
    """Whether a value is a plausible number of tokens: whole, not negative, and not too large."""
    return type(value) is int and 0 <= value <= MOST


def at_least(text: str) -> int:
    """A low estimate of the tokens of a text."""
    return int(_bytes(text) / MOST_BYTES)


def estimated(text: str) -> int:
    """An estimate of the tokens of a text."""
    return round(_bytes(text) / USUAL_BYTES)


def of_characters(count: int) -> int:
    """An estimate of the tokens of a text of so many characters."""
    return round(count / USUAL_BYTES)


def at_most(text: str) -> int:
    """A high estimate of the tokens of a text."""
    return -int(-_bytes(text) // FEWEST_BYTES)


def of_request(body: Any) -> int:
    """An estimate of the input tokens of a request: all words in it count, names included.

    Args:
        body: JSON; the SDK's own models may stand in it.
    """
    total, waiting = 0, [body]
    while waiting:  # no recursion: it may be nested as deeply as it likes
        match waiting.pop():
            case str() as text:
                total += _bytes(text)
            case bool() | int() | float() | None:
                total += 1
            case {"type": "base64"}:
                total += round(MEDIA * USUAL_BYTES)
            case Mapping() as fields:
                waiting += fields.keys()
                waiting += fields.values()
            case list() | tuple() as items:
                waiting += items
            case other:
                waiting += [getattr(other, "__dict__", None)]
    return round(total / USUAL_BYTES)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
