"""The ways in which a model answers a user turn that asks it to continue.

A model that is asked to repeat a fragment and continue may do so exactly. Or it may leave the fragment out,
change its spelling, wrap it, repeat more or less of it, write a sentence first, begin again, or lose the
white space at the seam. Each manner is a function of the whole scripted text, the part of it that the request
already contains (without trailing white space), and the fragment that the request quotes (empty if none).
Give the stand-in the name of one in :data:`MANNERS`, or a function of your own.
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
    """The manner with this name, or the function itself."""
    return MANNERS[manner] if isinstance(manner, str) else manner
