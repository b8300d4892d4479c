"""The benchmarks that `nox -s bench` runs: what they do with a part that fails, and what they compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import instructions, page, tables
from benchmarks.scaling import OFTEN, Cut, measure, read
from benchmarks.streams import client
from resilient_stream import resilient

BARE_ROW = {"bare": 100, "added": 0.02}


def fails() -> Any:
    """A part that can't be measured."""
    raise OSError("no socket")


def test_a_part_that_fails_does_not_lose_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It keeps its earlier figures, those behind it are stored, and one that needs valgrind is left out."""
    monkeypatch.setattr(page, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(page, "PARTS", {"broken": fails, "left out": lambda: None, "good": lambda: [1]})
    results = {"broken": {"rows": [0]}}
    assert page.measure(["broken", "left out", "good"], results) == ["broken"]
    stored = json.loads((tmp_path / "results.json").read_text())
    assert {name: part["rows"] for name, part in stored.items()} == {"broken": [0], "good": [1]}


@pytest.mark.parametrize("part", [name for name in tables.WRITERS if name != "instructions"])
def test_the_page_names_the_part_that_has_to_be_measured_again(
    part: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """If its stored figures are missing or lack something, and leaves the page as it is."""
    monkeypatch.setattr(page, "DOCS", tmp_path)
    stored = json.loads(page.RESULTS.read_text("utf-8"))
    without = {name: figures for name, figures in stored.items() if name != part}
    for results in (without, without | {part: {name: 0 for name in stored[part] if name != "rows"}}):
        (told,) = page.write(results)
        assert told.endswith(f"`python -m benchmarks.page {part}`")
    assert not list(tmp_path.iterdir())


def test_each_case_is_held_to_its_own_baseline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Up to the tolerance; one without a baseline is held to nothing."""
    stored = tmp_path / "baseline.json"
    stored.write_text(json.dumps({instructions.VERSION: {"sync, text": BARE_ROW, "held tool": BARE_ROW}}))
    monkeypatch.setattr(instructions, "BASELINE", stored)
    grown = BARE_ROW | {"added": 0.02 + instructions.TOLERANCE + 0.001}
    assert instructions.regression({"sync, text": BARE_ROW, "async, text": grown}) == ""
    told = instructions.regression({"sync, text": BARE_ROW, "held tool": grown})
    assert told.startswith("held tool: +5.1% instructions")


@pytest.mark.parametrize("cuts", [0, 3])
def test_a_long_stream_is_read_whole_however_often_it_is_cut(cuts: int) -> None:
    """Each delta once, with the start and the end of the message."""
    with client(Cut(400, cuts)) as bare:
        assert read(resilient(bare, OFTEN)) == (405, True)
    assert measure(400, cuts).completed
