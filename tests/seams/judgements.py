"""The replies of real models by judgement: ``python -m tests.seams.judgements`` joins them and prints the table."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from typing import Final

from .test_replies import joined, replies

COLUMNS: Final = ("replies", "verified before", "verified now", "not verified now", "refused now")


def table() -> dict[str, Counter[str]]:
    """What becomes of the replies now, by how a reader judged what became of them first."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in replies():
        how, verified, _ = joined(row, 4)
        counts = found[row["judged"]]
        counts["replies"] += 1
        counts["verified before"] += bool(row["before"][1])
        now = "verified now" if verified else "not verified now"
        counts["refused now" if how == "diverged" else now] += 1
    return found


def main() -> None:
    """Join and print."""
    found = table()
    lines = [*found.items(), ("all", sum(found.values(), Counter[str]()))]
    sys.stdout.write("| judgement of the first join | " + " | ".join(COLUMNS) + " |\n")
    sys.stdout.write("|---|" + "---:|" * len(COLUMNS) + "\n")
    for judged, counts in lines:
        sys.stdout.write(f"| {judged} | " + " | ".join(str(counts[column]) for column in COLUMNS) + " |\n")


if __name__ == "__main__":
    main()
