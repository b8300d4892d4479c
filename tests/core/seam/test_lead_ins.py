"""What may stand before the fragment."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.lead_ins import Lead, Start, in_fence, starts, undecided


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
        "Anything at all.\nThe tide rises.",
        "x" * 170 + ":\n\nThe tide.",
        "Here is the rest of it, the tide",
        "",
    ],
)
def test_what_is_not_set_apart_is_no_lead(head: str) -> None:
    """It begins where it begins."""
    assert places(head) == [(0, Lead.BARE)]


def test_what_follows_an_announcement_is_not_cut() -> None:
    """A courtesy there is the answer's own, and so is a line that is set apart."""
    head = "Here is the rest:\n\nSure!\n\nLine:\n\nText."
    assert places(head)[-1] == (19, Lead.ANNOUNCED)


def test_a_language_opens_a_fence_again_only_where_one_is_open() -> None:
    """Elsewhere it is a wrapper, which will be closed."""
    head = "```python\nx = 1"
    open_fence = list(starts(head, fenced=lambda: True))[-1]
    wrapper = list(starts(head, fenced=lambda: False))[-1]
    assert open_fence == Start(10, Lead.REOPENED, wrapped=True, wrapper="```python\n")
    assert (wrapper.kind, len(wrapper.closers)) == (Lead.BARE, 1)
    unnamed = list(starts("```\nx = 1", fenced=lambda: True))[-1]
    assert (unnamed.kind, len(unnamed.closers)) == (Lead.BARE, 1)


@pytest.mark.parametrize(
    ("text", "fenced"),
    [
        ("", False),
        ("a ``` b", False),
        ("```", True),
        ("a\n```py\nb", True),
        ("a\n```py\nb\n```\n", False),
        ("   ```\nb", True),
        ("    ```\nb", False),
        ("````\n```\nb", True),
        ("````\n```\n````", False),
        ("~~~\n```\nb", True),
        ("~~~\n```\n~~~\nb", False),
    ],
)
def test_an_open_fence_is_seen(text: str, *, fenced: bool) -> None:
    """As Markdown has it: up to three spaces before it, closed by its own marks, as many or more."""
    assert in_fence(text) is fenced


@pytest.mark.parametrize(
    ("head", "open_question"),
    [
        ("", True),
        ("Sure", True),
        ("\u597d", True),
        ("\u201cSure", True),
        ("sure", False),
        (" it", False),
        ("## T", False),
        ("Sure\n", True),
        ("S" * 161, False),
    ],
)
def test_a_first_line_may_become_an_opening(head: str, *, open_question: bool) -> None:
    """While it is unfinished and begins as a sentence does."""
    assert undecided(head) is open_question
