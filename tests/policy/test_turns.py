"""What waiting for a turn costs a stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.health.view import Claim, Later
from resilient_stream._core.verdict import History
from resilient_stream._policy.turns import Turns

CUT = Failure(Kind.RESET, Phase.BODY)
REFUSED = Failure(Kind.CONNECT, Phase.CONNECT)
HELD = Failure(Kind.RATE_LIMITED, Phase.HEADERS, retry_after=7.0)


@dataclass
class Told:
    """A view that keeps what it is told, and lets nobody go on."""

    balance: float = 0.0
    asked: list[tuple[float, str, bool, bool, float]] = field(default_factory=list)
    heard: list[Any] = field(default_factory=list)
    go: bool = False

    def ask(self, now: float, claim: Claim) -> Later | None:
        """Not yet."""
        self.asked.append((now, claim.model, claim.begun, claim.elsewhere, claim.longest))
        return None if self.go else Later(1.0)

    def began(self, now: float, claim: Claim, sent: float) -> None:
        """Keep it."""
        self.heard.append(("began", now, claim.model, sent))

    def failed(self, now: float, claim: Claim, kind: Kind, model: str, retry_after: float | None) -> None:
        """Keep it."""
        self.heard.append(("failed", now, kind, model, retry_after))

    def leave(self, claim: Claim) -> None:
        """Keep it."""
        self.heard.append("leave")


def history(now: float = 100.0, barren: int = 1, **more: Any) -> History:
    """A stream that went to one model, and goes to another."""
    return History(90.0, now, attempts=5, barren=barren, model="old", next_model="new", **more)


def test_the_view_is_told_what_happens() -> None:
    """When a reply begins, when a request fails before it has, and when the stream is over."""
    view = Told()
    turns = Turns(view)
    turns.failed(HELD, history())
    turns.began(101.0, 100.5, "new")
    turns.failed(CUT, history(102.0))
    turns.failed(CUT, history(103.0))
    turns.leave()
    assert view.heard == [
        ("failed", 100.0, Kind.RATE_LIMITED, "old", 7.0),
        ("began", 101.0, "new", 100.5),
        ("failed", 103.0, Kind.RESET, "old", None),
        "leave",
    ]


def test_a_question_says_whose_it_is() -> None:
    """Which model is next, whether the consumer has something, whether it moves on, and how patient the policy is."""
    view = Told()
    turns = Turns(view)
    turns.failed(HELD, history(elsewhere=True))
    turns.ask(101.0, 8.0)
    turns.failed(CUT, history(barren=0))
    turns.ask(102.0, 30.0)
    turns.failed(CUT, history())
    turns.ask(103.0, 30.0)
    assert view.asked == [
        (101.0, "new", False, True, 8.0),
        (102.0, "new", True, False, 30.0),
        (103.0, "new", True, False, 30.0),
    ]


def test_without_a_view_it_is_always_its_turn() -> None:
    """Nobody is told anything."""
    turns = Turns()
    turns.began(1.0, 0.0, "m")
    turns.failed(CUT, history())
    assert turns.ask(2.0, 8.0) is None
    turns.leave()


def test_waits_count_as_attempts_until_there_is_progress() -> None:
    """Each as one that brought nothing; what the stream has brought itself begins the row anew."""
    turns = Turns(Told())
    turns.failed(CUT, history())
    for now in (101.0, 102.0, 103.0):
        turns.count(now, history(), unreachable=False)
    counted = turns.counted(104.0, history())
    assert (counted.now, counted.attempts, counted.barren, counted.unreachable) == (104.0, 8, 4, 0)
    turns.failed(CUT, history(105.0, barren=2))
    assert turns.waits == 3
    turns.failed(CUT, history(106.0, barren=0))
    assert (turns.waits, turns.counted(106.0, history(106.0, barren=0)).attempts) == (0, 5)


def test_while_nobody_connects_the_time_counts() -> None:
    """Of a stream that has connected once: since its first wait, or since its own first failure to connect."""
    turns = Turns(Told())
    turns.failed(CUT, history())
    for now in (101.0, 102.0):
        turns.count(now, history(), unreachable=True)
    counted = turns.counted(104.0, history())
    assert (counted.barren, counted.unreachable, counted.away) == (1, 2, 3.0)
    turns = Turns(Told())
    turns.failed(CUT, history())
    own = history(unreachable=3, away=6.0)
    turns.failed(REFUSED, own)
    turns.count(101.0, own, unreachable=True)
    counted = turns.counted(104.0, own)
    assert (counted.unreachable, counted.away) == (4, 10.0)


def test_a_stream_that_never_connected_spends_attempts() -> None:
    """Its address may be wrong."""
    turns = Turns(Told())
    turns.failed(REFUSED, history())
    turns.count(101.0, history(), unreachable=True)
    assert (turns.barren, turns.away) == (1, 0)


@pytest.mark.parametrize("by", ["the view", "the stream"])
def test_a_connection_ends_the_time_without_one(by: str) -> None:
    """Whoever has seen it."""
    turns = Turns(Told())
    turns.failed(CUT, history())
    turns.count(101.0, history(), unreachable=True)
    if by == "the view":
        turns.count(102.0, history(), unreachable=False)
    else:
        turns.failed(CUT, history(102.0))
    assert turns.away == 0
    assert turns.counted(110.0, history()).away == 0.0


def test_a_wait_is_over_when_its_time_is() -> None:
    """But for what clocks do not tell apart; a turn ends it."""
    view = Told()
    turns = Turns(view)
    assert turns.left(50.0) == 0.0
    turns.begin(50.0, 2.0)
    assert (turns.left(51.0), turns.left(52.0), turns.left(51.9995)) == (1.0, 0.0, 0.0)
    turns.ask(51.0, 8.0)
    assert turns.left(51.0) == 1.0
    view.go = True
    turns.ask(51.0, 8.0)
    assert turns.left(51.0) == 0.0
