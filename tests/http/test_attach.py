from __future__ import annotations

import copy
from typing import Any

import httpx
import httpx2
import pytest

from resilient_stream._core.record.ledger import RECORD_KEY
from resilient_stream._http.attach import attach


@pytest.mark.parametrize("package", [httpx, httpx2])
def test_a_record_hangs_on_the_request_and_its_copies(package: Any) -> None:
    """In the extensions, and beside them, which copies keep."""
    request, record = package.Request("GET", "http://x"), object()
    attach(request, record)
    assert request.extensions[RECORD_KEY] is record
    assert vars(copy.copy(request))[RECORD_KEY] is record
