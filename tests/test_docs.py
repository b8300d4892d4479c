"""The documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from resilient_stream._core.failures import Kind
from resilient_stream._core.states import TABLE, Signal

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_state_diagram_is_the_table() -> None:
    """The diagram has exactly the table's rows, ``CLOSE`` apart."""
    page = (ROOT / "docs" / "how-it-works.md").read_text()
    drawn = re.findall(r"^    (\w+) --> (\w+): (\w+)$", page, re.MULTILINE)
    rows = [(a.name, b.name, signal.name) for (a, signal), b in TABLE.items() if signal is not Signal.CLOSE]
    assert drawn == rows


def test_every_kind_is_documented() -> None:
    """The table of failures has every kind, in order."""
    page = (ROOT / "docs" / "failures.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [kind.value for kind in Kind]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page has a file at its end."""
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), target
