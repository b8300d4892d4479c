from __future__ import annotations

import httpx2
import pytest

from resilient_stream import report
from resilient_stream._http.attach import attach
from resilient_stream._report.unprotected import Unprotected


def test_a_call_that_was_not_protected_says_why() -> None:
    """In place of a report."""
    request = httpx2.Request("POST", "http://x")
    attach(request, Unprotected("its body is compressed"))
    with pytest.raises(LookupError, match="not protected, because its body is compressed"):
        report(request)
