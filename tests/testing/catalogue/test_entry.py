"""The shape of the catalogue and of its entries."""

from __future__ import annotations

import pytest

from resilient_stream.testing import CATALOGUE, Entry, Healthy, Stall
from resilient_stream.testing.catalogue import _GROUPS
from resilient_stream.testing.catalogue.entry import entry


def test_no_name_is_used_twice() -> None:
    """Each entry of each group has a name of its own."""
    assert sum(len(list(group())) for group in _GROUPS) == len(CATALOGUE) > 100


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_entry_goes_by_its_name(name: str) -> None:
    """The key is the name, and each entry has words and a fault."""
    known = CATALOGUE[name]
    assert known.name == name
    assert known.about
    assert known.fault in known.faults


@pytest.mark.parametrize(
    ("known", "outcome", "text"),
    [
        (entry("a", "b", Healthy()), "passes", "whole"),
        (entry("a", "b", Healthy(), silent=True), "silent", "part"),
        (entry("a", "b", Healthy(), raises="X"), "raises", "part"),
        (entry("a", "b", Healthy(), raises="X", text="whole"), "raises", "whole"),
    ],
)
def test_outcome_follows_from_what_is_raised(known: Entry, outcome: str, text: str) -> None:
    """An entry passes, is silent or raises; what raises or is silent leaves a part, unless told otherwise."""
    assert (known.outcome, known.text) == (outcome, text)


def test_the_fault_is_the_first_that_is_one() -> None:
    """An entry of several calls names the call that goes wrong."""
    known = entry("a", "b", None, Stall())
    assert (known.fault, known.calls) == (Stall(), 2)
