"""What may stand before the fragment."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.lead_ins import Lead, starts, undecided


def places(head: str, *, fenced: bool = False) -> list[tuple[int, Lead]]:
    """Where the fragment may begin, and behind what."""
    return [(start.at, start.kind) for start in starts(head, fenced=lambda: fenced)]


@pytest.mark.parametrize(
    ("lead", "kind"),
    [
        ("", Lead.BARE),
        ("\n\n", Lead.BARE),
        ("\u201c", Lead.BARE),
        ("\u2026", Lead.BARE),
        ("> ", Lead.BARE),
        ("**", Lead.BARE),
        ("```\n", Lead.BARE),
        ("~~~text\n", Lead.BARE),
        ("<<<\n", Lead.BARE),
        ("<part-2>\n", Lead.BARE),
        ("> **\u201c\u2026", Lead.BARE),
        ("Sure!\n\n", Lead.UNKNOWN),
        ("Sure! ", Lead.UNKNOWN),
        ("Anything at all:\n", Lead.UNKNOWN),
        ("Anything at all\n\n", Lead.UNKNOWN),
        ("Here is the rest:\n\n", Lead.ANNOUNCED),
        ("Sure! Here is the rest:\n\n```\n", Lead.ANNOUNCED),
        ("Sorry about that. Of course. Here is the rest:\n\n", Lead.ANNOUNCED),
        ("\u7ee7\u7eed\u4e0a\u6587\uff1a", Lead.ANNOUNCED),
    ],
)
def test_a_lead_is_seen_through(lead: str, kind: Lead) -> None:
    """The fragment may begin behind it."""
    assert (len(lead), kind) in places(lead + "the tide rises.")


@pytest.mark.parametrize(
    "head",
    [
        "Anything at all, the tide rises.",
        "x" * 170 + ":\n\nThe tide.",
        "Here is the rest of it, the tide",
        "",
    ],
)
def test_what_is_not_set_apart_is_no_lead(head: str) -> None:
    """It begins where it begins."""
    assert places(head) == [(0, Lead.BARE)]


def test_a_line_that_is_not_set_apart_is_said_to_be_none() -> None:
    """Without an empty line or a colon more is asked for behind it."""
    for head, apart in (
        ("A line.\nThe tide.", False),
        ("A line.\n\nThe tide.", True),
        ("A line:\nThe tide.", True),
    ):
        assert [start.apart for start in starts(head, fenced=lambda: False)] == [True, apart]


def test_what_follows_an_announcement_is_not_cut() -> None:
    """A courtesy there is the answer's own, and so is a line that is set apart."""
    head = "Here is the rest:\n\nSure!\n\nLine:\n\nText."
    assert places(head)[-1] == (19, Lead.ANNOUNCED)


def test_a_language_opens_a_fence_again_only_where_one_is_open() -> None:
    """Elsewhere it is a wrapper, which will be closed."""
    head = "```python\nx = 1"
    open_fence = list(starts(head, fenced=lambda: True))[-1]
    wrapper = list(starts(head, fenced=lambda: False))[-1]
    assert (open_fence.at, open_fence.kind, open_fence.sign) == (10, Lead.REOPENED, "fence")
    assert (wrapper.kind, len(wrapper.closers)) == (Lead.BARE, 1)
    unnamed = list(starts("```\nx = 1", fenced=lambda: True))[-1]
    assert (unnamed.kind, len(unnamed.closers)) == (Lead.BARE, 1)


@pytest.mark.parametrize(
    ("head", "open_question"),
    [
        ("", True),
        ("Sure", True),
        ("\u597d", True),
        ("\u201cSure", True),
        ("sure", False),
        (" it", False),
        ("## T", True),
        ("Sure\n", True),
        ("Sure!\n\nNo", True),
        ("Sure!\n\nno", False),
        ("No!\n\nNo", False),
        ("S" * 161, False),
    ],
)
def test_a_first_line_may_become_an_opening(head: str, *, open_question: bool) -> None:
    """While it is unfinished and begins as a sentence does."""
    assert undecided(head) is open_question


def test_only_a_few_signs_are_looked_behind() -> None:
    """What opens still more is no quotation."""
    assert [at for at, _ in places("((((((((the tide.")] == [0, 1, 2, 3, 4, 5]


def test_only_a_few_courtesies_are_waited_behind() -> None:
    """However often a model says thanks, it is looked at as often as a lead is looked behind."""
    assert undecided("Thanks! " * 10)
    assert not undecided("Thanks! " * 50)
