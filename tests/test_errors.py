"""The library's own exceptions."""

from __future__ import annotations

from resilient_stream import errors


def test_a_policy_error_is_a_value_error() -> None:
    """Who catches ValueError for wrong settings catches ours."""
    assert issubclass(errors.PolicyError, ValueError)
    assert errors.__all__ == ["PolicyError"]
