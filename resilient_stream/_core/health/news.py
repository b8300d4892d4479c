"""What the processes that share an account report to each other about an API's health, and what follows.

Each process decides from its own observations, corrected by the last reports of the others. It reports only
its own observations, never what others have reported. So its own news can't come back to it, reports may
arrive late, twice or not at all, and a process that receives none decides as if it were the only one. Three
rules make one supply of many:

- **Shares.** A process keeps at most its share of the reserve: an equal share, or its part of the waiting
  streams, if that is more. (Raghavan et al., "Cloud Control with Distributed Rate Limiting", 2007, call it
  flow-proportional share. With shares in proportion alone, processes with a short queue lose what they have
  with each wave elsewhere: if half of the requests are rejected and a third of the replies cut, 97.5 % of
  the streams are completed instead of 99.) So a failure that begins everywhere in the same moment costs one
  reserve, before any report is exchanged.
- **Probes.** If the others have sent two probes or more and nobody is served, the supply is empty for all.
  (After one probe this is not known yet.) Of the processes in which streams wait, the first sends the next
  probe. If it does not, the others send it, one after the other, as routers take over from each other
  (VRRP's skew time). Any order will do that all processes know. The age of the waiting streams will not:
  many streams are cut in one moment, and clocks differ.
- **Holds.** If the API asks one process to wait, all processes wait, until a later request of any of them
  is served.

A process that can't connect may have a network of its own that is down. So its probes and its queue count
only for other processes that can't connect.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import inf
from typing import Any, Final, NamedTuple

from .hold import NOTHING, Asked

TAKE_OVER: Final = 0.5
"""Seconds after which the next process sends a probe that was due: two intervals in which it would have
learned of it."""

KNOWN: Final = 2
"""After this many probes of other processes in a row that were not served, the supply counts as empty. (One
may have been sent just now.)"""


class LaneNews(NamedTuple):
    """What one process has seen of one model."""

    waiting: int
    """Streams that wait for their turn."""
    probes: int
    """Retries in a row that were sent without a token and not served."""
    sent: float
    """When it sent its last retry."""
    heard: float
    """When the last reply began."""
    asked: Asked

    def shifted(self, by: float) -> LaneNews:
        """The same on a clock that is ``by`` seconds ahead."""
        return self._replace(
            sent=self.sent + by,
            heard=self.heard + by,
            asked=self.asked.shifted(by),
        )


NO_NEWS: Final = LaneNews(0, 0, -inf, -inf, NOTHING)


class News(NamedTuple):
    """What one process has seen of an account."""

    unreachable: bool
    """Whether its last request failed to connect."""
    asked: Asked
    lanes: dict[str, LaneNews]
    """By model."""

    def shifted(self, by: float) -> News:
        """The same on a clock that is ``by`` seconds ahead."""
        return News(
            self.unreachable,
            self.asked.shifted(by),
            {model: lane.shifted(by) for model, lane in self.lanes.items()},
        )

    def text(self) -> str:
        """The news as text."""
        return json.dumps(self, separators=(",", ":"))

    @staticmethod
    def of(text: str | bytes) -> News | None:
        """The news in a text; None if it has none."""
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


class Elsewhere(NamedTuple):
    """What the other processes' news of a model add up to. By default there are no others."""

    share: float = 1.0
    """The part of the reserve that this process may use."""
    before: int = 0
    """How many processes send a probe before this one."""
    probes: int = 0
    """Probes of other processes since any of them was served."""
    sent: float = -inf
    """When another process sent its last retry."""
    heard: float = -inf
    """When another process's last reply began."""


ALONE: Final = Elsewhere()


class Other(NamedTuple):
    """Another process, with regard to one model."""

    lane: LaneNews
    unreachable: bool
    first: bool
    """Whether it sends a probe before this process does."""

    @property
    def weight(self) -> int:
        """Its share, in proportion to others."""
        return _weight(self.lane.waiting, unreachable=self.unreachable)


def elsewhere(waiting: int, others: Sequence[Other], *, unreachable: bool) -> Elsewhere:
    """What this process concludes from the others' reports about a model.

    Args:
        waiting: streams that wait in this process.
        others: the reports of the others.
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
