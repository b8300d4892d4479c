"""What processes tell each other of an API's health."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.failures import Kind
from resilient_stream._core.health.health import Health
from resilient_stream._core.health.hold import Asked
from resilient_stream._core.health.news import ALONE, NO_NEWS, LaneNews, News, Other, elsewhere
from resilient_stream._core.health.view import Claim

TIMES = st.one_of(st.just(-inf), st.floats(-1e6, 1e6))
ASKED = st.builds(Asked, TIMES, TIMES, TIMES)
LANES = st.builds(LaneNews, st.integers(0, 99), st.integers(0, 99), TIMES, TIMES, ASKED)
NEWS = st.builds(News, st.booleans(), ASKED, st.dictionaries(st.text(max_size=5), LANES, max_size=2))


class Processes:
    """Some that share an account, with one model."""

    def __init__(self, count: int, reserve: float = 30.0) -> None:
        self.healths = [Health(reserve, 0.5, 60.0) for _ in range(count)]
        for health in self.healths:
            health.began(0.0, self.claim(), 0.0)
        self.tell(0.0)

    @staticmethod
    def claim() -> Claim:
        """A stream's."""
        return Claim("m", longest=8.0)

    def tell(self, now: float) -> None:
        """Each hears what the others have to tell."""
        told = [health.news(now) for health in self.healths]
        for at, health in enumerate(self.healths):
            health.hear(told[:at], told[at + 1 :])

    def granted(self, now: float, streams: int = 60) -> list[int]:
        """How many of so many streams get a turn, in each process."""
        return [sum(health.ask(now, self.claim()) is None for _ in range(streams)) for health in self.healths]


@given(NEWS)
def test_news_arrive_as_they_were_told(news: News) -> None:
    """Through text."""
    assert News.of(news.text()) == news


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "[1,[1,2],{}]",
        "[true,[1,2,3],[]]",
        '[true,[1,2,3],{"m":[1]}]',
        '[1,["x",2,3],{}]',
        b"\xff",
    ],
)
def test_what_is_no_news_is_none(text: Any) -> None:
    """Of another release or another program."""
    assert News.of(text) is None


@given(NEWS)
def test_clocks_may_differ(news: News) -> None:
    """Times come back from another clock as they were; those that never were stay so."""
    assert news.shifted(64.0).shifted(0.0).lanes.keys() == news.lanes.keys()
    for model, lane in news.shifted(64.0).lanes.items():
        before = news.lanes[model]
        assert (lane.waiting, lane.probes) == (before.waiting, before.probes)
        assert (lane.sent, lane.heard) == (before.sent + 64, before.heard + 64)
        assert lane.asked == before.asked.shifted(64.0)


@pytest.mark.parametrize("count", [1, 2, 4, 10])
def test_a_trouble_everywhere_costs_one_reserve(count: int) -> None:
    """Before anybody has told anybody of it."""
    assert sum(Processes(count).granted(1.0)) == 30 // count * count


def test_however_many_share_each_keeps_two() -> None:
    """What is served pays for what is retried."""
    assert Processes(100).granted(1.0) == [2] * 100


def test_who_has_more_waiting_may_keep_more() -> None:
    """And nobody loses what is an equal share; both come to the reserve where one alone waits."""
    busy, other = Processes(2).healths
    assert [busy.ask(1.0, Processes.claim()) is None for _ in range(50)].count(True) == 15
    busy.hear([], [other.news(1.1)])
    other.hear([busy.news(1.1)], [])
    assert busy.lanes["m"].supply.most == pytest.approx(30 * 36 / 37)
    assert other.lanes["m"].supply.most == 15
    assert other.balance == 15


def test_without_news_a_process_is_alone() -> None:
    """It has what the default budget has, once it has earned it."""
    one = Processes(3).healths[0]
    assert one.lanes["m"].supply.most == 10
    one.hear([], [])
    assert one.lanes["m"].supply.elsewhere is ALONE
    assert one.lanes["m"].supply.most == 30


def test_one_probe_is_sent_by_all_together() -> None:
    """In a total outage four processes send hardly more than one does: each probe is known before the next is due."""
    sent = {}
    for count in (1, 4):
        processes, now, asked = Processes(count), 1.0, 0
        crowds = [[Processes.claim() for _ in range(3)] for _ in range(count)]
        while now < 120.0:
            for health, crowd in zip(processes.healths, crowds, strict=True):
                for claim in crowd:
                    if health.ask(now, claim) is None:
                        asked += 1
                        health.failed(now, claim, Kind.OVERLOADED, "m", None)
            now += 0.25
            processes.tell(now)
        sent[count] = asked
    assert sent[1] - 2 <= sent[4] <= sent[1] + 4, "each has 7 of the 30"


