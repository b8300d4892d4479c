"""Where a continuation joins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.seam import Asked, Join, Joined, join

QUOTE = "the last words of what was received so far"


@given(
    space=st.text(" \n", max_size=3),
    lead=st.text(" \n", max_size=3),
    rest=st.text("ab \n", max_size=8),
    size=st.integers(1, 7),
)
def test_an_echo_is_found_and_cut(space: str, lead: str, rest: str, size: int) -> None:
    """With an exact echo the text comes out exactly, whatever white space there is, in any pieces, verified."""
    asked = Asked(QUOTE, space)
    head = lead + QUOTE + space + rest
    decided = next(
        (
            found
            for end in range(size, len(head) + size, size)
            if (found := join(asked, head[:end], final=end >= len(head)))
        ),
        None,
    )
    assert decided is not None
    assert decided.verified
    assert head[decided.cut :] == rest
    assert decided.how is (Joined.ECHO if rest else Joined.ECHO_ONLY)


@given(
    space=st.text(" \n", max_size=4),
    rest=st.text("ab \n", min_size=1, max_size=6).filter(str.strip),
    strips=st.booleans(),
)
def test_a_prefill_repeats_no_white_space(space: str, rest: str, *, strips: bool) -> None:
    """What the consumer has of the white space behind a prefill is cut, where it comes again."""
    rest = rest.lstrip() if strips else rest
    head = rest if strips else space + rest
    decided = join(Asked("", space), head, final=True)
    assert decided is not None
    assert decided.how is Joined.PREFILL
    assert decided.verified
    assert head[decided.cut :] == rest


@pytest.mark.parametrize("head", ["", " ", QUOTE[:1], "\n" + QUOTE[:-1], QUOTE, QUOTE + "\n"])
def test_it_waits_while_more_could_change_the_answer(head: str) -> None:
    """Inside the fragment, and inside the white space behind it, nothing is decided."""
    assert join(Asked(QUOTE, "\n\n"), head, final=False) is None


def test_a_part_of_the_fragment_proves_nothing() -> None:
    """A reply that ends inside the fragment has brought nothing, and no proof."""
    for size in range(len(QUOTE)):
        assert join(Asked(QUOTE, ""), QUOTE[:size], final=True) == Join(size, Joined.AS_IS, verified=False)


def test_text_without_the_fragment_is_joined_as_it_is() -> None:
    """Unverified, at once, and without the white space that is there."""
    assert join(Asked(QUOTE, ""), "and so on", final=False) == Join(0, Joined.AS_IS, verified=False)
    assert join(Asked(QUOTE, " "), " and so on", final=False) == Join(1, Joined.AS_IS, verified=False)


def test_nothing_behind_a_prefill_waits() -> None:
    """An empty head decides nothing before it is final."""
    assert join(Asked("", ""), "", final=False) is None
    assert join(Asked("", ""), "", final=True) == Join(0, Joined.PREFILL, verified=True)
    assert join(Asked("", " \n"), " ", final=False) is None
