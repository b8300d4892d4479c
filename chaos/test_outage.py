"""The laws of a crowd in an outage. The figures are in ``docs/outage.md``."""

from __future__ import annotations

from pathlib import Path

import pytest

from resilient_stream import RetryBudget, RetryPolicy

from .crowd import WHOLE, Crowd, Resilient, Weather
from .outage import (
    ARRIVE,
    DOWN,
    PRESETS,
    SEEDS,
    SPLITS,
    STREAMS,
    WEATHERS,
    Result,
    busiest,
    costs,
    play,
    spread,
    table,
)

BY_NAME = {weather.name: weather for weather in WEATHERS}
RESUMING = [preset for preset in PRESETS if preset != "observe"]


@pytest.fixture(scope="module")
def bare() -> dict[str, int]:
    """Streams of the bare SDK that are completed, for each kind of trouble."""
    return {weather.name: play(weather, "off", "none").finished for weather in WEATHERS}


@pytest.mark.parametrize("preset", RESUMING)
@pytest.mark.parametrize("weather", ["restarts", "outage", "waves", "partial", "brownout"])
def test_never_fewer_than_without_the_library(preset: str, weather: str, bare: dict[str, int]) -> None:
    """With the default budget, which all streams of the process share, at least as many streams are completed
    as without the library. If connections are cut or requests rejected at random, at most one in a hundred
    fails; with ``batch`` none does, and the requests stay few."""
    crowd = play(BY_NAME[weather], preset, "shared")
    least = 990 if weather in ("restarts", "partial") else bare[weather]
    assert crowd.finished >= (STREAMS if preset == "batch" else least)
    if preset == "batch":
        assert len(crowd.asked) <= {"outage": 2.0, "waves": 2.5}.get(weather, 2.0) * STREAMS


@pytest.mark.parametrize("weather", ["refused", "overloaded"])
@pytest.mark.parametrize("preset", RESUMING)
def test_a_total_outage_costs_at_most_1_2_requests(preset: str, weather: str) -> None:
    """With the default budget, under each preset, as long as the outage lasts."""
    crowd = play(BY_NAME[weather], preset, "shared")
    assert STREAMS < len(crowd.asked) <= 1.2 * STREAMS


@pytest.mark.parametrize("weather", ["refused", "overloaded"])
@pytest.mark.parametrize("processes", [name for name in SPLITS if "share" in name])
def test_processes_that_share_cost_about_what_one_does(processes: str, weather: str) -> None:
    """In a total outage, however the streams are spread over them."""
    one, many = (
        play(BY_NAME[weather], "", "shared", split=SPLITS[name]) for name in ("one process", processes)
    )
    assert len(many.asked) <= len(one.asked) + 0.04 * STREAMS


@pytest.mark.parametrize("weather", ["restarts", "outage", "waves", "partial", "brownout"])
def test_processes_that_share_bring_as_many_through(weather: str, bare: dict[str, int]) -> None:
    """Never fewer than without the library, and hardly fewer than one process."""
    one, many = (
        play(BY_NAME[weather], "", "shared", split=SPLITS[name]).finished
        for name in ("one process", "four that share")
    )
    assert many >= max(bare[weather], one - 0.04 * STREAMS)


@pytest.mark.parametrize("weather", ["refused", "overloaded"])
def test_the_bare_sdk_asks_three_times(weather: str) -> None:
    """For comparison, the SDK's own retries: two for each stream."""
    assert len(play(BY_NAME[weather], "off", "none").asked) == 3 * STREAMS


@pytest.mark.parametrize("weather", ["restarts", "outage", "waves", "partial", "brownout"])
def test_a_patient_policy_brings_every_stream_through(weather: str) -> None:
    """Without a shared budget, ``batch`` completes all streams in every outage that ends."""
    assert play(BY_NAME[weather], "batch", "own", streams=300).finished == 300


@pytest.mark.parametrize("preset", RESUMING)
def test_no_wave_follows_where_nothing_is_shared(preset: str) -> None:
    """Of the retries that waited, no tenth of a second has more than 60, nor 3 % of all. When the upstream
    recovers, no second has more than a quarter of the first."""
    crowd = play(BY_NAME["outage"], preset, "own")
    assert busiest(crowd.waited, 0.1) <= max(60, 0.03 * len(crowd.waited))
    well = [at for at in crowd.asked if at >= 90]
    assert busiest(well, 1.0) <= busiest(crowd.asked, 1.0) / 4


@pytest.mark.parametrize("preset", RESUMING)
def test_no_wave_at_all_where_the_budget_is_shared(preset: str) -> None:
    """Neither when 170 streams are cut nor when the upstream recovers does it receive more than a third of
    its capacity within a second."""
    crowd = play(BY_NAME["outage"], preset, "shared")
    assert busiest(crowd.asked, 1.0) <= 200 / 3
    assert busiest(crowd.waited, 0.1) <= 20


@pytest.mark.parametrize("seconds", [5, 10, 20, 30, 45])
@pytest.mark.parametrize("streams", [20, 100])
def test_a_crowd_survives_a_network_that_is_away(streams: int, seconds: int) -> None:
    """If streams are cut together and can't connect for a while, 99 of 100 are completed, by the default
    policy and one budget for all."""
    crowd = Crowd(Weather("away", "", ((15, 15 + seconds, DOWN),)))
    budget = RetryBudget()
    for number in range(streams):
        crowd.at(number * 10 / streams, Resilient(crowd, RetryPolicy(), budget, number).begin)
    crowd.run()
    assert crowd.finished >= 0.99 * streams


def test_nothing_is_lost_or_doubled_in_the_crowd() -> None:
    """A stream that was cut and refused for a while has the same text as one that was not."""
    crowd = Crowd(BY_NAME["waves"])
    streams = [Resilient(crowd, RetryPolicy.preset("batch"), RetryBudget(), n) for n in range(50)]
    for number, stream in enumerate(streams):
        crowd.at(number * ARRIVE / 50, stream.begin)
    crowd.run()
    told = ["".join(block.text for block in stream.machine.turn.blocks) for stream in streams]
    assert told == [WHOLE] * 50


def test_the_same_seed_is_the_same_crowd() -> None:
    """All randomness comes from the seed."""
    one, same, other = (play(BY_NAME["partial"], "", "shared", seed, streams=100).asked for seed in (1, 1, 2))
    assert one == same != other


@pytest.fixture(scope="module")
def told() -> list[Result]:
    """A row of results, one for each weather."""
    return [
        Result(
            weather, "observe", "none", tuple(play(weather, "observe", "none", seed) for seed in range(SEEDS))
        )
        for weather in WEATHERS
    ]


def test_the_page_shows_what_is_measured(told: list[Result]) -> None:
    """The page has the tables that the command prints, to the digit, for the row that is quickest to
    compute."""
    page = (Path(__file__).parent.parent / "docs" / "outage.md").read_text()
    for cell in (costs, spread):
        row = table(told, cell).splitlines()[-1]
        assert row in page
