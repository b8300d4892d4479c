"""The library's own exceptions."""

from __future__ import annotations

from resilient_stream import errors


def test_a_policy_error_is_a_value_error() -> None:
    """Who catches ValueError for wrong settings catches ours."""
    assert issubclass(errors.PolicyError, ValueError)
    assert errors.__all__ == sorted(errors.__all__)


def test_what_is_wrong_with_a_journal_is_a_runtime_error() -> None:
    """Who catches what a journal raises catches all of it by one name."""
    kinds = [getattr(errors, name) for name in errors.__all__ if name != "PolicyError"]
    assert all(issubclass(kind, errors.JournalError) and issubclass(kind, RuntimeError) for kind in kinds)
