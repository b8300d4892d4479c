"""The health of an API, shared by the streams of one account: what was served, how long the API asked to
wait, and which streams wait.

A stream asks before each retry, and reports each reply that begins and each request that fails. This module
has no clock, no randomness and no lock: the caller passes the time, and makes one call at a time. The time of
a call does not depend on how many streams wait.

An overload concerns one model, so each model has a `Lane`. A rate limit and a missing network concern the
whole account.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from resilient_stream._core.failures import OVERLOAD_KINDS, Kind

from .hold import Hold
from .news import LaneNews, News, Other, elsewhere
from .queue import Place, Queue
from .supply import Supply
from .view import Claim, Later

SOONEST: Final = 0.2
"""The least seconds between two questions of one stream."""

PLACES_PER_SECOND: Final = 50.0
"""How many streams ahead of it make a stream wait a second longer before it asks again. So all streams
together ask a few hundred times a second, however many they are."""

PATIENT: Final = 20.0
"""A stream asks again after at least this part of its longest wait, so streams with long waits ask less
often."""

CHANCES: Final = 4
"""Questions of one stream between two probes, so that a probe that is due is sent soon."""

SLACK: Final = 1.25
"""The factor by which jitter may lengthen a pause."""

MOST_MODELS: Final = 64
"""The most lanes that are kept. Then the one that was not used for the longest time is forgotten."""


@dataclass(slots=True)
class Lane:
    """The retries for one model, the streams that wait for them, and the time until which they all have to
    wait."""

    supply: Supply
    queue: Queue = field(default_factory=Queue)
    hold: Hold = field(default_factory=Hold)

    def pause(self, now: float, ahead: int, longest: float) -> float:
        """Seconds after which a stream with ``ahead`` streams before it should ask again."""
        pause = max(
            SOONEST, ahead / PLACES_PER_SECOND, longest / PATIENT, self.supply.pause(longest) / CHANCES
        )
        return pause if ahead else min(pause, max(SOONEST, self.supply.until_probe(now, longest)))

    def news(self, now: float) -> LaneNews | None:
        """What other processes are to know; None if nothing happens here."""
        waiting, supply, hold = len(self.queue), self.supply, self.hold
        if not waiting and supply.is_idle(now) and hold.until <= now:
            return None
        return LaneNews(waiting, supply.probes, supply.sent, supply.heard, hold.asked)

    def hear(self, others: Sequence[Other], *, unreachable: bool) -> None:
        """Take in what other processes report."""
        self.hold.hear(other.lane.asked for other in others)
        self.supply.hear(elsewhere(len(self.queue), others, unreachable=unreachable))


@dataclass(slots=True)
class Health:
    """The health of an API. It is a `View`, except that it has no lock.

    Args:
        reserve: as `Supply` has it.
        ratio: as `Supply` has it.
        window: as `Supply` has it.
    """

    reserve: float
    ratio: float
    window: float
    hold: Hold = field(default_factory=Hold)
    lanes: OrderedDict[str, Lane] = field(default_factory=OrderedDict)
    unreachable: bool = False
    """Whether the last known request failed to connect."""
    _others: Sequence[tuple[bool, News]] = ()
    """The last reports of other processes, each with whether that process sends a probe before this one."""

    @property
    def balance(self) -> float:
        """Retries that may be sent now, of the model that has the fewest."""
        return min((lane.supply.tokens for lane in self.lanes.values()), default=self.reserve)

    @property
    def waiting(self) -> int:
        """Streams that wait for their turn."""
        return sum(len(lane.queue) for lane in self.lanes.values())

    def ask(self, now: float, claim: Claim) -> Later | None:
        """As `View.ask` has it."""
        lane, place = claim.held or (self._lane(claim.model), Place(claim.begun, now))
        if not lane.queue:
            lane.supply.rest(now)
        place.due = now
        lane.queue.join(now, place)
        claim.held = lane, place
        held = max(lane.hold.end, -inf if claim.elsewhere else self.hold.end) - now
        ahead = lane.queue.ahead(now, place)
        if held <= 0 and lane.supply.take(now, ahead, claim.longest):
            lane.queue.leave(place)
            claim.held, claim.paid = None, lane
            return None
        pause = held if held > 0 else lane.pause(now, ahead, claim.longest)
        place.due = now + SLACK * pause
        return Later(pause, told=held > 0, unreachable=self.unreachable)

    def began(self, now: float, claim: Claim, sent: float) -> None:
        """As `View.began` has it."""
        paid, claim.paid = claim.paid, None
        lane = paid or self._lane(claim.model)
        lane.supply.began(now, paid=paid is not None)
        lane.hold.lift(sent)
        self.hold.lift(sent)
        self.unreachable = False

    def failed(self, now: float, claim: Claim, kind: Kind, model: str, retry_after: float | None) -> None:
        """As `View.failed` has it."""
        claim.paid = None
        self.unreachable = kind is Kind.CONNECT
        if retry_after is not None and retry_after > 0 and kind in OVERLOAD_KINDS:
            (self.hold if kind is Kind.RATE_LIMITED else self._lane(model).hold).put(now, retry_after)

    def leave(self, claim: Claim) -> None:
        """As `View.leave` has it."""
        if claim.held is not None:
            lane, place = claim.held
            lane.queue.leave(place)
        claim.held = claim.paid = None

    def news(self, now: float) -> News:
        """What other processes are to know."""
        told = {model: lane.news(now) for model, lane in self.lanes.items()}
        lanes = {model: lane for model, lane in told.items() if lane is not None}
        return News(self.unreachable, self.hold.asked, lanes)

    def hear(self, before: Sequence[News], after: Sequence[News]) -> None:
        """Take in what other processes report. It replaces their earlier reports.

        Args:
            before: of those whose turn to send a probe comes before this process's.
            after: of the others.
        """
        self._others = [*((True, news) for news in before), *((False, news) for news in after)]
        self.hold.hear(news.asked for _, news in self._others)
        for model, lane in self.lanes.items():
            self._tell(model, lane)

    def _tell(self, model: str, lane: Lane) -> None:
        others = [
            Other(news.lanes[model], news.unreachable, first)
            for first, news in self._others
            if model in news.lanes
        ]
        lane.hear(others, unreachable=self.unreachable)

    def _lane(self, model: str) -> Lane:
        lane = self.lanes.get(model)
        if lane is None:
            lane = self.lanes[model] = Lane(Supply(self.reserve, self.ratio, self.window))
            self._tell(model, lane)
            if len(self.lanes) > MOST_MODELS:
                self.lanes.popitem(last=False)
        self.lanes.move_to_end(model)
        return lane
