"""The documentation of the stand-in says what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from resilient_stream import testing
from resilient_stream.testing import CATALOGUE, MANNERS, Entry
from resilient_stream.testing.manners.openings import PREAMBLES

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text("utf-8")


def row(entry: Entry) -> str:
    """One line of the table."""
    told = {"passes": "nothing shows", "silent": "**ends silently**", "raises": f"`{entry.raises}`"}
    retried = "yes" if entry.retried else ""
    return f"| `{entry.name}` | {entry.about} | {told[entry.outcome]} | {entry.text} | {retried} |"


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_known_fault_is_in_the_table(name: str) -> None:
    """With what the SDK makes of it."""
    assert row(CATALOGUE[name]) in PAGE.splitlines()


def test_the_table_has_nothing_else() -> None:
    """No fault is listed that is not there."""
    listed = re.findall(r"^\| `(\w+)` \|.*\|.*\|.*\|.*\|$", PAGE, re.MULTILINE)
    assert listed == list(CATALOGUE)


@pytest.mark.parametrize("name", MANNERS)
def test_each_manner_is_explained(name: str) -> None:
    """By its name, or by its language."""
    language = name.removeprefix("preamble_").removesuffix("_no_echo")
    assert f'`"{name}"`' in PAGE or (language in PREAMBLES and f"`{language}`" in PAGE)


@pytest.mark.parametrize(
    "name", [name for name in testing.__all__ if isinstance(getattr(testing, name), type)]
)
def test_each_fault_is_explained(name: str) -> None:
    """Every fault that can be imported is in the page."""
    kind = getattr(testing, name)
    assert not issubclass(kind, testing.Fault) or name in {"Healthy", "Place"} or f"`{name}`" in PAGE
