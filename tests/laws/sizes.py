"""How much is tried: a sample in the ordinary run; with ``LAWS`` in the environment a "small" one, or all ("large").

`nox` takes the small one unless told otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")

LARGE: Final = os.environ.get("LAWS") == "large"
SMALL: Final = os.environ.get("LAWS") == "small"
STRIDE: Final = 7 if SMALL else 1
"""Of the places to cut, every how many-th is tried; no divisor of what else changes from place to place."""
EXAMPLES: Final = 20_000 if LARGE else 40 if SMALL else 80
"""Examples of each law that Hypothesis looks for."""


def thin(items: Iterable[T], one_in: int) -> Iterator[T]:
    """Every so manieth of the items; all of them in a large run."""
    return islice(items, 0, None, 1 if LARGE else one_in)
