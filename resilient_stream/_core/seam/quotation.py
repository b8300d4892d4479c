"""Finds the sign that closes a bracket or a quotation mark, in any writing system.

Unicode has a category for brackets and one for quotation marks. The name of a bracket leads to that of its
partner (LEFT, RIGHT). Languages differ in which quotation marks open and which close, so any of them closes
any other.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

_ALIKE: Final = ("**", "*", "_", "`", '"', "'")
"""Signs that are closed by the same sign."""
_LOW: Final = "\u201a\u201e"
"""Quotation marks that Unicode lists as opening brackets."""
_QUOTES: Final = "\u00ab\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a"
_SIDES: Final = (("LEFT", "RIGHT"), ("LESS", "GREATER"), ("REVERSED DOUBLE", "DOUBLE"))
"""The words in which the names of the two sides differ. They may differ in several."""


def is_bracket(sign: str) -> bool:
    """Whether a sign is an opening bracket, and not a quotation mark."""
    one = len(sign) == 1 and sign not in _LOW
    return one and (sign == "<" or unicodedata.category(sign) == "Ps")


@cache
def closers_of(sign: str) -> str:
    """The sign that closes what ``sign`` opens, or several signs, any of which closes it; empty if it opens
    nothing.

    Args:
        sign: a character, or ``**``.
    """
    if sign in _ALIKE:
        return sign
    if sign in _QUOTES:
        return _QUOTES
    if not is_bracket(sign):
        return ""
    name = closing = unicodedata.name(sign)
    for one, other in _SIDES:
        closing = closing.replace(one, other)
    try:
        return unicodedata.lookup(closing) if closing != name else ""
    except KeyError:
        return ""  # some brackets have no partner with a matching name
