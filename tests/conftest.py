"""What holds for every test."""

from __future__ import annotations

import pytest

from resilient_stream._policy import budget as _budget


@pytest.fixture(autouse=True)
def budgets_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test spends what another needs: two servers of one process may get the same port in turn."""
    monkeypatch.setattr(_budget, "_REGISTRY", _budget.Registry())
