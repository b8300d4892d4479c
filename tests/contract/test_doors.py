"""The table of what is not tried through which doors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from resilient_stream.testing import CATALOGUE
from tests.support.doors import ALL_DOORS, DOORS, EXCEPTIONS, PACKAGES, Door

HERE = Path(__file__).parent
LAW = re.compile(r"^@every_(?:\w+_)?(?:door|loop)\n(?:[@ )\]].*\n)*def (test_\w+)\(", re.MULTILINE)


def laws() -> set[str]:
    """The laws that are tried through doors."""
    return {name for path in HERE.glob("test_*.py") for name in LAW.findall(path.read_text())}


def test_each_exception_has_a_law_or_a_fault() -> None:
    """And a reason, and doors that there are."""
    assert set(EXCEPTIONS) <= laws() | set(CATALOGUE)
    for packages, reason in EXCEPTIONS.values():
        assert set(packages) < set(PACKAGES)
        assert reason


def test_there_are_six_doors_and_twelve_with_all_loops() -> None:
    """Each package, sync and async."""
    assert len(DOORS) == 6
    assert len(ALL_DOORS) == 12
    assert len({door.name for door in ALL_DOORS}) == 12
    assert len(laws()) > 50


def test_a_sync_door_does_not_wait() -> None:
    """A coroutine that waits for a loop is no sync program."""

    async def law() -> None:
        await Waiting()

    class Waiting:
        def __await__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204 -- a generator
            yield

    with pytest.raises(AssertionError, match="waited"):
        Door("sdk").run(law)
