"""What is known of models."""

from __future__ import annotations

import enum
from typing import Any

import pytest

from resilient_stream._core.plan.models import accepts_prefill, family, named, thinking_on


@pytest.mark.parametrize(
    "model",
    [
        "claude-haiku-4-5",
        "claude-haiku-4-5-20251001",
        "claude-opus-4-5-20251101",
        "claude-sonnet-4-5@20250929",
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "global.anthropic.claude-haiku-4-5-20251001-v1:0",
        "claude-opus-4-1-20250805",
        "claude-sonnet-4-20250514",
        "claude-3-7-sonnet-latest",
        "claude-3-haiku@20240307",
        "CLAUDE-3-5-SONNET-20241022",
    ],
)
def test_models_up_to_4_5_accept_a_prefill(model: str) -> None:
    """Under the ids of every host; and they think only when asked."""
    assert accepts_prefill(model)
    assert not thinking_on({"model": model})


class Models(str, enum.Enum):  # noqa: UP042 -- such as programs have
    """Models as a program may name them."""

    OLD = "claude-haiku-4-5"


def test_a_member_of_an_enum_is_its_value() -> None:
    """As JSON writes it; and what is no string names no model."""
    assert named({"model": Models.OLD}) == "claude-haiku-4-5"
    assert type(named({"model": Models.OLD})) is str
    assert named({"model": 3}) == named({}) == ""


@pytest.mark.parametrize(
    "model",
    [
        "claude-opus-4-6",
        "claude-sonnet-4-6",
        "claude-opus-4-8",
        "claude-opus-5",
        "claude-sonnet-5-5",
        "claude-fable-5-1",
        "claude-opus-4-50",
        "my-own-deployment",
        "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc",
        "",
    ],
)
def test_all_others_do_not(model: str) -> None:
    """Later models refuse, and an opaque id means no."""
    assert not accepts_prefill(model)


@pytest.mark.parametrize(
    ("request_", "thinks"),
    [
        ({"model": "claude-opus-5"}, True),
        ({"model": "opaque"}, True),
        ({"model": "claude-opus-4-6"}, False),
        ({"model": "claude-opus-5", "thinking": {"type": "disabled"}}, False),
        ({"model": "claude-sonnet-4-5", "thinking": {"type": "enabled", "budget_tokens": 2000}}, True),
        ({"model": "claude-opus-4-6", "thinking": {"type": "adaptive"}}, True),
    ],
)
def test_thinking_is_the_requests_or_the_models(request_: dict[str, Any], *, thinks: bool) -> None:
    """The field decides, else the model's default, and an unknown model may think."""
    assert thinking_on(request_) is thinks


def test_a_family_is_a_name_without_a_host() -> None:
    """Dates, versions and prefixes go."""
    assert family("eu.anthropic.claude-3-5-sonnet-20241022-v2:0") == "claude-3-5-sonnet"
    assert family("claude-opus-5@default") == "claude-opus-5"