@pytest.mark.parametrize(
    ("before", "waiting", "due"), [(0, 1, 14.0), (1, 1, 14.5), (2, 1, 15.0), (2, 0, 14.0)]
)
def test_the_probe_is_the_first_ones(before: int, waiting: int, due: float) -> None:
    """Of those in which streams wait; the others take over only where it is not sent, one after the other."""
    others = [News(False, Asked(), {"m": LaneNews(waiting, 1, 10.0, -inf, Asked())})] * 3
    health, claim = Health(0.0, 0.5, 60.0), Processes.claim()
    health.hear(others[:before], others[before:])
    assert health.ask(13.0, claim) is not None, "the other three have sent one each: due after 4 s"
    assert health.ask(due - 0.01, claim) is not None
    assert health.ask(due, claim) is None


def test_one_probe_elsewhere_says_nothing_yet() -> None:
    """It may be served: only after two is it known that there is nothing left for anybody."""
    for probes, granted in ((0, True), (1, True), (2, False)):
        health = Health(30.0, 0.5, 60.0)
        health.hear([News(False, Asked(), {"m": LaneNews(1, probes, 1.0, -inf, Asked())})], [])
        assert (health.ask(1.0, Processes.claim()) is None) is granted
        health.began(1.5, Processes.claim(), 1.0)
        assert health.ask(1.6, Processes.claim()) is None, "this process was served since"


def test_who_is_served_elsewhere_ends_the_probing() -> None:
    """What this process has sent in vain before counts no more."""
    health = Health(0.0, 0.5, 60.0)
    claim, now = Processes.claim(), 0.0
    for _ in range(400):
        now += 0.1
        health.ask(now, claim)
    supply = health.lanes["m"].supply
    assert supply.pause(8.0) == 8.0
    health.hear([], [News(False, Asked(), {"m": NO_NEWS._replace(heard=now)})])
    assert supply.pause(8.0) == 0.5


def test_who_can_not_connect_holds_up_nobody_who_can() -> None:
    """Its network may be down: neither its probes nor its queue count; they do for those which can't connect either."""
    stuck = Other(LaneNews(50, 7, 9.0, -inf, Asked()), unreachable=True, first=True)
    apart = elsewhere(1, [stuck], unreachable=False)
    assert (apart.before, apart.probes, apart.share) == (0, 0, 2 / 3)
    alike = elsewhere(1, [stuck], unreachable=True)
    assert (alike.before, alike.probes, alike.share) == (1, 7, 0.5)


def test_what_another_was_asked_to_wait_is_obeyed() -> None:
    """After a 429 by all, after an overload by those of the same model, also of one that is used for the first time."""
    one, other = (Health(30.0, 0.5, 60.0) for _ in range(2))
    one.failed(1.0, Processes.claim(), Kind.OVERLOADED, "m", 20.0)
    other.hear([], [one.news(1.2)])
    assert other.ask(1.2, Processes.claim()) is not None
    assert other.ask(1.2, Claim("n")) is None
    one.failed(2.0, Processes.claim(), Kind.RATE_LIMITED, "m", 30.0)
    other.hear([], [one.news(2.2)])
    later = other.ask(2.2, Claim("n"))
    assert later is not None
    assert later.told
    assert later.pause == pytest.approx(29.8)


def test_a_model_that_is_not_used_is_not_told_of() -> None:
    """After the window, unless a stream waits or the API has asked to wait."""
    health = Health(1.0, 0.5, 60.0)
    health.began(0.0, Processes.claim(), 0.0)
    assert health.news(60.0).lanes
    assert not health.news(60.1).lanes
    health.failed(60.1, Processes.claim(), Kind.OVERLOADED, "m", 5.0)
    assert health.news(65.0).lanes
    assert not health.news(65.1).lanes


def test_an_outage_elsewhere_is_no_rest() -> None:
    """A quiet supply is full again only where all are quiet."""
    for sent, balance in ((-inf, 1.0), (100.0, 0.0)):
        health = Health(1.0, 0.5, 60.0)
        assert health.ask(0.0, Processes.claim()) is None
        health.hear([], [News(False, Asked(), {"m": NO_NEWS._replace(sent=sent)})])
        health.lanes["m"].supply.rest(100.0)
        assert health.balance == balance
