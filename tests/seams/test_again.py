"""The text again behind an echo, in every text of the corpus: nothing is lost, and a repetition is never verified."""

from __future__ import annotations

import re
from itertools import cycle
from typing import Final

from resilient_stream._core.plan.quote import quote
from resilient_stream._core.seam.normalize import Folded, weight
from tests.seams.test_habits import joined

from .habits import Habit
from .trial import corpus

BETWEEN: Final = (
    "", " ", "\n", "\n\n", ". ", ".\n\n", "...\n\n", ":\n", " - ", "\n- ", "\n> ", "\n```\n", " **", ' "',
    " and so on.\n\n", " so.\n", " lamp. ", "\n\nSure! Here it is again:\n\n", "\n\nAgain, from the top:\n\n",
)  # fmt: skip
"""What stands between the echo and the repetition."""
STEP: Final = 797
"""Every so manieth character is cut at."""
SAID_ONCE: Final = 24
"""Letters of a passage that is long enough to be known, where the text says it once."""


def passages(text: str) -> list[str]:
    """What a model may say again: all of it, the last paragraph, line and sentence, and the quote."""
    line = text[text.rfind("\n") + 1 :]
    sentence = re.split(r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f])", line)[-1]
    found = (text, text[text.rfind("\n\n") + 1 :].lstrip("\n"), line, sentence, quote(text))
    key = Folded(text).key
    keys = [Folded(each).key for each in found]
    known = (key.count(each) == 1 and weight(each) >= SAID_ONCE for each in keys)
    return [each for each, is_known in zip(found, known, strict=True) if is_known]


def test_the_text_again_behind_an_echo_is_cut_or_not_verified() -> None:
    """Directly, behind signs, a few words or an announcement. The rest comes after it, to the letter."""
    between, pieces, tried, wrong = cycle(BETWEEN), cycle((100, 10_000, 7)), 0, []
    for name, whole in corpus().items():
        for cut in range(150, len(whole) - 1, STEP):
            text = whole[:cut].rstrip()
            rest = whole[len(text) :]
            for passage in passages(text):
                words = next(between)
                reply = f"{quote(text)}{words}{passage}{rest}"
                delivered, verified = joined(Habit(name, text, reply, None, None), next(pieces))
                key, left = Folded(delivered or "").key, Folded(rest).key
                tried += 1
                if delivered is not None and not key.endswith(left):
                    wrong.append(("lost", name, cut, words, passage[:40]))
                if verified and key not in (left, Folded(words).key + left):
                    wrong.append(("verified", name, cut, words, passage[:40]))
    assert tried > 100
    assert wrong == []
