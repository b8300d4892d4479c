"""The manners of a model that goes on, by name."""

from __future__ import annotations

import pytest

from resilient_stream.testing import MANNERS
from resilient_stream.testing.manners import manner_of
from resilient_stream.testing.manners.echoes import echo

from .manners import test_echoes, test_openings, test_repeats, test_spacing
from .manners.said import ANSWER, QUOTE, RECEIVED, REST


def test_every_manner_is_tried() -> None:
    """None is forgotten by the tests of its kind."""
    parts = (test_echoes, test_openings, test_repeats, test_spacing)
    assert sorted(name for part in parts for name in part.SAID) == sorted(MANNERS)


@pytest.mark.parametrize("name", MANNERS)
def test_each_manner_ends_the_answer(name: str) -> None:
    """However it begins, it ends as the script ends."""
    assert MANNERS[name](ANSWER, RECEIVED, QUOTE).endswith(REST.lstrip())


def test_a_manner_is_named_or_given() -> None:
    """A name is looked up, a function is taken; an unknown name is refused."""
    assert manner_of("echo") is echo
    assert manner_of(echo) is echo
    with pytest.raises(KeyError):
        manner_of("politely")
