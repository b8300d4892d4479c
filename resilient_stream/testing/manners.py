"""How a model answers when it is asked in a user turn to go on.

Asked to repeat a fragment and continue, a model may do just that; or leave the fragment out, greet
first, begin again, repeat only half of it, or lose the space at the seam. Each manner is a function
of the whole scripted text, the part of it that the request already holds (without trailing
whitespace), and the fragment that the request quotes (empty if none). Add your own to
:data:`MANNERS`, or hand a function to the stand-in.
"""

from __future__ import annotations

from collections.abc import Callable

Manner = Callable[[str, str, str], str]
"""``(answer, received, quote) -> text``."""

PREAMBLE = "Continuing from where I left off:\n\n"


def echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote exactly, then goes on."""
    return quote + answer[len(received) :]


def no_echo(answer: str, received: str, quote: str) -> str:
    """Goes on exactly where the text ended, without the quote."""
    return answer[len(received) :]


def preamble(answer: str, received: str, quote: str) -> str:
    """Says a sentence of its own, then behaves."""
    return PREAMBLE + echo(answer, received, quote)


def preamble_no_echo(answer: str, received: str, quote: str) -> str:
    """Says a sentence of its own, then goes on without the quote."""
    return PREAMBLE + no_echo(answer, received, quote)


def restart(answer: str, received: str, quote: str) -> str:
    """Begins the whole answer again."""
    return answer


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


def lost_space(answer: str, received: str, quote: str) -> str:
    """Repeats the quote, then loses the whitespace that should follow it."""
    return quote + answer[len(received) :].lstrip()


def lost_space_no_echo(answer: str, received: str, quote: str) -> str:
    """Goes on without the quote and without the whitespace at the seam."""
    return answer[len(received) :].lstrip()


def quoted_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote in quotation marks and an ellipsis, on a line of its own."""
    return f"\u201c\u2026{quote}\u201d\n" + answer[len(received) :]


MANNERS: dict[str, Manner] = {
    manner.__name__: manner
    for manner in (
        echo,
        long_echo,
        lost_space,
        lost_space_no_echo,
        no_echo,
        partial_echo,
        preamble,
        preamble_no_echo,
        quoted_echo,
        restart,
    )
}
"""The manners by name."""


def manner_of(manner: str | Manner) -> Manner:
    """A manner by its name, or the function itself."""
    return MANNERS[manner] if isinstance(manner, str) else manner
