"""How much a continuation may write."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._core.plan.allowance import ABOVE_BUDGET, FEW, Growth, allowed, cap, spent, visible
from tests.support.streams import MODERN, PREFILLED, Json

ASK: Json = {"model": MODERN, "messages": [{"role": "user", "content": "Tell me of the tides."}]}
WORDING = "Please go on from where you stopped. " * 14
QUOTE = "q" * 80


def growth(size: int, **more: Any) -> Growth:
    """So many characters that were written, and the words that ask for more."""
    said = "x" * size
    known: dict[str, Any] = {"wording": WORDING, "quoted": QUOTE, **more}
    return Growth(said, [{"type": "text", "text": said}], **known)


def asked(
    most: int, grown: Growth, request: Json = ASK, *, told: Any = 50, model: str = MODERN, held: bool = True
) -> int:
    """What a continuation asks for, where the first reply told of so much input."""
    served = {"model": model, "usage": told if isinstance(told, dict) else {"input_tokens": told}}
    return allowed(request, most, grown, served, held=held)


@pytest.mark.parametrize(
    ("given", "number"),
    [(4096, 4096), (1, 1), (0, None), (-5, None), (True, None), (4096.0, None), ("9", None), (None, None)],
)
def test_the_cap_is_a_number_of_tokens(given: Any, number: int | None) -> None:
    """Anything else is none, and is left for the API to refuse."""
    assert cap({"max_tokens": given}) == number
    assert cap({}) is None
    assert spent({"max_tokens": given}, "x" * 10**6, held=True) is (number is not None)


def test_only_text_is_visible() -> None:
    """Of all blocks, in their order."""
    blocks = [
        {"type": "text", "text": "a"},
        {"type": "thinking", "thinking": "b"},
        {"type": "text", "text": "c"},
    ]
    assert visible(blocks) == "ac"


@pytest.mark.parametrize("most", [1024, 4096, 32_000])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
def test_max_tokens_shrinks_as_the_input_grows(most: int, share: float) -> None:
    """At four characters a token, the words that ask for more included; never for nothing."""
    written = int(share * most * 4)
    limit = asked(most, growth(written))
    assert 0 < limit < most
    assert limit <= max(most - written // 4 - len(WORDING) // 4, min(most - int(written / 4.5) + 32, 1024))


@pytest.mark.parametrize("most", [16, 300, 1000])
def test_a_small_cap_leaves_what_is_left_of_it(most: int) -> None:
    """And room for what is to be repeated: the window is far away."""
    written = most * 2
    assert asked(most, growth(written)) == min(most, most - int(written / 4.5) + 32)


def test_text_to_be_written_again_takes_nothing_away() -> None:
    """But what the window lacks."""
    assert asked(800, growth(30, whole=True)) == 800
    assert 3800 < asked(4096, growth(30, whole=True)) < 4096


@pytest.mark.parametrize("told", [195_904, {"input_tokens": 4, "cache_read_input_tokens": 195_900}])
@pytest.mark.parametrize("written", [40, 400, 4000, 8000])
@pytest.mark.parametrize("bytes_", [2.6, 3.5, 4.4])
@pytest.mark.parametrize("held", [True, False])
def test_no_more_is_asked_for_than_the_window_leaves(
    told: Any, written: int, bytes_: float, held: bool
) -> None:
    """Where a request just fitted in, whatever there is to a token, until a few tokens are all that is asked for."""
    grown = growth(written)
    limit = asked(4096, grown, told=told, held=held)
    assert limit == FEW or 195_904 + (written + len(WORDING)) / bytes_ + limit <= 200_000


def test_input_that_was_not_told_is_taken_for_much() -> None:
    """A request of 600,000 characters may fill the window."""
    long = ASK | {"messages": [{"role": "user", "content": "x" * 600_000}]}
    near = asked(4096, growth(4000), long, told=0)
    assert near == asked(4096, growth(4000), long, told={})
    assert near < asked(4096, growth(4000), long, told=150_000)


def test_an_opaque_name_may_be_a_small_model() -> None:
    """Unless its reply says that it is a Claude."""
    opaque = ASK | {"model": "prod-writer"}
    assert asked(8192, growth(4000), opaque, model="prod-writer") < asked(8192, growth(4000), opaque)


@pytest.mark.parametrize(
    ("most", "written", "limit"),
    [
        (20_000, 4_000, 20_000 - 1143 - 148),
        (20_000, 40_000, 10_000 + ABOVE_BUDGET),
        (11_025, 4_000, 10_000 + ABOVE_BUDGET),
        (11_024, 4_000, 10_136 + 32),
        (11_024, 40_000, 10_001),
        (10_001, 4_000, 10_001),
    ],
)
def test_a_thinking_budget_needs_more(most: int, written: int, limit: int) -> None:
    """As the API demands; but never all there was, unless the API takes nothing less."""
    thinking = {"model": PREFILLED, "thinking": {"type": "enabled", "budget_tokens": 10_000}}
    assert asked(most, growth(written), thinking) == limit


def test_a_low_estimate_decides_that_the_cap_is_reached() -> None:
    """A sixteenth of it is near enough."""
    for most in (300, 4096):
        enough = round(most * 4.5 * 15 / 16)
        assert not spent(ASK | {"max_tokens": most}, "x" * (enough - 20), held=True)
        assert spent(ASK | {"max_tokens": most}, "x" * (enough + 20), held=True)
    assert not spent(ASK | {"max_tokens": 1}, "x" * 4, held=True)
    assert spent(ASK | {"max_tokens": 1}, "x" * 5, held=True)


def test_without_a_reserve_the_usual_estimate_decides() -> None:
    """For a thinking budget, or because thinking had used up what was left."""
    said, most = "x" * 15_000, 4096
    assert not spent(ASK | {"max_tokens": most}, said, held=True)
    assert spent(ASK | {"max_tokens": most}, said, held=False)
    thinking = ASK | {"max_tokens": most, "thinking": {"type": "enabled", "budget_tokens": 2048}}
    assert spent(thinking, said, held=True)
    assert not spent(thinking, "x" * 7_000, held=True)
    assert not spent(ASK | {"max_tokens": most, "thinking": {"type": "adaptive"}}, said, held=True)
