"""The documentation of the stand-in says what is there."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from resilient_stream import testing
from resilient_stream.testing import CATALOGUE, MANNERS, Entry
from resilient_stream.testing.manners.openings import PREAMBLES

PAGE = (Path(__file__).parents[1] / "docs" / "testing.md").read_text("utf-8")


def row(entry: Entry) -> str:
    """One line of the table."""
    told = {"passes": "nothing shows", "silent": "**ends silently**", "raises": f"`{entry.raises}`"}
    retried = "yes" if entry.retried else ""
    return f"| `{entry.name}` | {entry.about} | {told[entry.outcome]} | {entry.text} | {retried} |"


def test_the_table_of_faults_is_the_catalogue() -> None:
    """Each known fault in its order, with what the SDK makes of it, and no other."""
    listed = re.findall(r"^\| `\w+` \|.*\|.*\|.*\|.*\|$", PAGE, re.MULTILINE)
    assert listed == [row(entry) for entry in CATALOGUE.values()]


def test_each_manner_is_explained() -> None:
    """By its name, or by its language."""
    languages = {name: name.removeprefix("preamble_").removesuffix("_no_echo") for name in MANNERS}
    named = {name for name in MANNERS if f'`"{name}"`' in PAGE}
    by_language = {name for name, each in languages.items() if each in PREAMBLES and f"`{each}`" in PAGE}
    assert named | by_language == set(MANNERS)


def test_each_fault_is_explained() -> None:
    """Every fault that can be imported is in the page."""
    kinds = {name: getattr(testing, name) for name in testing.__all__}
    faults = {
        name for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, testing.Fault)
    }
    assert {name for name in faults if f"`{name}`" not in PAGE} <= {"Healthy", "Place", "Fault"}


def test_each_setting_is_explained() -> None:
    """Every argument of the stand-in is in the page."""
    settings = set(inspect.signature(testing.StandIn).parameters)
    assert {name for name in settings if f"`{name}`" not in PAGE and f"`{name}=" not in PAGE} == set()
