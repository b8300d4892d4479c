"""How each policy behaves with an upstream that fails: ``python -m chaos.outage``.

A thousand streams meet an upstream of limited capacity that fails fully, in part, in waves or slowly, and
recovers. They run with every preset, with one budget for all and with a budget for each, and with the bare
SDK. The command prints the tables of ``docs/outage.md``; ``--plot FILE`` and ``--served FILE`` draw its
pictures.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from resilient_stream import RetryBudget, RetryPolicy

from .crowd import Bare, Crowd, Health, Resilient, Weather

STREAMS: Final = 1000
ARRIVE: Final = 120.0
"""Seconds within which the streams begin, evenly with random differences: 500 a minute, 170 replies at a
time."""

SEEDS: Final = 5
"""Crowds of each kind that share a budget."""

FOR_EVER: Final = 1e9
SECONDS: Final = 200
"""The time that the plot shows."""

DOWN: Final = Health(resets=True, refuses=True)

WEATHERS: Final = (
    Weather(
        "restarts",
        "all connections cut, three times",
        tuple((at, at, Health(resets=True)) for at in (30, 60, 90)),
    ),
    Weather("outage", "cut and refused for a minute", ((30, 90, DOWN),)),
    Weather(
        "waves", "cut and refused for 5 s in every 15", tuple((at, at + 5, DOWN) for at in (30, 45, 60, 75))
    ),
    Weather(
        "partial", "half rejected, a third cut, for a minute", ((30, 90, Health(rejects=0.5, cuts=0.33)),)
    ),
    Weather("brownout", "a third of the capacity for a minute", ((30, 90, Health(capacity=67)),)),
    Weather("refused", "for ever", ((0, FOR_EVER, DOWN),)),
    Weather("overloaded", "for ever", ((0, FOR_EVER, Health(rejects=1.0)),)),
)


@dataclass(frozen=True)
class Split:
    """How a crowd is spread over processes."""

    parts: tuple[int, ...] = (1,)
    """Of so many streams so many begin in each process."""
    every: float | None = None
    """Seconds after which the processes tell each other how the API is; None for never."""

    def of(self, number: int) -> int:
        """The process of a stream."""
        place = number % sum(self.parts)
        return next(at for at, end in enumerate(itertools.accumulate(self.parts)) if place < end)

    def processes(self, crowd: Crowd) -> list[RetryBudget]:
        """The budget of each, which are told of each other on the crowd's time."""
        budgets = [RetryBudget() for _ in self.parts]
        board: dict[int, Any] = {}

        def tell(at: int, every: float) -> None:
            board[at] = budgets[at].news(crowd.now)
            before, after = (
                [board[one] for one in board if one < at],
                [board[one] for one in board if one > at],
            )
            budgets[at].hear(before, after)
            if crowd.to_come >= len(budgets):  # more than what the others will tell
                crowd.at(crowd.now + every, lambda: tell(at, every))

        if self.every is not None:
            for at in range(len(budgets)):
                crowd.at(crowd.rng.random() * self.every, partial(tell, at, self.every))
        return budgets


ALONE: Final = Split()


Budgets = Literal["shared", "own", "none"]
PRESETS: Final = ("", "interactive", "batch", "agent", "observe")
"""The defaults and the presets; ``off`` is the bare SDK."""


SPLITS: Final = {
    "one process": ALONE,
    "four, each for itself": Split((1,) * 4),
    "four that share": Split((1,) * 4, 0.25),
    "four that share, one with most streams": Split((7, 2, 1, 1), 0.25),
    "sixteen, each for itself": Split((1,) * 16),
    "sixteen that share": Split((1,) * 16, 0.25),
}
"""What the third table compares."""


@dataclass(frozen=True)
class Result:
    """The results of one policy in one kind of trouble, in a crowd for each seed. The worst crowd counts."""

    weather: Weather
    policy: str
    budgets: Budgets
    crowds: tuple[Crowd, ...]

    @property
    def per_stream(self) -> float:
        """Requests for each stream."""
        return max(len(crowd.asked) for crowd in self.crowds) / STREAMS

    @property
    def finished(self) -> float:
        """The share of streams that were completed."""
        return min(crowd.finished for crowd in self.crowds) / STREAMS

    @property
    def recovery(self) -> float | None:
        """Seconds from the end of the trouble to the last request that was refused."""
        if self.weather.clears == FOR_EVER:
            return None
        last = max(max(crowd.turned_away, default=0.0) for crowd in self.crowds)
        return max(0.0, last - self.weather.clears)

    @property
    def busiest(self) -> int:
        """Requests in the busiest second."""
        return max(busiest(crowd.asked, 1.0) for crowd in self.crowds)

    @property
    def wave(self) -> int:
        """Retries after a wait in the busiest tenth of a second."""
        return max(busiest(crowd.waited, 0.1) for crowd in self.crowds)

    @property
    def longest(self) -> float:
        """Seconds: the longest wait before a request."""
        return max(crowd.longest for crowd in self.crowds)

    @property
    def row(self) -> str:
        """The name of its row."""
        name = self.policy or "(defaults)"
        return name if self.budgets == "none" else f"{name}, {self.budgets} budget"


def busiest(times: list[float], width: float) -> int:
    """The most of the sorted times that fall into one window."""
    return max((bisect_left(times, at + width) - number for number, at in enumerate(times)), default=0)


