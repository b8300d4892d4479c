"""The faults of the demo, their order, and its pauses and timeouts."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from resilient_stream import RetryPolicy
from resilient_stream.testing import CATALOGUE, Entry, Fault, IdleClose, StandIn
from resilient_stream.testing.catalogue.entry import HERE
from resilient_stream.testing.faults import Place

DEFAULT: Final = (
    "s529",
    "rst_mid_chunk",
    "clean_end_mid_block",
    "error_event_overloaded",
    "stall_mid",
    "invalid_utf8",
)
"""The faults of the demo: one before the answer begins, five in the middle of it."""

PLACES: Final = (44, 60, 37, 53, 41)
"""After how many events the faults occur, in turn. The catalogue's own place is too early to watch."""


class UnknownFaultError(ValueError):
    """The catalogue has no fault with that name. The text has similar names."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The demo's times in seconds: between two events, until a silence is a failure, a backoff."""

    between: float
    patience: float
    backoff: float

    def policy(self) -> RetryPolicy:
        """The demo's policy: the defaults, with timeouts that are short enough to watch."""
        return RetryPolicy(
            wait_initial=self.backoff / 2,
            wait_max=self.backoff,
            overload_wait_initial=self.backoff,
            overload_wait_max=self.backoff,
            connect_timeout=self.patience,
            first_event_timeout=self.patience,
            silence_timeout=self.patience,
            stall_timeout=self.patience,
        )


WATCHABLE: Final = Pace(between=0.04, patience=1.5, backoff=0.8)
FAST: Final = Pace(between=0.0, patience=1.0, backoff=0.02)


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault of the catalogue, at its place in the demo.

    ``before`` has the faults of the calls before it, for faults that need more than one call.
    """

    entry: Entry
    fault: Fault | None
    before: tuple[Fault | None, ...] = ()

    def pauses(self, server: StandIn) -> list[Callable[[], object]]:
        """The functions to call after each call before: wait if the server then closes the connection."""
        return [server.wait_closed if isinstance(fault, IdleClose) else _go_on for fault in self.before]


def chosen(names: Sequence[str]) -> list[Strike]:
    """The faults with these names, in this order.

    Raises:
        UnknownFaultError: there is none of such a name.
    """
    return [_strike(_entry(name), place) for name, place in zip(names, itertools.cycle(PLACES), strict=False)]


def faults(strikes: Sequence[Strike]) -> list[Fault | None]:
    """The stand-in's faults for each request of a program that meets them all in one stream."""
    before = [fault for strike in strikes for fault in strike.before]
    return [*before, *(strike.fault for strike in strikes)]


def _entry(name: str) -> Entry:
    if name in CATALOGUE:
        return CATALOGUE[name]
    near = difflib.get_close_matches(name, CATALOGUE, n=3)
    hint = f" Near it: {', '.join(near)}." if near else ""
    raise UnknownFaultError(f"there is no fault {name!r}.{hint} All of them: resilient-stream demo --list")


def _strike(entry: Entry, place: int) -> Strike:
    *before, fault = entry.faults
    if isinstance(fault, Place) and fault.after == HERE:
        fault = replace(fault, after=place)
    return Strike(entry, fault, tuple(before))


def _go_on() -> None:
    """Do nothing."""
