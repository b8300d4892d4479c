"""What a journal holds, as plain values."""

from __future__ import annotations

import pytest

from resilient_stream._journal.entries import Claim, Lease, Verdict

from .heads import head


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_claim_that_was_given_is_a_lease(verdict: Verdict) -> None:
    """Of the epoch that the stream has by then. No other claim is one."""
    given = verdict in (Verdict.NEW, Verdict.TAKEN)
    assert Claim(verdict, head(epoch=7)).lease == (Lease("s", 7) if given else None)
    assert Claim(verdict).lease is None
