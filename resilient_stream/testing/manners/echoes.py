"""Manners that repeat the fragment: exactly, in another spelling, wrapped, from elsewhere, or not at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

Manner = Callable[[str, str, str], str]
"""``(answer, received, quote) -> text``."""

SLIP: Final = "something"
"""The word that a slip puts in the place of another."""

_WIDE: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_STRAIGHT: Final = str.maketrans("\u201c\u201d\u201e\u2018\u2019\u201a\u2013\u2014", "\"\"\"'''--")


def echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote exactly, then goes on."""
    return quote + answer[len(received) :]


def no_echo(answer: str, received: str, quote: str) -> str:
    """Goes on exactly where the text ended, without the quote."""
    return answer[len(received) :]


def composed_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote in composed characters (NFC), and continues in them."""
    return unicodedata.normalize("NFC", quote + answer[len(received) :])


def decomposed_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote in decomposed characters (NFD), then goes on as scripted."""
    return unicodedata.normalize("NFD", quote) + answer[len(received) :]


def wide_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote in full-width letters, then goes on."""
    return quote.translate(_WIDE) + answer[len(received) :]


def narrow_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote in the plainest letters (NFKC), then goes on."""
    return unicodedata.normalize("NFKC", quote) + answer[len(received) :]


def straight_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote with straight quotes and plain hyphens, then goes on."""
    return quote.translate(_STRAIGHT) + answer[len(received) :]


def curly_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote with typographic quotes and dashes, then goes on."""
    curly = re.sub(r'(?<!\S)"', "\u201c", quote).replace('"', "\u201d").replace("'", "\u2019")
    return curly.replace(" - ", " \u2013 ") + answer[len(received) :]


def respaced_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote on one line, every white space one space, then goes on."""
    return " ".join(quote.split()) + answer[len(received) :]


def broken_echo(answer: str, received: str, quote: str) -> str:
    """Breaks the quote into lines of three words, then goes on."""
    words = quote.split()
    lines = [" ".join(words[at : at + 3]) for at in range(0, len(words), 3)]
    return "\n".join(lines) + answer[len(received) :]


def lowered_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote in small letters, then goes on."""
    return quote.lower() + answer[len(received) :]


def slipped_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote with one word in its middle changed, then goes on."""
    words = re.split(r"(\s+)", quote)
    middle = len(words) // 2 // 2 * 2
    words[middle] = SLIP
    return "".join(words) + answer[len(received) :]


def quoted_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote in quotation marks and an ellipsis, on a line of its own."""
    return f"\u201c\u2026{quote}\u201d\n" + answer[len(received) :]


def bracketed_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote in brackets, then goes on."""
    return f"\u3010{quote}\u3011" + answer[len(received) :]


def marked_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote between markers, as the request has it, then goes on."""
    return f"<<<\n{quote}\n>>>\n" + answer[len(received) :]


def fenced_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote in a code fence, then goes on."""
    return f"```\n{quote}\n```\n" + answer[len(received) :]


def bold_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote in bold, then goes on."""
    return f"**{quote}**" + answer[len(received) :]


def spaced_echo(answer: str, received: str, quote: str) -> str:
    """Begins with an empty line, then repeats the quote and goes on."""
    return f"\n\n{quote}" + answer[len(received) :]


def partial_echo(answer: str, received: str, quote: str) -> str:
    """Repeats only the end of the quote, from the word in its middle on."""
    middle = len(quote) // 2
    word = quote.find(" ", middle) + 1
    return quote[word or middle :] + answer[len(received) :]


def long_echo(answer: str, received: str, quote: str) -> str:
    """Begins to repeat earlier than the quote: twice its length, from a word on."""
    early = max(0, len(received) - 2 * len(quote))
    word = received.rfind(" ", 0, early + 1) + 1
    return answer[word:]


ALL: Final[tuple[Manner, ...]] = (
    echo,
    no_echo,
    composed_echo,
    decomposed_echo,
    wide_echo,
    narrow_echo,
    straight_echo,
    curly_echo,
    respaced_echo,
    broken_echo,
    lowered_echo,
    slipped_echo,
    quoted_echo,
    bracketed_echo,
    marked_echo,
    fenced_echo,
    bold_echo,
    spaced_echo,
    partial_echo,
    long_echo,
)
