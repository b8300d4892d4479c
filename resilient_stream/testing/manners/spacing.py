"""Manners that change the white space at the seam, or open a code fence again."""

from __future__ import annotations

import re
from typing import Final

from .echoes import Manner


def lost_space(answer: str, received: str, quote: str) -> str:
    """Repeats the quote, then loses the white space that should follow it."""
    return quote + answer[len(received) :].lstrip()


def lost_space_no_echo(answer: str, received: str, quote: str) -> str:
    """Goes on without the quote and without the white space at the seam."""
    return answer[len(received) :].lstrip()


def doubled_space(answer: str, received: str, quote: str) -> str:
    """Goes on without the quote, with two spaces where one belongs."""
    rest = answer[len(received) :]
    return f" {rest}" if rest.startswith(" ") else rest


def blank_lines(answer: str, received: str, quote: str) -> str:
    """Goes on without the quote, after an empty line."""
    return "\n\n" + answer[len(received) :].lstrip()


def echo_blank_lines(answer: str, received: str, quote: str) -> str:
    """Repeats the quote as a paragraph of its own, then goes on after an empty line."""
    return f"{quote}\n\n" + answer[len(received) :].lstrip()


def _language(received: str) -> str | None:
    """The language of the code fence that is open; None if none is."""
    opened: str | None = None
    for fence in re.finditer(r"^```(\w*)", received, re.MULTILINE):
        opened = fence[1] if opened is None else None
    return opened


def reopened_fence(answer: str, received: str, quote: str) -> str:
    """Opens the open code fence again, repeats the quote and goes on. Without an open fence it echoes."""
    language = _language(received)
    return ("" if language is None else f"```{language}\n") + quote + answer[len(received) :]


def reopened_fence_no_echo(answer: str, received: str, quote: str) -> str:
    """Opens the open code fence again and goes on. Without an open fence it only goes on."""
    language = _language(received)
    return ("" if language is None else f"```{language}\n") + answer[len(received) :]


def reopened_fence_lost_break(answer: str, received: str, quote: str) -> str:
    """Opens the open code fence again and goes on without a line break. Without an open fence it only goes
    on."""
    language = _language(received)
    rest = answer[len(received) :]
    return rest if language is None else f"```{language}\n" + rest.lstrip("\n")


def reopened_fence_line(answer: str, received: str, quote: str) -> str:
    """Opens the open code fence again and begins with the last line. Without an open fence it echoes."""
    language = _language(received)
    line = received[received.rfind("\n") + 1 :]
    told = quote if language is None else f"```{language}\n{line}"
    return told + answer[len(received) :]


def reopened_fence_all(answer: str, received: str, quote: str) -> str:
    """Begins again with the line that opened the open fence. Without an open fence it echoes."""
    if _language(received) is None:
        return quote + answer[len(received) :]
    return answer[received.rfind("\n```") + 1 :]


def retold_bare_fence(answer: str, received: str, quote: str) -> str:
    """If a fence is open, opens one without a language and repeats the last line. Otherwise it echoes."""
    line = received[received.rfind("\n") + 1 :]
    told = quote if _language(received) is None else f"```\n{line}"
    return told + answer[len(received) :]


ALL: Final[tuple[Manner, ...]] = (
    lost_space,
    lost_space_no_echo,
    doubled_space,
    blank_lines,
    echo_blank_lines,
    reopened_fence,
    reopened_fence_no_echo,
    reopened_fence_lost_break,
    reopened_fence_line,
    reopened_fence_all,
    retold_bare_fence,
)
