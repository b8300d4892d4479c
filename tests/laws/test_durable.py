"""A few processes that are killed. ``nox -s torture`` kills two thousand."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.journals import Server, missing

ROOT = str(Path(__file__).parents[2])


@pytest.fixture(autouse=True)
def durable(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`chaos.durable`, which the processes must find, too; behind the package that is tested."""
    monkeypatch.setattr(sys, "path", [*sys.path, ROOT])
    return importlib.import_module("chaos.durable")


def test_nothing_is_lost_or_doubled_when_processes_are_killed(tmp_path: Path, durable: Any) -> None:
    """Writers and readers, anywhere in their streams."""
    tally = durable.torture(f"sqlite:///{tmp_path}/streams.db", kills=8, seed=1)
    assert tally.wrong == []
    assert tally.kills >= 8


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_nothing_is_lost_or_doubled_when_the_store_is_killed_too(durable: Any) -> None:
    """It comes back with what it had answered."""
    server = Server(lasting=True)
    try:
        tally = durable.torture(server.url, kills=8, seed=1, restart=server.restart, restarts=2)
    finally:
        server.close()
    assert tally.wrong == []
    assert tally.kills >= 8
    assert tally.restarts == 2


def test_a_process_that_was_suspended_writes_nothing(tmp_path: Path, durable: Any) -> None:
    """Once another has gone on with its stream."""
    assert durable.stopped(f"sqlite:///{tmp_path}/streams.db") == []
