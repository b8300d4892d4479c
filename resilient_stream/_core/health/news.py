"""What the processes that share an account tell each other of an API's health, and what follows from it.

Each process decides by what it has seen itself, corrected by what the others have told it last. It tells
its own observations alone, never what it has heard: so nothing comes back as news, news may arrive late,
twice or not at all, and a process that hears nothing decides as if it were the only one. Three rules make one
supply of many:

- **Shares.** A process keeps at most its share of the reserve: an equal one, or the part of the waiting
  streams that wait in it, if that is more. (Raghavan et al., "Cloud Control with Distributed Rate Limiting",
  2007, call it flow-proportional share. In proportion alone, processes with a short queue lose what they have
  with each wave elsewhere: at half rejected and a third cut, 97.5 % of the streams finish in place of 99.) So
  a trouble that begins everywhere in the same moment costs one reserve, before anybody has told anybody.
- **Probes.** Where the others have sent two probes or more and nobody is served, the supply is empty for all
  (after one it is not known yet). Of those in which streams wait, the first sends the next probe. The others
  send it only if it does not, one after the other, as routers take over from each other (VRRP's skew time).
  The order is any that all know; by age it would depend on clocks where many streams are cut in one moment.
- **Holds.** What the API asked one process to wait, all wait, until a later request of anybody is served.

A process that can't connect may have a network of its own that is down. So its probes and its queue count
only for those which can't connect either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from math import inf
from typing import Any, Final

from .hold import NOTHING, Asked

TAKE_OVER: Final = 0.5
"""Seconds after which the next process sends a probe that was due: two intervals in which it would have
heard of it."""

KNOWN: Final = 2
"""Probes of others in a row that were not served, from which on it is known that the supply is empty. (One
may have been sent just now.)"""


@dataclass(frozen=True, slots=True)
class LaneNews:
    """What one process has seen of one model."""

    waiting: int
    """Streams that wait for their turn."""
    probes: int
    """Retries in a row that were sent without a token, and not served."""
    sent: float
    """When it sent its last retry."""
    heard: float
    """When a reply began last."""
    asked: Asked

    def shifted(self, by: float) -> LaneNews:
        """The same on a clock that is so many seconds ahead."""
        return replace(
            self,
            sent=self.sent + by,
            heard=self.heard + by,
            asked=self.asked.shifted(by),
        )


NO_NEWS: Final = LaneNews(0, 0, -inf, -inf, NOTHING)


@dataclass(frozen=True, slots=True)
class News:
    """What one process has seen of an account."""

    unreachable: bool
    """Whether its last request failed to connect."""
    asked: Asked
    lanes: Mapping[str, LaneNews] = field(default_factory=dict[str, LaneNews])
    """By model."""

    def shifted(self, by: float) -> News:
        """The same on a clock that is so many seconds ahead."""
        return News(
            self.unreachable,
            self.asked.shifted(by),
            {model: lane.shifted(by) for model, lane in self.lanes.items()},
        )

    def text(self) -> str:
        """As text."""
        lanes = {model: [*astuple(lane)[:4], astuple(lane.asked)] for model, lane in self.lanes.items()}
        return json.dumps([self.unreachable, astuple(self.asked), lanes], separators=(",", ":"))

    @staticmethod
    def of(text: str | bytes) -> News | None:
        """From text; None where it is no news."""
        try:
            unreachable, asked, lanes = json.loads(text)
            return News(
                bool(unreachable),
                _asked(asked),
                {
                    model: LaneNews(int(waiting), int(probes), float(sent), float(heard), _asked(told))
                    for model, (waiting, probes, sent, heard, told) in lanes.items()
                },
            )
        except (ValueError, TypeError, AttributeError, OverflowError):
            return None


def _asked(told: Any) -> Asked:
    until, said, served = map(float, told)
    return Asked(until, said, served)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What the other processes' news of a model come to. As it is made, there are no others."""

    share: float = 1.0
    """The part of the reserve that this process may have."""
    before: int = 0
    """Processes that send a probe before this one."""
    probes: int = 0
    """Probes of others since anybody else was served."""
    sent: float = -inf
    """When another sent its last retry."""
    heard: float = -inf
    """When another's reply began last."""


ALONE: Final = Elsewhere()


@dataclass(frozen=True, slots=True)
class Other:
    """Another process, as far as one model is concerned."""

    lane: LaneNews
    unreachable: bool
    first: bool
    """Whether its turn to send a probe comes before this process's."""

    @property
    def weight(self) -> int:
        """What it may have, in proportion to others."""
        return _weight(self.lane.waiting, unreachable=self.unreachable)


def elsewhere(waiting: int, others: Sequence[Other], *, unreachable: bool) -> Elsewhere:
    """What follows for this process from what others tell of a model.

    Args:
        waiting: streams that wait in this process.
        others: what the others tell.
        unreachable: whether this process can't connect.
    """
    if not others:
        return ALONE
    heard = max(other.lane.heard for other in others)
    alike = [other for other in others if unreachable or not other.unreachable]
    weight = _weight(waiting, unreachable=unreachable)
    return Elsewhere(
        share=max(weight / (weight + sum(other.weight for other in others)), 1 / (1 + len(others))),
        before=sum(other.first and other.lane.waiting > 0 for other in alike),
        probes=sum(other.lane.probes for other in alike if other.lane.sent > heard),
        sent=max((other.lane.sent for other in alike), default=-inf),
        heard=heard,
    )


def _weight(waiting: int, *, unreachable: bool) -> int:
    return 1 if unreachable else 1 + waiting
