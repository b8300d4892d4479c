"""Signs that set a quotation apart, in any writing: what opens one, and what closes it.

Unicode knows which signs are brackets and quotation marks. A bracket's name tells the other side (LEFT,
RIGHT). Languages differ in which quotation mark opens and which closes, so any of them closes one.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

_ALIKE: Final = ("**", "*", "_", "`", '"', "'")
"""What closes as it opens."""
_LOW: Final = "\u201a\u201e"
"""Quotation marks that Unicode has among the brackets, because they only open."""
_QUOTES: Final = "\u00ab\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a"
_SIDES: Final = (("LEFT", "RIGHT"), ("LESS", "GREATER"), ("REVERSED DOUBLE", "DOUBLE"))
"""How the names of the two sides differ, in one of these or in all."""


def is_bracket(sign: str) -> bool:
    """Whether it is the opening side of a pair of brackets, and no quotation mark."""
    one = len(sign) == 1 and sign not in _LOW
    return one and (sign == "<" or unicodedata.category(sign) == "Ps")


@cache
def closers_of(sign: str) -> str:
    """What closes that which ``sign`` opens: itself, or any one of several signs; empty if it opens nothing.

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
        return ""  # some have no other side of their own name
