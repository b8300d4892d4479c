"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resilient_stream._policy import budget as _budget


@pytest.fixture(autouse=True)
def budgets_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test spends what another needs: two servers of one process may get the same port in turn."""
    monkeypatch.setattr(_budget, "_REGISTRY", _budget.Registry())


@pytest.fixture(autouse=True, scope="session")
def one_certificate() -> Iterator[None]:
    """Clients trust one authority instead of the system's many: loading those takes each client 20 ms, and no test
    leaves the machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(Path(__file__).parent / "support" / "authority.pem"))
        yield
