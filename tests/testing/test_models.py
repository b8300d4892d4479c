"""Which models take a prefill."""

from __future__ import annotations

import pytest

from resilient_stream.testing import accepts_prefill


@pytest.mark.parametrize(
    "model",
    [
        "claude-haiku-4-5",
        "claude-haiku-4-5-20251001",
        "claude-opus-4-5-20251101",
        "claude-sonnet-4-5",
        "claude-opus-4-5@20251101",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:us-east-1::inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0",
        "claude-3-5-sonnet-latest",
        "claude-opus-4-20250514",
    ],
)
def test_old_models_accept(model: str) -> None:
    """The 4.5 family and what came before, under every host's spelling."""
    assert accepts_prefill(model)


@pytest.mark.parametrize(
    "model",
    [
        "claude-opus-4-6",
        "claude-sonnet-4-6",
        "claude-opus-4-8",
        "claude-opus-5",
        "claude-opus-5-5",
        "claude-haiku-5-5",
        "claude-sonnet-5",
        "claude-fable-5-2",
        "claude-mythos-5",
        "anthropic.claude-opus-5-v1:0",
        "my-deployment",
        "",
    ],
)
def test_newer_and_unknown_models_refuse(model: str) -> None:
    """Everything newer, and every id that nobody knows."""
    assert not accepts_prefill(model)
