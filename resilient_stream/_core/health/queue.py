"""The streams that wait for their turn, in the order in which they get it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, TypeAlias

HEAD_START: Final = 30.0
"""A stream that has delivered nothing must have waited this many seconds longer than one that has, to go
first."""

GRACE: Final = 5.0
"""Seconds by which a stream may be late with its next question before it loses its place. Its process may be
busy, its consumer may not read on, or the stream may have been dropped."""


@dataclass(slots=True, eq=False)
class Place:
    """The place of one stream."""

    begun: bool
    """Whether the stream has delivered content."""
    due: float
    """The latest time at which the stream asks again."""
    since: float = 0.0
    """The time at which it was taken."""
    number: int = 0
    """The number of the place. Places are numbered in the order in which they are taken."""


Line: TypeAlias = "OrderedDict[Place, None]"


@dataclass(slots=True)
class Queue:
    """Two lines, each first come, first served: one of streams that have delivered content, and one of those
    that have not.

    The first line goes before the second, except for a head start. An operation takes the same time however
    many streams wait.
    """

    _begun: Line = field(default_factory=OrderedDict)
    _fresh: Line = field(default_factory=OrderedDict)
    _joined: int = 0

    def __len__(self) -> int:
        return len(self._begun) + len(self._fresh)

    def join(self, now: float, place: Place) -> None:
        """Take the last place of its line, unless it has one."""
        line = self._line(place)
        if place not in line:
            self._joined += 1
            place.number, place.since = self._joined, now
            line[place] = None

    def leave(self, place: Place) -> None:
        """Give up a place."""
        self._line(place).pop(place, None)

    def ahead(self, now: float, place: Place) -> int:
        """An upper limit of the places before this one: some that were given up may be counted too. 0 only
        for the first place."""
        begun, fresh = _first(self._begun, now), _first(self._fresh, now)
        overtakes = begun is not None and fresh is not None and fresh.since + HEAD_START < begun.since
        line = self._line(place)
        own = min(place.number - next(iter(line)).number, len(line) - 1)
        if place.begun:
            return own + overtakes
        return 0 if overtakes and own == 0 else own + len(self._begun)

    def _line(self, place: Place) -> Line:
        return self._begun if place.begun else self._fresh


def _first(line: Line, now: float) -> Place | None:
    """The first place whose stream is still asking."""
    while line:
        place = next(iter(line))
        if place.due + GRACE >= now:
            return place
        del line[place]
    return None
