"""A report as text: the outcome, and a table with one row for each attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .parts import AttemptReport, SeamReport

HEADS: Final = ("#", "request", "status", "failure", "where", "seam", "chars", "wait", "in", "out")
NUMBERS: Final = frozenset({"#", "chars", "wait", "in", "out"})
"""The columns that are aligned to the right."""

ESTIMATE: Final = "~ an estimate: the API never reported the number."
ABOUT: Final = ("", "~")
"""The mark before a number: none if it was reported, ``~`` if it is an estimate."""

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Attempts, their seams, and the token numbers of all of them together.

    ``proved`` and ``unproved`` are the words or signs that follow the name of a join.
    """

    attempts: Sequence[AttemptReport]
    seams: Sequence[SeamReport]
    usage: Mapping[str, int]
    proved: str = "proved"
    unproved: str = "not proved"

    @property
    def rows(self) -> list[Row]:
        """One row for each attempt."""
        seams = {seam.attempt: seam for seam in self.seams}
        return [self._row(attempt, seams.get(attempt.number)) for attempt in self.attempts]

    @property
    def total(self) -> Row:
        """The sums of the columns that can be added up."""
        characters = sum(attempt.characters for attempt in self.attempts)
        waited = sum(attempt.wait for attempt in self.attempts)
        spent, written = tokens(self.usage)
        return ("", "in all", "", "", "", "", str(characters), f"{waited:.1f}s", str(spent), str(written))

    @property
    def estimated(self) -> bool:
        """Whether a number is an estimate."""
        return any(attempt.usage_source == "estimated" for attempt in self.attempts)

    def __str__(self) -> str:
        """The table, its columns separated by two blanks."""
        rows = [HEADS, *self.rows, self.total]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(_aligned, HEADS, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, ESTIMATE] if self.estimated else lines)

    def _row(self, attempt: AttemptReport, seam: SeamReport | None) -> Row:
        failure = attempt.failure
        spent, written = tokens(attempt.usage)
        known, guessed = attempt.usage_source != "unknown", attempt.estimated
        return (
            str(attempt.number),
            attempt.kind.replace("_", " "),
            str(attempt.status or "none"),
            failure.kind if failure else "-",
            ("in band" if failure.in_band else failure.phase) if failure else "-",
            self._seam(seam) if seam else "-",
            str(attempt.characters),
            f"{attempt.wait:.1f}s" + (f" ({attempt.queued:.1f}s queued)" if attempt.queued else ""),
            f"{ABOUT['input_tokens' in guessed]}{spent}" if known else "-",
            f"{ABOUT['output_tokens' in guessed]}{written}" if known else "-",
        )

    def _seam(self, seam: SeamReport) -> str:
        return f"{seam.joined.replace('_', ' ')} {self.proved if seam.verified else self.unproved}"


def summary(outcome: str, reason: str, abandoned: Sequence[int], table: Table) -> str:
    """A complete report: its outcome and why nothing more was tried, the table, what the API said about
    rejections, and the blocks that were cut off."""
    first = f"{outcome.replace('_', ' ')}: {reason}" if reason else outcome.replace("_", " ")
    cut = ", ".join(map(str, abandoned))
    last = [f"content blocks cut off and never completed: {cut}"] if cut else []
    failures = [(attempt.number, attempt.failure) for attempt in table.attempts]
    said = [f"said of attempt {number}: {each.said!r}" for number, each in failures if each and each.said]
    return "\n".join([first, *([str(table)] if table.attempts else []), *said, *last])


def tokens(usage: Mapping[str, int]) -> tuple[int, int]:
    """Tokens in, cached or not, and tokens out."""
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return sum(usage.get(name) or 0 for name in names), usage.get("output_tokens") or 0


def _aligned(head: str, cell: str, width: int) -> str:
    return cell.rjust(width) if head in NUMBERS else cell.ljust(width)
