"""Where to mark the seams of a text that is still arriving."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from resilient_stream import StreamReport


@dataclass(frozen=True, slots=True)
class Mark:
    """A place where an attempt broke, or several in a row; and the kinds of failure that broke them."""

    kinds: tuple[str, ...]


class Marker:
    """Puts marks between the pieces of a stream's text: each after the last character that the broken attempt
    delivered."""

    def __init__(self) -> None:
        self._written = 0
        self._marked = 0
        """The number of failed attempts that have a mark."""

    def split(self, piece: str, report: StreamReport | None) -> Iterator[str | Mark]:
        """A piece of text, cut at the places of marks, and the marks."""
        end = self._written + len(piece)
        for place, kinds in self._due(report, end):
            if before := piece[: len(piece) - (end - place)]:
                yield before
            yield Mark(kinds)
            piece = piece[len(before) :]
        yield piece
        self._written = end

    def rest(self, report: StreamReport | None) -> Iterator[Mark]:
        """The marks of failures that no text has followed."""
        return (Mark(kinds) for _, kinds in self._due(report, self._written + 1))

    def _due(self, report: StreamReport | None, end: int) -> Iterator[tuple[int, tuple[str, ...]]]:
        """The marks before the character number ``end``, each with its place and its failures."""
        if report is None:
            return
        ends = itertools.accumulate(attempt.characters for attempt in report.attempts)
        failed = [
            (place, attempt.failure.kind.value)
            for place, attempt in zip(ends, report.attempts, strict=True)
            if attempt.failure is not None
        ]
        due = [(place, kind) for place, kind in failed[self._marked :] if place < end]
        self._marked += len(due)
        for place, group in itertools.groupby(due, key=lambda each: each[0]):
            yield max(place, self._written), tuple(kind for _, kind in group)
