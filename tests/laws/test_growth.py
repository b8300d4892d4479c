"""Time is linear in what came, whatever it is.

The time at four times the size is compared with the time at the size. It is the time of this thread's processor, so
other load on the machine does not count; what grows too much is measured again, and the least of all tries counts.
Times too short to harm anybody are not compared: nearly all are, so a run takes a few seconds.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from typing import Any, Final

import pytest

from tests.laws.growth import ANY, DECISIONS, PIECE, REPEATED, SIZE, TALE, Prepare, join, least
from tests.laws.sizes import LARGE, STRIDE
from tests.support.adversaries import FAMILIES, Family

GROWTH: Final = 9.0
"""How much longer four times the text may take: between the 4 of linear time and the 16 of quadratic time."""
NOTHING: Final = 0.002 if LARGE else 0.02
"""Seconds that are not compared. A quadratic scan of the longest text takes ten times as long."""
DECIDED: Final = 0.05 if sys.gettrace() is None else 0.2
"""Seconds that the join of any reply to 200,000 hostile characters may take; more where coverage is measured."""


def grows(prepare: Prepare, family: Family) -> str:
    """How the time grows, if it grows too much; else nothing."""
    long, short = least(prepare(family, 4 * SIZE), 1), float("inf")
    for tries in (1, 3, 6):
        if long <= NOTHING:
            return ""
        short = min(short, least(prepare(family, SIZE), tries))
        if long <= GROWTH * short:
            return ""
        long = min(long, least(prepare(family, 4 * SIZE), tries))
    return f"{1000 * short:.1f} ms, at four times the size {1000 * long:.1f} ms"


def searching(family: Family, size: int) -> Any:
    """A search for a run at the end, from each place anew."""
    text = family(size // 6) + "1"
    return lambda: re.search(r"[^\W\d_]+$", text)


def counting(family: Family, size: int) -> Any:
    """What has come is counted for each that comes."""
    came = list(family(size // 8))
    return lambda: [came[:at].count("b") for at in range(len(came))]


def joining(family: Family, size: int) -> Any:
    """What has come is copied for each that comes."""

    def run() -> None:
        came: tuple[str, ...] = ()
        for letter in family(size // 4):
            came = (*came, letter)

    return run


@pytest.mark.parametrize("quadratic", [searching, counting, joining])
def test_what_is_not_linear_is_noticed(quadratic: Prepare) -> None:
    """A pattern that is quadratic, a count of all for each, and a copy of all for each."""
    assert grows(quadratic, ANY)


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_decision_takes_linear_time(decision: str) -> None:
    """Over each family of texts; in a small run over some."""
    families = list(FAMILIES.items())[::STRIDE]
    found = {name: grows(DECISIONS[decision], family) for name, family in families}
    assert {name: measured for name, measured in found.items() if measured} == {}


@pytest.mark.parametrize("kind", REPEATED)
def test_many_of_one_thing_take_linear_time(kind: str) -> None:
    """None is looked at again for each that comes behind it."""
    assert grows(REPEATED[kind], ANY) == ""


@pytest.mark.parametrize(
    "family", ["one letter", "two letters", "zero-width joiners", "combining marks", "DNA"]
)
@pytest.mark.parametrize("piece", [1, PIECE, 200_000])
def test_a_hostile_seam_is_decided_in_50_milliseconds(family: str, piece: int) -> None:
    """Whether the text is hostile, the reply, or both; and in whatever pieces the reply comes."""
    hostile = FAMILIES[family](200_000)
    for text, reply in (
        (TALE, hostile),
        (f"a{hostile}b", TALE),
        (f"a{hostile}b", hostile),
        (hostile, hostile),
    ):
        run = partial(join, text, reply, piece)
        assert least(run, 1) < DECIDED or least(run, 5) < DECIDED, text[:9]