def play(
    weather: Weather,
    policy: str,
    budgets: Budgets,
    seed: int = 0,
    streams: int = STREAMS,
    *,
    split: Split = ALONE,
) -> Crowd:
    """Run a crowd; ``policy`` is a preset's name, empty for the defaults, ``off`` for the SDK."""
    crowd = Crowd(weather, seed)
    random.seed(seed)  # the SDK's jitter
    rules = RetryPolicy.preset(policy) if policy else RetryPolicy()
    processes = split.processes(crowd)
    for number in range(streams):
        begins = (number + crowd.rng.random()) * ARRIVE / streams
        if not rules.enabled:
            crowd.at(begins, Bare(crowd).begin)
            continue
        budget = processes[split.of(number)] if budgets == "shared" else RetryBudget()
        stream = Resilient(crowd, rules, budget if rules.budget == "shared" else None, seed + number)
        crowd.at(begins, stream.begin)
    crowd.run()
    return crowd


def results(seeds: int = SEEDS) -> list[Result]:
    """The results of every policy in every kind of trouble, with a shared budget and with separate ones."""
    rows: list[tuple[str, Budgets, int]] = [("off", "none", seeds)]
    for policy in PRESETS:
        if policy == "observe":
            rows.append((policy, "none", seeds))
        else:
            rows.append((policy, "shared", seeds))
            rows.append((policy, "own", 1))
    asked = [(weather, *row) for weather in WEATHERS for row in rows]
    with ProcessPoolExecutor() as pool:
        played = [
            [pool.submit(play, weather, policy, budgets, seed) for seed in range(crowds)]
            for weather, policy, budgets, crowds in asked
        ]
        return [
            Result(
                weather,
                "bare SDK" if policy == "off" else policy,
                budgets,
                tuple(one.result() for one in each),
            )
            for (weather, policy, budgets, _), each in zip(asked, played, strict=True)
        ]


def spread_over_processes(seeds: int = SEEDS) -> list[Result]:
    """Every weather, for the default policy, with a crowd that is spread over processes in several ways."""
    with ProcessPoolExecutor() as pool:
        played = {
            (weather, name): [
                pool.submit(play, weather, "", "shared", seed, split=split) for seed in range(seeds)
            ]
            for weather in WEATHERS
            for name, split in SPLITS.items()
        }
        return [
            Result(weather, name, "none", tuple(one.result() for one in each))
            for (weather, name), each in played.items()
        ]


def table(told: list[Result], cell: Callable[[Result], str]) -> str:
    """One row for each policy and one column for each kind of trouble, in Markdown."""
    rows: dict[str, list[str]] = {}
    for one in told:
        rows.setdefault(one.row, []).append(cell(one))
    lines = ["", *(weather.name for weather in WEATHERS)], ["---"] * (len(WEATHERS) + 1)
    return "\n".join(
        f"| {' | '.join(line)} |" for line in [*lines, *([row, *cells] for row, cells in rows.items())]
    )


def costs(one: Result) -> str:
    """The requests, and the streams that were completed."""
    return f"{one.per_stream:.2f}, {100 * one.finished:.3g}%"


def spread(one: Result) -> str:
    """The busiest second, the busiest tenth of a second of retries, the longest wait, and the recovery."""
    after = "" if one.recovery is None else f", {one.recovery:.0f} s"
    return f"{one.busiest}, {one.wave}, {one.longest:.0f} s{after}"


SHOWN: Final = ("bare SDK", "(defaults), shared budget", "interactive, shared budget", "batch, shared budget")


def draw(told: list[Result], file: str, times: Callable[[Crowd], list[float]], label: str) -> None:
    """Draw how many of the times fall into each second, for the first crowd, one panel for each kind of
    trouble."""
    pyplot: Any = importlib.import_module("matplotlib.pyplot")  # only the session `outage` installs it
    figure, grid = pyplot.subplots(4, 2, figsize=(11, 11), sharex=True, layout="constrained")
    *panels, key = grid.flat
    for panel, weather in zip(panels, WEATHERS, strict=True):
        for start, end, _ in weather.troubles:
            panel.axvspan(start, min(max(end, start + 0.5), SECONDS), color="0.88")
        for one in told:
            if one.weather is weather and one.row in SHOWN:
                counts = Counter(int(at) for at in times(one.crowds[0]))
                panel.step(
                    range(SECONDS), [counts[at] for at in range(SECONDS)], where="post", label=one.row, lw=1.2
                )
        panel.set_title(f"{weather.name}: {weather.about}", fontsize=10)
        panel.set_ylabel(label)
        panel.set_xlabel("seconds")
    key.axis("off")
    key.legend(*panels[0].get_legend_handles_labels(), loc="center")
    figure.savefig(file, dpi=90, metadata={"Software": None})


def main() -> None:
    """Print the tables, and draw the pictures if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, help="crowds that are played, each from another seed"
    )
    parser.add_argument("--plot", metavar="FILE", help="where to draw the requests of each second (PNG)")
    parser.add_argument(
        "--served", metavar="FILE", help="where to draw the streams served in each second (PNG)"
    )
    parser.add_argument(
        "--processes", action="store_true", help="only the table of crowds that are spread over processes"
    )
    asked = parser.parse_args()
    if asked.processes:
        print(table(spread_over_processes(asked.seeds), costs))
        return
    told = results(asked.seeds)
    print("Requests for each stream, and streams that came to their end:\n")
    print(table(told, costs))
    print(
        "\nRequests in the busiest second; retries that waited, the most in 0.1 s; the longest wait; the last"
    )
    print("request that was turned away, after the upstream was well:\n")
    print(table(told, spread))
    if asked.plot:
        draw(told, asked.plot, lambda crowd: crowd.asked, "requests per second")
    if asked.served:
        draw(told, asked.served, lambda crowd: crowd.spoken, "streams served")


if __name__ == "__main__":
    main()
