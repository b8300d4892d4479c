"""A few processes that are killed. ``nox -s torture`` kills a thousand."""

from __future__ import annotations

from pathlib import Path

from chaos.durable import stopped, torture


def test_nothing_is_lost_or_doubled_when_processes_are_killed(tmp_path: Path) -> None:
    """Writers and readers, at moments by chance."""
    tally = torture(f"sqlite:///{tmp_path}/streams.db", kills=8, seed=1)
    assert tally.wrong == []
    assert tally.kills == 8


def test_a_process_that_was_suspended_writes_nothing(tmp_path: Path) -> None:
    """Once another has gone on with its stream."""
    assert stopped(f"sqlite:///{tmp_path}/streams.db") == []
