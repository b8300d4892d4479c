"""How a model answers when it is asked in a user turn to go on.

Asked to repeat a fragment and continue, a model may do just that; or leave the fragment out, spell it
otherwise, wrap it, repeat more or less than it, greet first, begin again, or lose the white space at the
seam. Each manner is a function of the whole scripted text, the part of it that the request already holds
(without trailing white space), and the fragment that the request quotes (empty if none). Hand one to the
stand-in by its name in :data:`MANNERS`, or a function of your own.
"""

from __future__ import annotations

from . import echoes, openings, repeats, spacing
from .echoes import Manner

__all__ = ["MANNERS", "Manner", "manner_of"]

MANNERS: dict[str, Manner] = {
    **{manner.__name__: manner for part in (echoes, repeats, spacing) for manner in part.ALL},
    **openings.ALL,
}
"""The manners by name."""


def manner_of(manner: str | Manner) -> Manner:
    """A manner by its name, or the function itself."""
    return MANNERS[manner] if isinstance(manner, str) else manner
