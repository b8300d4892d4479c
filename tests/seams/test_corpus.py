"""A sample of the corpus; ``nox -s seams`` tries all of it and prints the table."""

from __future__ import annotations

import statistics
from collections import Counter
from itertools import cycle

import pytest

from resilient_stream._core.seam.join import MOST_HELD
from resilient_stream.testing import MANNERS
from tests.laws.sizes import STRIDE

from .cost import cost, least
from .trial import FAITHFUL, PIECE, Trial, Verdict, corpus, cuts, play

STEP = 83
"""Every so manieth character is cut at in the sample."""

SPELLED_OTHERWISE = (
    "composed_echo",
    "decomposed_echo",
    "wide_echo",
    "narrow_echo",
    "straight_echo",
    "broken_echo",
)


def sample(names: tuple[str, ...]) -> list[Trial]:
    """Each text cut at some places, the manners taking turns."""
    manners = cycle(names)
    tried = (play(text, cut, next(manners)) for text in corpus().values() for cut in cuts(text, STEP))
    return [trial for trial in tried if trial is not None]


def test_the_corpus_is_large() -> None:
    """At least forty texts, each long enough to be cut at many places."""
    assert len(corpus()) >= 40
    assert all(len(text) > 200 for text in corpus().values())


@pytest.mark.parametrize("manner", sorted(FAITHFUL))
def test_nothing_is_cut_of_a_faithful_continuation(manner: str) -> None:
    """Wherever the text is cut, it comes out as it was written."""
    verdicts = Counter(trial.verdict for trial in sample((manner,)))
    assert set(verdicts) <= {Verdict.RIGHT, Verdict.UNDECIDABLE}
    assert verdicts[Verdict.UNDECIDABLE] <= 5


@pytest.mark.parametrize("manner", sorted(MANNERS))
def test_a_join_is_a_function_of_the_reply(manner: str) -> None:
    """In deltas of 1, 4 and 100 characters and all at once it joins the same way, to the letter."""
    texts = list(corpus().values())
    step = 3 * STRIDE
    for number, text in enumerate(texts[sum(map(ord, manner)) % step :: step]):
        for cut in cuts(text, 701, 17 + 31 * number % 400):
            came = [play(text, cut, manner, piece) for piece in (1, 4, 100, 10_000)]
            assert len({one and (one.text, one.verified) for one in came}) == 1, (text[:cut][-60:], came)


def test_an_echo_in_other_letters_is_always_found() -> None:
    """In every writing system of the corpus, and proved, but where a new sentence begins in the middle of one,
    or the text says a passage once more."""
    trials = sample(SPELLED_OTHERWISE)
    assert all(trial.verdict is Verdict.RIGHT for trial in trials)
    assert sum(trial.verified for trial in trials) / len(trials) >= 0.98


def test_all_manners_are_joined_rightly() -> None:
    """Where a right answer can be known, 99.5 % or more of them; nothing is lost, and no more is held than said,
    with what came in the last delta."""
    trials = [
        trial for start in range(3) for trial in sample(tuple(MANNERS)[start:] + tuple(MANNERS)[:start])
    ]
    counts = Counter(trial.verdict for trial in trials)
    decidable = counts.total() - counts[Verdict.SPACE] - counts[Verdict.UNDECIDABLE]
    assert counts[Verdict.WRONG] == 0
    assert counts[Verdict.RIGHT] / decidable >= 0.995
    assert max(trial.held for trial in trials) < MOST_HELD + PIECE
    assert statistics.median(trial.held for trial in trials) <= 160


@pytest.mark.parametrize("manner", ["echo", "wide_echo", "partial_echo", "no_echo", "preamble"])
def test_a_join_costs_little_however_long_the_text(manner: str) -> None:
    """Eight times the text is far from eight times the time."""
    short = least(lambda: cost(25_000, manner))
    long = least(lambda: cost(200_000, manner))
    assert long < 4 * short + 0.002
