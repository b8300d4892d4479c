"""The tables of the demo: the attempts, their cost, what the bare SDK did, and the catalogue of faults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import anthropic
from rich.text import Text

from resilient_stream import StreamReport
from resilient_stream._report.table import ESTIMATE, HEADS, NUMBERS, Table, tokens
from resilient_stream.testing import Entry

from .bare import Bare
from .marks import Mark
from .run import Told
from .screen import NARROW, Screen

TRUNCATED = "no error: truncated silently"
CHANGED = "no error: the text is changed"


def opening(screen: Screen, entries: Sequence[Entry]) -> None:
    """Write what is about to happen."""
    if entries:
        screen.line("One long answer, and what goes wrong on its way:", "bold")
        table = screen.table(heads=False)
        for entry in entries:
            table.add_row(entry.name, _about(entry))
        screen.show(table)
        screen.line("A stand-in on this machine plays the API: no key, no network.")
    else:
        screen.line("One answer of the real API, through a local proxy that cuts the stream:", "bold")
    if screen.marks:
        screen.mark(Mark(("failure",)))
        screen.line(" marks where a request broke. Not in the text.")  # beside the mark, on 60 columns


def attempts(screen: Screen, report: StreamReport) -> None:
    """Write one row for each request of the stream, and their sum."""
    signs = screen.signs
    told = Table(report.attempts, report.seams, report.usage, signs.proved, signs.unproved)
    table = screen.table()
    for name in HEADS:
        table.add_column(name, justify="right" if name in NUMBERS else "left", overflow="fold")
    for row in told.rows:
        styled = zip(HEADS, row, strict=True)
        table.add_row(*(_failure(cell) if name == "failure" else cell for name, cell in styled))
    table.add_row(*told.total, style="bold")
    screen.show(table)
    if told.estimated:
        screen.line(ESTIMATE, "dim")
    if report.seams:
        screen.line(
            f"{signs.proved} proved: nothing is missing or doubled at the seam. {signs.unproved} not proved.",
            "dim",
        )


def cost(screen: Screen, told: Told, uninterrupted: Mapping[str, int] | None) -> None:
    """Write what the faults cost, compared with one call without faults, if that is known."""
    spent, written = tokens(told.report.usage if told.report else {})
    says = f"Cost: {spent} tokens in, {written} out, {told.seconds:.1f} s."
    if uninterrupted is not None:
        once, answer = tokens(uninterrupted)
        says += f" Uninterrupted: {once} in, {answer} out."
    screen.line(says)


def verdict(screen: Screen, told: Told, expected: str | None) -> None:
    """Write in one line whether the text is complete."""
    whole, got = told.is_whole(expected), len(told.text)
    if told.error:
        says = f"{got} characters, then {told.error}"
    elif expected is None:
        says = f"{got} characters, stop reason {told.stop_reason}; no uncut answer to compare with"
    elif whole:
        says = f"{got} of {len(expected)} characters, identical to the uncut answer"
    else:
        says = f"{got} characters, not identical to the uncut answer of {len(expected)}"
    screen.line()
    screen.line(f"resilient-stream: {says}.", "bold green" if whole else "bold red")
    if told.complaint:
        screen.line(f"The exception says: {told.complaint}")
    if told.report and told.report.reason:
        screen.line(f"No further attempt: {told.report.reason}.")


def bare(screen: Screen, rows: Iterable[Bare]) -> None:
    """Write what the bare SDK did with each fault."""
    screen.line()
    screen.line(
        f"The same faults, one call each, with the bare SDK (anthropic {anthropic.__version__}):", "bold"
    )
    table = screen.table()
    table.add_column("fault", overflow="fold")
    table.add_column("characters", justify="right", no_wrap=True)
    table.add_column("what the program saw", overflow="fold")
    for row in rows:
        style = "green" if row.saw == "whole" else "red"
        table.add_row(row.fault, f"{row.characters} of {row.of}", Text(_saw(row), style))
    screen.show(table)


def catalogue(screen: Screen, entries: Iterable[Entry]) -> None:
    """Write the faults that ``--fault`` can choose."""
    table = screen.table()
    table.add_column("fault", no_wrap=True)
    table.add_column("what happens", overflow="fold", min_width=20)
    table.add_column("bare SDK, no retries", overflow="fold", no_wrap=screen.width > NARROW)
    for entry in entries:
        table.add_row(Text(entry.name, "bold"), _about(entry), _alone(entry))
    screen.show(table)


def _about(entry: Entry) -> str:
    """A description of a fault: a status number alone says little."""
    return f"status {entry.about}" if entry.about.isdigit() else entry.about


def _failure(kind: str) -> Text:
    return Text(kind, "dim" if kind == "-" else "red")


def _saw(row: Bare) -> str:
    match row.saw:
        case "raised":
            return row.error
        case "truncated":
            return TRUNCATED
        case "changed":
            return CHANGED
        case _:
            again = row.requests - 1
            return (
                "whole"
                if not again
                else f"whole, after {again} {'retry' if again == 1 else 'retries'} of its own"
            )


def _alone(entry: Entry) -> str:
    match entry.outcome:
        case "raises":
            return entry.raises.rpartition(".")[2]  # the package would leave no room on 80 columns
        case "silent":
            return "truncated silently"
        case _:
            return "passes" if entry.text == "whole" else "text changed silently"
