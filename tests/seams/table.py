"""The table: ``python -m tests.seams.table [--step N] [MANNER ...]`` tries everything and prints it."""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter, defaultdict

from resilient_stream.testing import MANNERS

from .trial import Trial, Verdict, corpus, cuts, play


def main() -> None:
    """Try and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--step", type=int, default=13, help="cut at every N-th character (13)")
    parser.add_argument("--show", type=int, default=0, help="show so many of the joins that are not right")
    parser.add_argument("manners", nargs="*", default=list(MANNERS))
    told = parser.parse_args()
    began = time.perf_counter()
    counts: dict[str, Counter[Verdict]] = defaultdict(Counter)
    held: dict[str, list[int]] = defaultdict(list)
    verified: Counter[str] = Counter()
    spaces: dict[str, Counter[str]] = defaultdict(Counter)
    shown: Counter[tuple[str, Verdict]] = Counter()
    for name, text in corpus().items():
        for manner in told.manners:
            for cut in cuts(text, told.step):
                trial = play(text, cut, manner)
                if trial is None:
                    continue
                counts[manner][trial.verdict] += 1
                held[manner].append(trial.held)
                verified[manner] += trial.verified
                if trial.verdict is Verdict.SPACE:
                    spaces[where(text, cut)][manner] += 1
                if trial.verdict is not Verdict.RIGHT and shown[manner, trial.verdict] < told.show:
                    shown[manner, trial.verdict] += 1
                    _show(name, text, cut, trial)
    _print(counts, held, verified)
    for place, counted in spaces.items():
        print(f"\nonly white space, {place}: {counted.total()}: {dict(counted.most_common(8))}")
    print(f"\n{len(corpus())} texts, {time.perf_counter() - began:.0f} s")


def where(text: str, cut: int) -> str:
    """Where in the text the seam is."""
    had, rest = text[:cut].rstrip(), text[cut:].lstrip()
    space = text[len(had) : len(text) - len(rest)]
    if "\n" in space:
        return "at a line's end"
    if space:
        return "between two words"
    return "inside a word" if had[-1].isalnum() and rest[0].isalnum() else "beside a sign"


def _show(name: str, text: str, cut: int, trial: Trial) -> None:
    had = text[:cut]
    print(f"{trial.manner} {trial.verdict} {name}@{cut}: ...{had[-60:]!r} | {text[cut : cut + 30]!r}")
    print(f"    got {trial.text[len(had) - 20 : len(had) + 60]!r}")


def _print(counts: dict[str, Counter[Verdict]], held: dict[str, list[int]], verified: Counter[str]) -> None:
    columns = [verdict.value for verdict in Verdict]
    print(f"| {'manner':<27} | " + " | ".join(f"{name:>11}" for name in columns), end="")
    print(" | right of decidable | with white space | verified | held: median | most |")
    print("|---|" + "---:|" * (len(columns) + 5))
    total: Counter[Verdict] = Counter()
    for manner, counted in counts.items():
        total += counted
        _row(manner, counted, held[manner], verified[manner])
    _row("all", total, [one for each in held.values() for one in each], sum(verified.values()))


def _row(manner: str, counted: Counter[Verdict], held: list[int], verified: int) -> None:
    exact = counted.total() - counted[Verdict.UNDECIDABLE]
    decidable = exact - counted[Verdict.SPACE]
    share = counted[Verdict.RIGHT] / decidable if decidable else 1
    cells = " | ".join(f"{counted[verdict]:>11}" for verdict in Verdict)
    print(
        f"| {manner:<27} | {cells} | {share:>18.2%} | {counted[Verdict.RIGHT] / exact:>16.2%} | {verified / counted.total():>8.1%} | "
        f"{statistics.median(held):>12.0f} | {max(held):>4} |"
    )


if __name__ == "__main__":
    main()
