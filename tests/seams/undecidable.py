"""Whether a right answer can be known at all.

A trial is undecidable if *another* text could have led to the same: the same received, the same reply, and
yet another join would be right. That is so of every repetition in principle, for any text may say a thing
twice; what is asked here is whether a text would. It is judged by the text and the reply alone, before the
join is looked at, and whatever comes of it is not counted.
"""

from __future__ import annotations

import re
from typing import Final

from resilient_stream._core.plan.quote import enough, quote
from resilient_stream._core.seam.fences import in_fence
from resilient_stream.testing.manners.echoes import SLIP
from resilient_stream.testing.manners.repeats import DIVERGENCE

REPEATS: Final = frozenset(
    {"partial_echo", "repeated_word", "repeated_line", "repeated_sentence", "repeated_paragraph"}
)
LINES: Final = frozenset({"reopened_fence_line", "retold_bare_fence"})
WRAPPED: Final = frozenset(
    {"quoted_echo", "bracketed_echo", "marked_echo", "bold_echo", "fenced_echo", "preamble_and_fence"}
)
WRAPPED_IN_A_FENCE: Final = frozenset({"fenced_echo", "preamble_and_fence"})

SEED: Final = 5
"""Letters with which comparing begins."""
SHORT: Final = 12
"""Letters that come again by accident, or because a text likes them: ``very, very``, ``North pier``."""
ROW: Final = 40
"""Letters of a row, a line or a refrain that is followed by its like."""
PART: Final = 24
"""Letters of a part of a line that comes again."""
ANOTHER_ANSWER: Final = 32
"""Letters that another answer must have told to be known for one that begins again."""
SIGNS: Final = 6
"""Different characters; with fewer it is ``ha ha ha``, ``0, 0, 0`` or a line of dashes."""


def is_undecidable(text: str, cut: int, manner: str, reply: str) -> bool:
    """Whether the same was received and came as if the text went on otherwise."""
    had, rest = text[:cut].rstrip(), text[len(text[:cut].rstrip()) :]
    if "preamble" in manner and not enough(had) and reply.casefold().startswith(had.casefold()):
        return True  # it begins as it was asked to
    if manner == "diverging_restart":
        return len(_key(reply[: reply.find(DIVERGENCE)])) < ANOTHER_ANSWER
    if manner.endswith("no_echo") or manner in ("doubled_space", "blank_lines", "reopened_fence_lost_break"):
        return _may_be_the_texts_own(manner, had, rest) or _begins_again(had, rest)
    if manner in WRAPPED:  # the wrapper may be the answer's own, and so may the fence behind it
        fenced = manner in WRAPPED_IN_A_FENCE and in_fence(had) and not rest[:1].strip("\n")
        return fenced or len(_key(had)) < SEED
    if manner.startswith("unknown_preamble"):
        return _may_be_a_heading(had)
    if manner in ("slipped_echo", "lowered_echo"):
        told = reply[: len(reply) - len(rest)]
        next_row = manner == "slipped_echo" and _may_be_the_next_row(had, text[len(had) : cut], told)
        return next_row or (manner == "lowered_echo" and _may_be_the_next_words(had, text[len(had) : cut]))
    if manner in REPEATS:
        lead = reply[: len(reply) - len(reply.lstrip())]
        return _may_be_said_twice(had, text[len(had) : cut], len(reply) - len(rest), lead)
    return manner in LINES and in_fence(had) and _may_be_the_next_line(had, rest)


def _begins_again(had: str, rest: str) -> bool:
    """So little was received that all of it was asked for again, and the text goes on with just that; or the
    rest is no more than what the fragment begins with."""
    return quote(had).startswith(rest.strip()) or (not enough(had) and _key(rest).startswith(_key(had)))


def _may_be_the_texts_own(manner: str, had: str, rest: str) -> bool:
    """A marker may be, behind a sign or two; an ellipsis is, where the text has another, or no sentence
    goes on with a small letter."""
    if manner != "dots_no_echo":
        return manner == "marker_no_echo" and len(_key(had)) < SEED
    first = rest.lstrip()[:1]
    inside = (had[-1].isalnum() or had[-1] in ",;") and not in_fence(had)
    return "..." in had or "\u2026" in had or not inside or not first.isalpha() or first.isupper()


def _may_be_the_next_line(had: str, rest: str) -> bool:
    """A line that is over may be followed by its like."""
    line = had[had.rfind("\n") + 1 :]
    return rest.startswith("\n") and (len(_key(line)) < ROW or had.count(line) > 1)


def _may_be_a_heading(had: str) -> bool:
    """Behind a line that is set apart stands what the text has twice, from a border on, or very little."""
    fragment = quote(had)
    again = _key(had).count(_key(fragment)) > 1 and _begins(had, len(had) - len(fragment))
    return again or len(_key(fragment)) < SHORT


def _may_be_the_next_row(had: str, space: str, told: str) -> bool:
    """Too little is told before and behind the slip, or the text has both twice; or a row, a line or a
    sentence ends where its like may follow, with another word in it."""
    before, behind = (_key(part) for part in told.split(SLIP, 1))
    if len(behind) < SEED or len(before) + len(behind) < 16:
        return True
    if all(_key(had).count(part) > 1 or len(set(part)) < SIGNS for part in (before, behind)):
        return True
    return _begins(had, len(had) - len(quote(had))) and _ends(had, space)


def _may_be_the_next_words(had: str, space: str) -> bool:
    """What began with a capital comes with a small letter, as in the middle of a sentence, and is short."""
    fragment = quote(had)
    if not next((each for each in fragment if each.isalpha()), "").isupper():
        return False
    inside = not space and had[-1].isalnum()
    return len(_key(fragment)) < (SEED if inside else ROW if _ends(had, space) else PART)


def _may_be_said_twice(had: str, space: str, count: int, lead: str) -> bool:
    """What is repeated is short, or the text has it twice, or it comes from border to border."""
    passage, key = had[len(had) - count :], _key(had[len(had) - count :])
    if len(key) < SHORT or len(set(key)) < SIGNS or _key(had).count(key) > 1:
        return True
    start = len(had) - len(passage.lstrip())
    several = len(set(re.findall(r"[^\W\d_]{2,}", passage.casefold()))) >= 3
    if _begins(had, start):
        return _ends(had, space + lead) and len(key) < ROW
    if _ends(had, space + lead):
        return "\n" not in passage.strip() and len(key) < PART
    inside = had[start - 1].isalnum() and had[start].isalnum() and had[start] < "\u2e80"
    return (inside or bool(space + lead)) and not several and len(key) < PART


def _begins(had: str, at: int) -> bool:
    """Whether a line, a sentence or a part of one begins there."""
    return re.search(r"(?:^|\n|[.!?:,;]\s|[\u3001\u3002\uff01\uff0c\uff1f])\s*$", had[:at]) is not None


def _ends(had: str, space: str) -> bool:
    """Whether a line, a sentence or a part of one ends there."""
    return "\n" in space or had[-1] in ".!?,;\u2026\"'\u201d\u2019\u3001\u3002\uff01\uff0c\uff1f"


def _key(text: str) -> str:
    return "".join(text.split())
